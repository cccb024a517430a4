import { setTimeout as delay } from 'node:timers/promises';
import { type Place, withFewShards } from './back-ends.ts';
import type { Facts, Violation } from './check.ts';
import { POINTS, type Point, type PointName, RELAY_POINTS, SHARED_POINTS } from './points.ts';
import { type Orders, Run, type WorkerProcess } from './supervisor.ts';

/** kill -9 at random moments and at named points, of one process after the other and of all at once. */
export interface KillPlan {
  readonly name: string;
  readonly seed: number;
  readonly kills: number;
  readonly place: (folder: string) => Place;
  /** After so long no more kills, on a machine that is busy with other things. */
  readonly withinMs?: number;
  /** A guarantee left out, to see that the checks find out. */
  readonly broken?: 'unmarked';
  /** False: the folder goes in any case. */
  readonly keep?: boolean;
  /** Called with the number of kills so far. */
  readonly progress?: (kills: number) => void;
}

export interface KillResult {
  readonly violations: readonly Violation[];
  readonly facts: Facts & { readonly acked: number };
  readonly kills: number;
  /** False where the time was up before all kills were done and at each point some process had died. */
  readonly complete: boolean;
  /** How often a process killed itself at each point; those that were never come by are 0. */
  readonly points: Readonly<Record<string, number>>;
  /** Processes that were killed before their stages ran, and all at once. */
  readonly early: number;
  /** Starts that the database did not answer, on a machine that is busy with other things. */
  readonly unanswered: number;
  readonly reboots: number;
  /** Kept where something was wrong. */
  readonly folder: string | undefined;
}

/** Short, so that work is taken over many times in a run. */
const LEASE_MS = 2000;
const BEAT_MS = 250;
/** A random kill comes at most so long after the start. */
const LIVE_MS_MAX = 400;
/** One that does not come by its point is killed where it is. */
const POINT_MS_MAX = 4000;
/** Work is handed over only when another process comes. */
const SELDOM_MS_MAX = 8000;
const SELDOM = /hand-over|release/;
/** Longer than a dead one's leases last. */
const STILL_MS = 30_000;
/** All processes at once, every so many kills. */
const REBOOT_EVERY = 25;
/** Of the kills that were planned, so many more at most where a point was not come by yet. */
const MORE_KILLS_SHARE = 0.5;

export async function killRun(plan: KillPlan): Promise<KillResult> {
  const run = await Run.begin(plan.name, plan.seed, (folder) => withFewShards(plan.place(folder)));
  let keep = true;
  try {
    const slots = run.place.kind === 'sqlite' ? 1 : 3;
    const killing = new Killing(run, plan, slots);
    await Promise.all(Array.from({ length: slots }, (_, slot) => killing.slot(slot)));
    // From here on nobody is killed; what senders do not know of they try again.
    run.prepare(0);
    await Promise.all(Array.from({ length: slots }, (_, slot) => run.start(killing.orders(slot, undefined, true))));
    await delay(50);
    for (const worker of run.workers) worker.quiet();
    await run.settled(plan.broken === undefined ? STILL_MS : 500);
    await run.stopAll();
    const { violations, facts } = await run.check({ atRest: true });
    keep = violations.length > 0 && plan.keep !== false;
    const { kills, complete, points, early, reboots } = killing;
    return {
      ...{ violations, kills, complete, points, early, reboots },
      unanswered: run.unanswered,
      facts: { ...facts, acked: run.acked.size },
      folder: keep ? run.folder : undefined,
    };
  } finally {
    await run.close(keep);
  }
}

class Killing {
  kills = 0;
  early = 0;
  reboots = 0;
  readonly points: Record<string, number> = {};
  readonly #run: Run;
  readonly #plan: KillPlan;
  readonly #slots: number;
  readonly #names: readonly PointName[];
  readonly #endAt: number;
  readonly #tried = new Map<PointName, number>();
  #lives = 0;

  constructor(run: Run, plan: KillPlan, slots: number) {
    this.#run = run;
    this.#plan = plan;
    this.#slots = slots;
    this.#endAt = performance.now() + (plan.withinMs ?? Number.POSITIVE_INFINITY);
    this.#names = [...POINTS, ...(slots > 1 ? SHARED_POINTS : []), ...(run.place.kind === 'nats' ? RELAY_POINTS : [])];
    for (const name of this.#names) this.points[name] = 0;
  }

  /** All kills are done, and at each point some process has died or had its chances. */
  get complete(): boolean {
    const { kills } = this.#plan;
    if (this.kills < kills) return false;
    return this.kills >= kills * (1 + MORE_KILLS_SHARE) || this.#names.every((name) => this.points[name]! > 0);
  }

  /** One place of work: process after process, until all kills are done. */
  async slot(slot: number): Promise<void> {
    const { random } = this.#run;
    while (!this.complete && performance.now() < this.#endAt) {
      const life = this.#lives++;
      const point = life % 2 === 1 || this.kills >= this.#plan.kills ? this.#nextPoint() : undefined;
      const starting = this.#run.start(this.orders(slot, point));
      this.#run.prepare(1);
      const early = life % 10 === 8 && point === undefined;
      if (early) {
        await delay(random.number() * 120);
        for (const worker of this.#run.workers) if (worker.orders.worker.label === `slot ${slot}`) worker.kill();
      }
      const worker = await starting;
      if (early) this.early++;
      else await this.#live(worker, point);
      await worker.died;
      this.kills++;
      if (worker.diedAt !== undefined) this.points[worker.diedAt]!++;
      if (this.kills % REBOOT_EVERY === 0) this.#reboot();
      this.#plan.progress?.(this.kills);
    }
  }

  /** `last`: one that is not killed any more. */
  orders(slot: number, point: Point | undefined, last = false): Orders {
    const { random } = this.#run;
    const alone = this.#run.place.kind === 'sqlite';
    // Half of them are known again when they come back, as one of a stateful set is; the others are new.
    const id = random.number() < 0.5 || alone ? `w${slot}` : `w${slot}-${this.#lives}`;
    return {
      worker: { id, label: `slot ${slot}`, alone, leaseMs: LEASE_MS, beatMs: BEAT_MS },
      work: { workMs: 4, failing: alone ? 8 : 2 },
      bring: this.#slots === 1 ? { atOnce: 5, everyMs: 5 } : { atOnce: 3, everyMs: 40 },
      ...(this.#plan.broken === undefined ? {} : { broken: this.#plan.broken }),
      ...(point === undefined || last ? {} : { point }),
    };
  }

  async #live(worker: WorkerProcess, point: Point | undefined): Promise<void> {
    const longest = this.#longest(point);
    const ending = new AbortController();
    await Promise.race([worker.died, delay(longest, undefined, { signal: ending.signal }).catch(() => undefined)]);
    ending.abort();
    worker.kill();
  }

  #longest(point: Point | undefined): number {
    if (point === undefined) return this.#run.random.number() ** 2 * LIVE_MS_MAX;
    return SELDOM.test(point.name) ? SELDOM_MS_MAX : POINT_MS_MAX;
  }

  /** The one that the fewest have died at, or tried to. */
  #nextPoint(): Point {
    const weight = (name: PointName) => this.points[name]! * 2 + (this.#tried.get(name) ?? 0);
    const name = this.#names.reduce((least, one) => (weight(one) < weight(least) ? one : least));
    this.#tried.set(name, (this.#tried.get(name) ?? 0) + 1);
    const once = SELDOM.test(name) || /beat|take|cursor|relay|dead letter/.test(name);
    return { name, passes: once ? 1 : 1 + Math.floor(this.#run.random.number() * 6) };
  }

  /** As when the machine goes down. */
  #reboot(): void {
    if (this.#run.workers.size < 2) return;
    this.reboots++;
    this.#run.note({ what: 'all at once' });
    for (const worker of this.#run.workers) worker.kill();
  }
}
