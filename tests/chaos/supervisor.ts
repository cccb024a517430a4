import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClock } from '../../src/adapters/clock/system.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import type { Random } from '../../src/ports/clock.ts';
import { seededRandom, silent } from '../contract/broker/rig.ts';
import { openStore, type Place, UNANSWERED } from './back-ends.ts';
import { type CheckOptions, check, type Facts, outstanding, type Violation } from './check.ts';
import type { WorkerCounts, WorkerOrders } from './worker.ts';
import { makeTables } from './workload.ts';

const PROGRAM = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A process that does not begin or end by then has a fault. */
const START_MS = 30_000;
const STOP_MS = 20_000;
/** A run in which the database does not answer more often than this cannot go on. */
const UNANSWERED_MAX = 100;

/** A run of chaos: its folder, its seed, the history of what happened, and the processes. Never killed itself. */
export class Run {
  readonly folder: string;
  readonly seed: number;
  readonly random: Random;
  readonly place: Place;
  readonly store: SqlStore;
  /** Numbers that somebody was told are in. */
  readonly acked = new Set<number>();
  /** Faults of the run itself: processes that ended by themselves and the like. */
  readonly faults: string[] = [];
  /** Processes that could not begin because the database did not answer, and were started again. */
  unanswered = 0;
  readonly #workers = new Set<WorkerProcess>();
  readonly #startedAt = performance.now();
  #spare: Unused[] = [];
  /** Numbers tried by processes that died before they knew. */
  #unknown: number[] = [];
  #lives = 0;

  private constructor(folder: string, seed: number, place: Place, store: SqlStore) {
    this.folder = folder;
    this.seed = seed;
    this.random = seededRandom(seed);
    this.place = place;
    this.store = store;
  }

  /** In a folder that `close` removes, unless something was wrong. */
  static async begin(name: string, seed: number, placeIn: (folder: string) => Place): Promise<Run> {
    const folder = mkdtempSync(join(tmpdir(), `tripwatch-chaos-${name}-`));
    const place = placeIn(folder);
    const store = await openStore(place, { clock: createClock(), logger: silent });
    await makeTables(store);
    const run = new Run(folder, seed, place, store);
    run.note({ what: 'begin', name, seed, place: place.kind });
    return run;
  }

  /** A line of the history. */
  note(event: Readonly<Record<string, unknown>>): void {
    const ms = Math.round(performance.now() - this.#startedAt);
    appendFileSync(join(this.folder, 'history.jsonl'), `${JSON.stringify({ ms, ...event })}\n`);
  }

  /** The first of a series that nobody else brings in. */
  freshNumber(): number {
    return (this.#lives++ + 1) * 100_000;
  }

  /**
   * Starts a process; resolves when its stages run, or when it has died. One whom the database does not answer is started
   * again. `mayEnd`: ending by itself before its stages ran is no fault, for a server that it needs is away.
   */
  async start(orders: Orders, { mayEnd = false } = {}): Promise<WorkerProcess> {
    const life = this.#lives++;
    const { bring, ...rest } = orders;
    const again = bring === undefined ? [] : this.#takeUnknown();
    const full: WorkerOrders = {
      place: this.place,
      seed: this.seed * 1000 + life,
      ...rest,
      ...(bring === undefined ? {} : { bring: { ...bring, again, from: (life + 1) * 100_000 } }),
    };
    const { child } = this.#spare.shift() ?? this.#prepare();
    const worker = new WorkerProcess(child, full, {
      acked: (numbers) => {
        for (const n of numbers) this.acked.add(n);
      },
      died: (unknown, how) => {
        this.#workers.delete(worker);
        this.#unknown.push(...unknown);
        this.note({ what: 'died', life, worker: full.worker.id, how, point: worker.diedAt });
        if (how === 'SIGKILL' || how === 0 || how === UNANSWERED || (mayEnd && worker.readyAt === undefined)) return;
        this.faults.push(`process ${full.worker.id} ended by itself: ${how}`);
      },
    });
    this.#workers.add(worker);
    this.note({ what: 'start', life, worker: full.worker.id, pid: child.pid, point: full.point, again: again.length });
    await worker.ready;
    if (worker.endedAs === UNANSWERED && !mayEnd && this.unanswered < UNANSWERED_MAX) {
      this.unanswered++;
      return this.start(orders);
    }
    this.note({
      what: 'ready',
      life,
      worker: full.worker.id,
      tookMs: Math.round(performance.now() - worker.startedAt),
    });
    return worker;
  }

  /** Loads the modules of processes to come, so that a start takes less. */
  prepare(count: number): void {
    while (this.#spare.length < count) this.#spare.push(this.#prepare());
  }

  /** Waits until every event in the log is done; false: for `stillMs` not one more was. */
  async settled(stillMs: number): Promise<boolean> {
    let fewest = Number.POSITIVE_INFINITY;
    let fewerAt = performance.now();
    for (;;) {
      const left = await outstanding(this.store).catch(() => Number.POSITIVE_INFINITY);
      if (left === 0) {
        this.note({ what: 'settled' });
        return true;
      }
      if (left < fewest) {
        fewest = left;
        fewerAt = performance.now();
      } else if (performance.now() - fewerAt > stillMs) {
        this.faults.push(`stuck: ${left} events are neither done nor dead, and not one more was in ${stillMs} ms`);
        return false;
      }
      await delay(25);
    }
  }

  /** Ends every process in good order. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
  }

  get workers(): ReadonlySet<WorkerProcess> {
    return this.#workers;
  }

  async check(options: Pick<CheckOptions, 'atRest'>): Promise<{ violations: readonly Violation[]; facts: Facts }> {
    const { violations, facts } = await check(this.store, { ...options, acked: this.acked });
    const faults = this.faults.map((what) => ({ what, count: 1, some: [] }));
    const all = [...faults, ...violations];
    this.note({ what: 'checked', violations: all, facts });
    return { violations: all, facts };
  }

  /** `keep`: the folder stays, to be looked at; always with `CHAOS_KEEP=1`. */
  async close(keep: boolean): Promise<void> {
    for (const worker of this.#workers) worker.kill();
    for (const { child } of this.#spare) child.kill('SIGKILL');
    await Promise.all([...this.#workers].map((worker) => worker.died));
    await this.store.close();
    if (!keep && process.env.CHAOS_KEEP === undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Half of what nobody knows about is tried again, as a careful sender would; the other half may or may not be in. */
  #takeUnknown(): readonly number[] {
    const again = this.#unknown.filter((n) => n % 2 === 0);
    this.#unknown = [];
    return again;
  }

  #prepare(): Unused {
    const errors = openSync(join(this.folder, 'stderr'), 'a');
    try {
      const env = { ...process.env, NODE_COMPILE_CACHE: compileCache() };
      return { child: spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', errors], env }) };
    } finally {
      // The child has its own.
      closeSync(errors);
    }
  }
}

interface Unused {
  readonly child: ChildProcess;
}

/** What the run adds by itself: the place (where it is no other), a seed for each life, and numbers of its own. */
export type Orders = Omit<WorkerOrders, 'place' | 'seed' | 'bring'> & {
  readonly place?: Place;
  readonly bring?: Pick<NonNullable<WorkerOrders['bring']>, 'atOnce' | 'everyMs'>;
};

export class WorkerProcess {
  readonly orders: WorkerOrders;
  readonly startedAt = performance.now();
  /** Its stages run, or it has died. */
  readonly ready: Promise<void>;
  readonly died: Promise<void>;
  readyAt: number | undefined;
  /** The named point at which it killed itself. */
  diedAt: string | undefined;
  counts: WorkerCounts | undefined;
  /** Its signal or exit code. */
  endedAs: string | number | null | undefined;
  readonly #child: ChildProcess;
  #alive = true;

  constructor(
    child: ChildProcess,
    orders: WorkerOrders,
    tell: {
      acked(numbers: readonly number[]): void;
      died(unknown: readonly number[], how: string | number | null): void;
    },
  ) {
    this.#child = child;
    this.orders = orders;
    const ready = Promise.withResolvers<void>();
    const died = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.died = died.promise;
    const unknown = new Set<number>();
    const late = setTimeout(() => this.kill(), START_MS);
    let rest = '';
    const hear = (line: string): void => {
      const [word, text = ''] = line.split(/ (.*)/s, 2);
      if (word === 'ready') {
        clearTimeout(late);
        this.readyAt = performance.now();
        ready.resolve();
      } else if (word === 'trying') for (const n of text.split(',')) unknown.add(Number(n));
      else if (word === 'acked') {
        const numbers = text.split(',').map(Number);
        for (const n of numbers) unknown.delete(n);
        tell.acked(numbers);
      } else if (word === 'point') this.diedAt = text;
      else if (word === 'counts') this.counts = JSON.parse(text) as WorkerCounts;
    };
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) hear(line);
    });
    child.stdin!.on('error', () => {});
    child.stdin!.write(`${JSON.stringify(orders)}\n`);
    // After its output has been read.
    child.once('close', (code, signal) => {
      this.#alive = false;
      this.endedAs = signal ?? code;
      clearTimeout(late);
      tell.died([...unknown], this.endedAs);
      ready.resolve();
      died.resolve();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Stands still until `cont`. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  cont(): void {
    this.#child.kill('SIGCONT');
  }

  /** Brings nothing in any more. */
  quiet(): void {
    this.#child.stdin!.write('quiet\n');
  }

  /** SIGTERM; SIGKILL where it does not end. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), STOP_MS);
    await this.died;
    clearTimeout(late);
  }
}

/** Of all runs of one process: starts take a third of the time. */
let cacheFolder: string | undefined;

function compileCache(): string {
  if (cacheFolder !== undefined) return cacheFolder;
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-chaos-cache-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  cacheFolder = folder;
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Fills the compile cache: only a process that ends by itself does. */
export async function warmUp(): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache() },
  });
  child.stdin.end('warm\n');
  await new Promise((resolve) => child.once('exit', resolve));
}
