import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Place } from './back-ends.ts';
import type { Violation } from './check.ts';
import { startLoad } from './load.ts';
import { Run, type WorkerProcess } from './supervisor.ts';

/** How long the work of one who dies, or ends, lies still: with the product's own beats and leases. */
export interface TakeoverPlan {
  readonly name: string;
  readonly seed: number;
  /** Processes killed, and processes stopped in good order. */
  readonly kills: number;
  readonly stops: number;
  readonly place: () => Place;
  readonly progress?: (done: number) => void;
}

export interface Percentiles {
  /** Shards measured. */
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface TakeoverResult {
  readonly violations: readonly Violation[];
  /** Ms from the kill until another had an effect in the shard. */
  readonly killed: Percentiles;
  /** Ms from SIGTERM on. */
  readonly stopped: Percentiles;
  /** Ms from the start of a process until its stages run. */
  readonly started: Percentiles;
  readonly folder: string | undefined;
}

const WORKERS = 3;
const PER_SECOND = 60;
const TAKEN_MS_MAX = 30_000;
/** Until those who came have their share. */
const BALANCE_MS = 4000;
/** Longer than a dead one's leases last. */
const STILL_MS = 30_000;

export async function takeoverRun(plan: TakeoverPlan): Promise<TakeoverResult> {
  const run = await Run.begin(plan.name, plan.seed, plan.place);
  let keep = true;
  try {
    const samples = { killed: [] as number[], stopped: [] as number[], started: [] as number[] };
    let named = 0;
    const startOne = async (): Promise<void> => {
      const id = `w${named++}`;
      const worker = await run.start({ worker: { id, label: id, alone: false }, work: { workMs: 2, failing: 0 } });
      samples.started.push(worker.readyAt! - worker.startedAt);
    };
    for (let i = 0; i < WORKERS; i++) await startOne();
    const load = startLoad(run, PER_SECOND);
    for (let round = 0; round < plan.kills + plan.stops; round++) {
      run.prepare(1);
      await delay(BALANCE_MS + run.random.number() * 1000);
      const how = round < plan.kills ? 'killed' : 'stopped';
      const all = [...run.workers];
      const victim = all[Math.floor(run.random.number() * all.length)]!;
      samples[how].push(...(await endOne(run, victim, how)));
      await startOne();
      plan.progress?.(round + 1);
    }
    await load.stop();
    await run.settled(STILL_MS);
    await run.stopAll();
    const { violations } = await run.check({ atRest: true });
    keep = violations.length > 0;
    return {
      violations,
      killed: percentiles(samples.killed),
      stopped: percentiles(samples.stopped),
      started: percentiles(samples.started),
      folder: keep ? run.folder : undefined,
    };
  } finally {
    await run.close(keep);
  }
}

/** Ms until each shard that was busy has an effect of another. */
async function endOne(run: Run, victim: WorkerProcess, how: 'killed' | 'stopped'): Promise<readonly number[]> {
  const id = victim.orders.worker.id;
  const busy = await run.store.read(async ({ db }) => {
    const { rows } = await sql<{ resource: string }>`SELECT DISTINCT resource FROM chaos_effect
      WHERE owner = ${id} AND at > ${Date.now() - 1500}`.execute(db);
    return rows.map((row) => row.resource);
  });
  run.note({ what: how, worker: id, busy: busy.length });
  const from = Date.now();
  if (how === 'killed') victim.kill();
  else void victim.stop();
  const giveUpAt = from + TAKEN_MS_MAX;
  for (;;) {
    const firsts = await run.store.read(async ({ db }) => {
      const { rows } = await sql<{ resource: string; at: number }>`SELECT resource, min(at) AS at FROM chaos_effect
        WHERE at >= ${from} AND owner <> ${id} GROUP BY resource`.execute(db);
      return new Map(rows.map((row) => [row.resource, Number(row.at)]));
    });
    const waits = busy.flatMap((resource) => firsts.get(resource) ?? []).map((at) => at - from);
    if (waits.length === busy.length) return waits;
    if (Date.now() > giveUpAt) {
      run.faults.push(`${busy.length - waits.length} shards of ${id} were taken by nobody in ${TAKEN_MS_MAX} ms`);
      return waits;
    }
    await delay(50);
  }
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
