/**
 * One contestant, measured once in a process of its own: `node bench/queues/one.ts NAME [--small] [--parts a,b] [--calm SECONDS]`. The last
 * line printed is the result as JSON. Its servers run for this time only, so that no other contestant's is at work.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTESTANTS } from './contestants.ts';
import { type Extent, FULL, type Measured, measure, type Part, SMALL } from './measure.ts';

export interface Run {
  readonly name: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly measured: Measured;
}

export const PARTS: readonly Part[] = ['enqueue', 'steady', 'drain', 'latency'];

export async function runOne(name: string, extent: Extent, parts: ReadonlySet<Part> = new Set(PARTS)): Promise<Run> {
  const contestant = CONTESTANTS[name];
  if (contestant === undefined)
    throw new Error(`There is no contestant ${name}; there are ${Object.keys(CONTESTANTS)}`);
  const missing = contestant.missing?.();
  if (missing !== undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-queues-'));
  try {
    const host = await contestant.start(folder);
    try {
      return { name, facts: host.facts, measured: await measure(contestant, host, extent, parts) };
    } finally {
      await host.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      calm: { type: 'string' },
      small: { type: 'boolean', default: false },
      parts: { type: 'string', default: PARTS.join() },
    },
  });
  const parts = new Set(values.parts.split(',').filter((part): part is Part => PARTS.includes(part as Part)));
  const calm = values.calm === undefined ? {} : { calm: { percent: 15, waitMs: Number(values.calm) * 1000, tries: 3 } };
  const run = await runOne(positionals[0] ?? '', { ...(values.small ? SMALL : FULL), ...calm }, parts).catch(
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
  console.log(JSON.stringify(run));
  // Some clients leave a timer or a socket behind.
  process.exit(0);
}
