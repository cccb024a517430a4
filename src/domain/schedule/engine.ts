import { createReadyQueue, type ReadyQueue, TIERS, type Tier } from './ready-queue.ts';
import { createTimingWheel, type TimingWheel } from './timing-wheel.ts';

/**
 * What to ask now: due times (a timing wheel), what is due and waits for a call (in the order of staleness against
 * need), and a gate that says how much may be asked. Pure: the time is given, nothing sleeps. Subjects are small whole
 * numbers (slots) given out by the caller; where all may be asked at once, a due subject goes from the wheel to `ask`
 * and never through the queue.
 */
export interface Engine {
  /** Of its parts, in bytes. */
  readonly bytes: number;
  /** Scheduled, and due and waiting. */
  readonly scheduled: number;
  readonly waiting: number;
  has(slot: number): boolean;
  /** When it is due, or was when it was taken. */
  dueAt(slot: number): number | undefined;
  isWaiting(slot: number): boolean;
  /** Adds or moves to a due time; it no longer waits. */
  schedule(slot: number, dueAt: number): void;
  /** It is due now: it waits for its call, by need, or before everything else. */
  enqueue(slot: number, now: number, tier?: Tier): void;
  drop(slot: number): void;
  /**
   * Takes out up to `max` others that may be asked along with one: those that wait, by need, then those that are due next,
   * until `until` at most. Only those that `accept` says yes to.
   */
  takeAlong(now: number, until: number, max: number, accept: (slot: number) => boolean): readonly number[];
  /** Asks as much as the gate lets through. */
  turn(now: number): void;
  /** When a turn may do something by time alone; undefined: not before something else happens. `shut`: the gate is. */
  nextAt(now: number, shut?: boolean): number | undefined;
  /** Age over need of the most stale one that waits. */
  worst(now: number): number;
  /** Takes out all that wait. */
  clearWaiting(): readonly number[];
}

/** How much may be asked. What a question costs may differ by `slot`. */
export interface Gate {
  /** At least so many may enter now, of any tier; Infinity: any number. */
  room(now: number): number;
  /** Takes a place and a call if there is one. The last of a budget are for what is urgent and imminent. */
  enter(now: number, tier: Tier, slot: number): boolean;
  /** When `enter` may succeed by time alone; undefined: only when an answer comes in. */
  entersAt(now: number, tier: Tier, slot: number): number | undefined;
}

/** A gate for questions that all cost the same. */
export interface PlainGate extends Gate {
  enter(now: number, tier: Tier): boolean;
  entersAt(now: number, tier: Tier): number | undefined;
}

/** What the engine wants to know about subjects, and what it does. */
export interface EngineHooks {
  /** Its time has come. False: it is not to be asked (its time is over), and the caller has seen to it. */
  due?(slot: number, now: number): boolean;
  /** Begins to ask. The slot is neither scheduled nor waiting; the caller schedules it when it is answered. */
  ask(slot: number, now: number): void;
  /** Since when its answer ages, what age is bearable, and what it may use of the budget. */
  agedFrom(slot: number): number;
  needMs(slot: number, now: number): number;
  tier(slot: number, now: number): Tier;
}

export interface EngineOptions {
  readonly now: number;
  readonly gate: Gate;
  readonly hooks: EngineHooks;
  readonly tickMs?: number;
  readonly buckets?: number;
  readonly capacity?: number;
  /** Taken from the wheel in one go. */
  readonly batch?: number;
}

/** Due subjects taken in one turn at most, in batches: a turn must not hold the process for long. */
const BATCHES_MAX = 16;
const BATCH = 8192;
/** Waiting ones that are passed over while others are looked for to go along with one. */
const PASSED_MAX = 256;

export function createEngine(options: EngineOptions): Engine {
  const { gate, hooks } = options;
  const wheel: TimingWheel = createTimingWheel(options);
  const ready: ReadyQueue = createReadyQueue(options.capacity);
  const batch = new Uint32Array(options.batch ?? BATCH);

  function add(slot: number, now: number, tier: Tier): void {
    ready.add(slot, hooks.agedFrom(slot), hooks.needMs(slot, now), tier);
  }

  /** What has become due: asked at once where nobody waits and there is room for all, else in the order of need. */
  function takeDue(now: number): void {
    for (let turns = 0; turns < BATCHES_MAX; turns++) {
      const count = wheel.popDue(now, batch);
      const direct = ready.size === 0 && gate.room(now) >= count;
      for (let i = 0; i < count; i++) {
        const slot = batch[i]!;
        if (hooks.due !== undefined && !hooks.due(slot, now)) continue;
        if (direct && gate.enter(now, TIERS.other, slot)) hooks.ask(slot, now);
        else add(slot, now, hooks.tier(slot, now));
      }
      if (count < batch.length) return;
    }
  }

  function drain(now: number): void {
    let tierMax: Tier = TIERS.other;
    for (;;) {
      const slot = ready.peek(now, tierMax);
      if (slot < 0) return;
      const tier = ready.tierOf(slot);
      if (gate.enter(now, tier, slot)) {
        ready.remove(slot);
        hooks.ask(slot, now);
      } else if (tier === TIERS.other) {
        // What is left of the budget may be kept for those whose trip is about to start.
        tierMax = TIERS.imminent;
      } else return;
    }
  }

  return {
    get bytes() {
      return wheel.bytes + ready.bytes + batch.byteLength;
    },
    get scheduled() {
      return wheel.size;
    },
    get waiting() {
      return ready.size;
    },
    has: (slot) => wheel.has(slot),
    dueAt: (slot) => wheel.dueAt(slot),
    isWaiting: (slot) => ready.has(slot),
    schedule: (slot, dueAt) => {
      if (ready.size > 0) ready.remove(slot);
      wheel.reschedule(slot, dueAt);
    },
    enqueue: (slot, now, tier) => {
      wheel.remove(slot);
      add(slot, now, tier ?? hooks.tier(slot, now));
    },
    drop: (slot) => {
      wheel.remove(slot);
      ready.remove(slot);
    },
    takeAlong: (now, until, max, accept) => {
      const taken: number[] = [];
      const passed: [slot: number, tier: Tier][] = [];
      while (taken.length < max && passed.length < PASSED_MAX) {
        const slot = ready.peek(now);
        if (slot < 0) break;
        const tier = ready.tierOf(slot);
        ready.remove(slot);
        if (accept(slot)) taken.push(slot);
        else passed.push([slot, tier]);
      }
      for (const [slot, tier] of passed) add(slot, now, tier);
      if (taken.length < max) taken.push(...wheel.takeSoonest(until, max - taken.length, accept));
      return taken;
    },
    turn: (now) => {
      takeDue(now);
      if (ready.size > 0) drain(now);
    },
    nextAt: (now, shut = false) => {
      const due = wheel.nextDueAt() ?? Number.POSITIVE_INFINITY;
      let enters = Number.POSITIVE_INFINITY;
      for (const tierMax of [TIERS.other, TIERS.imminent] as const) {
        const slot = ready.peek(now, tierMax);
        if (slot >= 0 && !shut)
          enters = Math.min(enters, gate.entersAt(now, ready.tierOf(slot), slot) ?? Number.POSITIVE_INFINITY);
      }
      const next = Math.min(due, enters);
      return next === Number.POSITIVE_INFINITY ? undefined : next;
    },
    worst: (now) => ready.worst(now),
    clearWaiting: () => ready.clear(),
  };
}

/** A gate that is always open, for what has no limits. */
export const OPEN_GATE: Gate = {
  room: () => Number.POSITIVE_INFINITY,
  enter: () => true,
  entersAt: (now) => now,
};
