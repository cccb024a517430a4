import { setTimeout as delay } from 'node:timers/promises';
import { type Place, withFewShards } from './back-ends.ts';
import type { Facts, Violation } from './check.ts';
import { startLoad } from './load.ts';
import { Run, type WorkerProcess } from './supervisor.ts';

/**
 * Processes that stand still past their lease (SIGSTOP: a long collection of garbage, a paused machine) and go on as if
 * nothing had happened, with work in their hands that others have taken meanwhile.
 */
export interface FreezePlan {
  readonly name: string;
  readonly seed: number;
  readonly stops: number;
  readonly place: () => Place;
  readonly broken?: 'unfenced';
  readonly progress?: (stops: number) => void;
}

export interface FreezeResult {
  readonly violations: readonly Violation[];
  readonly facts: Facts;
  readonly stops: number;
  /** Stops during which others took work of the one that stood still. */
  readonly overtaken: number;
  /** Of those, stops after which it tried to write what it had in its hands. */
  readonly lateStops: number;
  /** Late writes tried and refused: effects of stages, and what the broker keeps. */
  readonly lateEffects: number;
  readonly lateWrites: number;
  readonly folder: string | undefined;
}

const WORKERS = 4;
const LEASE_MS = 1200;
const BEAT_MS = 200;
/** Longer than PostgreSQL lets a transaction of one who does nothing stand, and the lease after it. */
const TAKEN_MS_MAX = 15_000;
/** For the one that goes on to find out. */
const WAKE_MS = 400;
/** Longer than a dead one's leases last. */
const STILL_MS = 30_000;

export async function freezeRun(plan: FreezePlan): Promise<FreezeResult> {
  const run = await Run.begin(plan.name, plan.seed, () => withFewShards(plan.place()));
  let keep = true;
  try {
    for (let i = 0; i < WORKERS; i++) {
      await run.start({
        worker: { id: `w${i}`, label: `w${i}`, alone: false, leaseMs: LEASE_MS, beatMs: BEAT_MS },
        work: { workMs: 120, failing: 2 },
        ...(plan.broken === undefined ? {} : { broken: plan.broken }),
      });
    }
    const load = startLoad(run, 100);
    const workers = [...run.workers];
    let stops = 0;
    let overtaken = 0;
    let lateStops = 0;
    await delay(LEASE_MS);
    while (stops < plan.stops) {
      // Two of four at a time: they hold half of the work.
      const first = Math.floor(run.random.number() * WORKERS);
      const victims = [workers[first]!, workers[(first + 1 + Math.floor(run.random.number() * 3)) % WORKERS]!];
      const results = await Promise.all(victims.map((victim) => freezeOnce(run, victim)));
      stops += results.length;
      overtaken += results.filter((result) => result !== 'kept').length;
      lateStops += results.filter((result) => result === 'late').length;
      plan.progress?.(stops);
    }
    await load.stop();
    if (plan.broken === undefined) await run.settled(STILL_MS);
    await run.stopAll();
    const { violations, facts } = await run.check({ atRest: plan.broken === undefined });
    keep = violations.length > 0 && plan.broken === undefined;
    const sum = (count: 'lateEffects' | 'lateWrites') =>
      workers.reduce((all, worker) => all + (worker.counts?.[count] ?? 0), 0);
    return {
      ...{ violations, facts, stops, overtaken, lateStops },
      ...{ lateEffects: sum('lateEffects'), lateWrites: sum('lateWrites') },
      folder: keep ? run.folder : undefined,
    };
  } finally {
    await run.close(keep);
  }
}

/** `kept`: nobody took its work. `quiet`: it had nothing in its hands. `late`: it tried to write and was refused. */
async function freezeOnce(run: Run, victim: WorkerProcess): Promise<'kept' | 'quiet' | 'late'> {
  const id = victim.orders.worker.id;
  const before = lateOf(victim);
  await delay(run.random.number() * 100);
  victim.freeze();
  run.note({ what: 'frozen', worker: id });
  const held = await heldBy(run, id);
  const giveUpAt = performance.now() + TAKEN_MS_MAX;
  let taken = 0;
  while (taken === 0 && performance.now() < giveUpAt) {
    await delay(10);
    const now = await tokens(run);
    taken = [...held].filter(([resource, token]) => now.get(resource)! > token).length;
  }
  // At once, when those who took the work have hardly begun; or when they are well under way.
  if (run.random.number() < 0.5) await delay(run.random.number() * 300);
  run.note({ what: 'goes on', worker: id, held: held.size, taken });
  victim.cont();
  await delay(WAKE_MS);
  if (taken === 0) return 'kept';
  return lateOf(victim) > before ? 'late' : 'quiet';
}

function lateOf(worker: WorkerProcess): number {
  return (worker.counts?.lateEffects ?? 0) + (worker.counts?.lateWrites ?? 0);
}

async function heldBy(run: Run, owner: string): Promise<ReadonlyMap<string, number>> {
  const { leases } = await run.store.read((tx) => tx.leases.survey());
  return new Map(leases.flatMap((lease) => (lease.owner === owner ? [[lease.resource, lease.token] as const] : [])));
}

async function tokens(run: Run): Promise<ReadonlyMap<string, number>> {
  const { leases } = await run.store.read((tx) => tx.leases.survey());
  return new Map(leases.map((lease) => [lease.resource, lease.token]));
}
