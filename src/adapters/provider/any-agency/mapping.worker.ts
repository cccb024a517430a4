import { parentPort } from 'node:worker_threads';
import jsonata from 'jsonata';
import type { MappingJob, MappingResult } from './mapping.ts';

/**
 * Evaluates expressions over one answer in a thread of its own, with little memory, so that neither an expression nor an
 * answer made for it can hold up or bring down the service: who takes too long is ended with the whole thread.
 */
if (parentPort === null) throw new Error('not a worker');
const port = parentPort;
const compiled = new Map<string, jsonata.Expression>();

port.on('message', ({ id, job }: { readonly id: number; readonly job: MappingJob }) => {
  run(job).then(
    (result) => port.postMessage({ id, result }),
    // An expression that fails says where, never with what value.
    (error: unknown) => port.postMessage({ id, failed: String((error as { code?: unknown }).code ?? 'error') }),
  );
});

// Loading takes its time, which is not an expression's.
port.postMessage({ ready: true });

async function run({ input, values, groups }: MappingJob): Promise<MappingResult> {
  const at = async (text: string, context: unknown): Promise<unknown> => {
    const expression = compiled.get(text) ?? jsonata(text);
    compiled.set(text, expression);
    // `$answer`: the whole answer, wherever the expression is.
    return plain(await expression.evaluate(context, { answer: input }));
  };
  const all = async (texts: Readonly<Record<string, string>>, context: unknown) => {
    const out: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(texts)) out[name] = await at(text, context);
    return out;
  };
  const listed = async (each: string | undefined, context: unknown): Promise<readonly unknown[]> => {
    const found = each === undefined ? context : await at(each, context);
    return found === undefined || found === null ? [] : Array.isArray(found) ? found.slice(0, 100) : [found];
  };
  const made: MappingResult['groups'][number][] = [];
  for (const group of groups) {
    const items = [];
    for (const context of await listed(group.each, input)) {
      const inner = [];
      if (group.inner !== undefined)
        for (const below of await listed(group.inner.each, context)) inner.push(await all(group.inner.values, below));
      items.push({ values: await all(group.values, context), inner });
    }
    made.push(items);
  }
  return { values: await all(values, input), groups: made };
}

/** JSONata's sequences and functions do not travel between threads. */
function plain(value: unknown): unknown {
  const text = value === undefined ? undefined : JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
