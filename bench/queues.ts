/**
 * Durable throughput of "publish, consume, no-op effect, ack" with 1 KiB events, beside other job queues, all in one run:
 * `node bench/queues.ts [NAME…] [--rounds 3] [--small] [--parts enqueue,steady,drain,latency] [--json]`; `--install` installs
 * the other queues first. What is missing is left out, with the reason; with CI=true that is an error.
 *
 * Each contestant runs in a process of its own, with its servers, alone; the order rotates from round to round; figures are
 * medians of the rounds. `--calm SECONDS`: before each measurement waits so long
 * at most until nobody else uses the machine, and repeats what was disturbed.
 */
import { spawn } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTESTANTS } from './queues/contestants.ts';
import type { Rate } from './queues/measure.ts';
import { PARTS, type Run } from './queues/one.ts';
import { installPeers } from './queues/peers.ts';
import { median, rowOf, table, verdicts } from './queues/report.ts';

const ONE = join(import.meta.dirname, 'queues', 'one.ts');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      install: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      small: { type: 'boolean', default: false },
      parts: { type: 'string', default: PARTS.join() },
      calm: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.install) installPeers();
  const asked = positionals.length > 0 ? positionals : Object.keys(CONTESTANTS);
  const present = asked.filter((key) => {
    const missing = CONTESTANTS[key] === undefined ? `there is no contestant ${key}` : CONTESTANTS[key].missing?.();
    if (missing !== undefined) console.error(`Left out: ${key}: ${missing}.`);
    return missing === undefined;
  });
  if (present.length < asked.length && process.env.CI === 'true') process.exit(1);
  const options = ['--parts', values.parts];
  if (values.small) options.push('--small');
  if (values.calm !== undefined) options.push('--calm', values.calm);
  const runs = new Map<string, Run[]>(present.map((key) => [key, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    console.error(`Round ${round + 1}: a 4 KiB write with sync takes ${syncMs().toFixed(2)} ms (median of 200).`);
    for (let i = 0; i < present.length; i++) {
      const key = present[(i + round) % present.length]!;
      const run = await runAlone(key, options).catch((error) => {
        console.error(`${error}; once more`);
        return runAlone(key, options);
      });
      runs.get(key)!.push(run);
      const { steady, drain } = run.measured;
      console.error(key, JSON.stringify({ steady: steady.map(brief), drain: drain.map(brief) }));
    }
  }
  const rows = present.map((key) => rowOf(key, CONTESTANTS[key]!, runs.get(key)!));
  if (values.json) console.log(JSON.stringify({ rows, runs: [...runs.values()].flat() }));
  console.log(`\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}\n`);
  console.log(table(rows));
  for (const { name, facts } of rows) console.log(`${name}: ${JSON.stringify(facts)}`);
  for (const { what, target, measured, reached } of verdicts(rows))
    console.log(`${reached ? 'reached' : 'MISSED '}  ${what}: ${measured} (${target})`);
}

const brief = ({ setting, perSecond, othersPercent }: Rate) => `${perSecond}/s ${setting}, others ${othersPercent} %`;

/** In a process of its own: what one leaves in the heap, or breaks, the next does not feel. */
async function runAlone(key: string, options: readonly string[]): Promise<Run> {
  const args = [...(CONTESTANTS[key]?.flags ?? []), ONE, key, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${key} ended with ${code}`);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Run;
}

/** How fast the disk syncs just now: figures that rest on syncs vary with it. */
function syncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-sync-'));
  const file = openSync(join(folder, 'file'), 'w');
  const block = Buffer.alloc(4096);
  const took = Array.from({ length: 200 }, () => {
    const from = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(took);
}

await main();
