/**
 * Does a second and a third worker process raise the throughput of a load that is bound by reading mails, as far as the
 * cores allow? Mails are stored first, with nobody at work; then N worker processes on PostgreSQL, each with one parsing
 * thread, work them off. What is timed begins when the first mail is done, so that starting does not count.
 *
 *   npm run bench -- workers [--mails 3000] [--workers 1,2,3] [--seed 1] [--json]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPostgres } from '../scripts/servers/postgres.ts';
import { importMailbox } from '../src/app/commands/import-run.ts';
import { loadConfig } from '../src/app/config.ts';
import { type Core, openCore } from '../src/app/core.ts';
import { prepareFolder } from '../src/app/paths.ts';
import { DEFAULT_TENANT } from '../src/domain/ids.ts';
import { createIntake } from '../src/stages/watch/intake.ts';
import { makeMail } from './mail-import/mails.ts';

export interface WorkersRow {
  readonly workers: number;
  readonly mails: number;
  readonly seconds: number;
  readonly mailsPerSecond: number;
  /** Processor seconds of the workers, their start included. */
  readonly cpuSeconds: number;
}

const cli = fileURLToPath(new URL('../bin/tripwatch.js', import.meta.url));
const STAGES = 'collect,extract,reconcile,fan-out,project';
const PATIENCE_MS = 600_000;

export async function benchWorkers(
  options: { readonly mails: number; readonly workers: readonly number[]; readonly seed: number },
  tell: (line: string) => void = () => {},
): Promise<readonly WorkersRow[]> {
  const postgres = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-workers-'));
  try {
    const rows: WorkersRow[] = [];
    for (const workers of options.workers) {
      const row = await oneRun(join(folder, String(workers)), postgres.url, `w${workers}`, workers, options);
      tell(`${workers} workers: ${row.mailsPerSecond} mails/s (${row.seconds} s, ${row.cpuSeconds} s of processor)`);
      rows.push(row);
    }
    return rows;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function oneRun(
  folder: string,
  url: string,
  schema: string,
  workers: number,
  options: { readonly mails: number; readonly seed: number },
): Promise<WorkersRow> {
  const env = { ...process.env, BENCH_POSTGRES: url, BENCH_KEY: '5a'.repeat(32) };
  const settings = {
    store: { url: 'env:BENCH_POSTGRES', schema },
    secrets: { key: 'env:BENCH_KEY' },
    http: { port: 0 },
    smtp: { enabled: false },
    workers: 1,
    log: { level: 'error' as const },
  };
  const paths = prepareFolder(folder);
  const configFile = join(folder, 'bench.config.json');
  writeFileSync(configFile, JSON.stringify(settings));
  process.env.BENCH_POSTGRES = url;
  process.env.BENCH_KEY = env.BENCH_KEY;
  const core = await openCore(loadConfig({ data: folder, env, override: settings }), paths);
  const children: ChildProcess[] = [];
  try {
    await store(core, options);
    for (let n = 0; n < workers; n++) {
      const place = ['--data', join(folder, `worker-${n}`), '--config', configFile];
      children.push(
        spawn(process.execPath, [cli, 'up', '--stages', STAGES, '--log', 'error', '--json', ...place], {
          env,
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      );
    }
    const counted = async (): Promise<number> => {
      const { seen, collected } = await core.store.read((tx) => tx.mails.count(DEFAULT_TENANT));
      return options.mails - seen - collected;
    };
    const patience = performance.now() + PATIENCE_MS;
    const until = async (mails: number): Promise<{ readonly done: number; readonly at: number }> => {
      for (;;) {
        const done = await counted();
        if (done >= mails) return { done, at: performance.now() };
        if (performance.now() > patience) throw new Error(`Only ${done} of ${options.mails} mails were read.`);
        await delay(100);
      }
    };
    // All have started and taken their share.
    const begin = await until(Math.ceil(options.mails * 0.15));
    const end = await until(options.mails);
    const seconds = (end.at - begin.at) / 1000;
    return {
      workers,
      mails: options.mails,
      seconds: Math.round(seconds * 10) / 10,
      mailsPerSecond: Math.round((end.done - begin.done) / seconds),
      cpuSeconds: children.reduce((sum, child) => sum + cpuOf(child.pid!), 0),
    };
  } finally {
    await Promise.all(
      children.map(async (child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        if (child.exitCode === null && child.kill('SIGTERM')) await gone;
      }),
    );
    await core.close();
  }
}

/** Stores the mails as they come in; nobody reads them yet. */
async function store(core: Core, options: { readonly mails: number; readonly seed: number }): Promise<void> {
  const traveller = {
    id: 'trv_bench',
    tenant: DEFAULT_TENANT,
    name: 'Ada',
    zone: 'UTC',
    locale: 'en',
    createdAt: 1,
  } as const;
  await core.store.transact((tx) => tx.accounts.addTraveller(traveller));
  const mailbox = await importMailbox(core, traveller);
  const intake = createIntake({ store: core.store, blobs: core.blobs, clock: core.clock, logger: core.logger });
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < options.mails) {
      const bytes = Buffer.from(makeMail(options.seed, next++).bytes);
      await intake.accept({ mailbox, bytes, via: 'import' });
    }
  };
  await Promise.all(Array.from({ length: 32 }, sender));
}

function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(stat[11]) + Number(stat[12])) / 100;
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      mails: { type: 'string', default: '3000' },
      workers: { type: 'string', default: '1,2,3' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const options = {
    mails: Number(values.mails),
    workers: values.workers.split(',').map(Number),
    seed: Number(values.seed),
  };
  const rows = await benchWorkers(options, values.json ? undefined : (line) => console.log(line));
  if (values.json) console.log(JSON.stringify({ cores: availableParallelism(), rows }, undefined, 2));
  process.exit(0);
}
