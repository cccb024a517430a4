/**
 * Feeds what reads documents of strangers (headers, MIME, HTML, calendars, JSON-LD) with mutated documents, and counts what
 * crashes or takes longer than a second of CPU.
 *
 *   node scripts/fuzz.ts [--inputs 1000000] [--from 0] [--seed 1] [--record FILE]
 *   node scripts/fuzz.ts --show N [--seed 1]       the input of a number, as it is
 *
 * An input is made from seed and number alone. Progress goes to the screen, and with --record into a file (JSON), every few seconds.
 * Ends with 1 when something was found.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeInput } from '../tests/fuzz/mutate.ts';
import { Chance } from '../tests/fuzz/random.ts';
import type { FuzzFinding, FuzzJob } from '../tests/fuzz/worker.ts';

/** An input that holds up a thread for this long is a hang even on a machine that is busy with other things. */
const HANG_MS = 120_000;
const REPORT_MS = 10_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    record: { type: 'string' },
    show: { type: 'string' },
  },
});
const seed = Number(values.seed);
if (values.show !== undefined) {
  const { target, bytes } = makeInput(new Chance(Math.imul(seed, 0x9e3779b1) + Number(values.show)));
  console.error(`target: ${target}, ${bytes.length} bytes`);
  process.stdout.write(bytes);
} else await fuzz(Number(values.from), Number(values.from) + Number(values.inputs));

async function fuzz(from: number, until: number): Promise<void> {
  const findings: (FuzzFinding | Hang)[] = [];
  const began = Date.now();
  const cpu = process.cpuUsage();
  let next = from;
  const report = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    const figures = {
      seed,
      from,
      until,
      done: next - from,
      crashes: findings.filter(({ kind }) => kind === 'crash').length,
      hangs: findings.filter(({ kind }) => kind !== 'crash').length,
      seconds: Math.round((Date.now() - began) / 1000),
      cpuSeconds: Math.round((user + system) / 1e6),
      findings: findings.slice(0, 50),
    };
    const { findings: _, ...line } = figures;
    console.log(JSON.stringify(line));
    if (values.record === undefined) return;
    writeFileSync(`${values.record}.part`, `${JSON.stringify(figures, null, 2)}\n`);
    renameSync(`${values.record}.part`, values.record);
  };
  // One thread after another: an input that ends one, or holds it up, is passed over by the next.
  while (next < until) {
    const ended = await runThread(next, until, findings, (at) => {
      next = at;
      report();
    });
    next = ended;
  }
  report();
  for (const finding of findings.slice(0, 20)) console.log(finding);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

interface Hang {
  readonly number: number;
  readonly kind: 'crash' | 'hang';
  readonly message: string;
}

/** Runs a thread until it is done, dies or hangs; returns the number to go on with. */
async function runThread(
  from: number,
  until: number,
  findings: (FuzzFinding | Hang)[],
  progress: (at: number) => void,
): Promise<number> {
  const at = new SharedArrayBuffer(8);
  const place = new Float64Array(at);
  place[0] = from;
  const job: FuzzJob = { seed, from, until, slowMs: 1000, at };
  const worker = new Worker(new URL('../tests/fuzz/worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  let seen = from;
  let since = Date.now();
  const timer = setInterval(() => {
    if (place[0] !== seen) {
      seen = place[0]!;
      since = Date.now();
      progress(seen);
    } else if (Date.now() - since > HANG_MS) {
      findings.push({ number: seen, kind: 'hang', message: `no answer within ${HANG_MS} ms` });
      void worker.terminate();
    }
  }, REPORT_MS);
  worker.on('message', (finding: FuzzFinding) => findings.push(finding));
  worker.on('error', (error) =>
    findings.push({ number: place[0]!, kind: 'crash', message: `the thread died: ${String(error)}` }),
  );
  worker.on('exit', () => resolve(place[0] === until ? until : place[0]! + 1));
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
