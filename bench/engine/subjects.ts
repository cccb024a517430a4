import { createEngine, type Engine, type Gate, OPEN_GATE } from '../../src/domain/schedule/engine.ts';
import { nextDue } from '../../src/domain/schedule/phase.ts';
import { TIERS } from '../../src/domain/schedule/ready-queue.ts';

/**
 * Many subjects on the engine, and a provider that answers at once: what it says is a number of 64 bits per subject, kept
 * to compare with. As in the tracker, an equal answer only schedules the next question.
 */
export interface Subjects {
  readonly engine: Engine;
  readonly count: number;
  /** Engine, queue and last answers. */
  readonly bytes: number;
  readonly asked: number;
  readonly changes: number;
  /** Of questions since the last reset: how many were late by so many ms, the last one: by that or more. */
  readonly lateness: Float64Array;
  /** What a restart needs, in the order of due times. */
  readonly answers: Uint32Array;
  readonly dues: (into: Float64Array) => void;
  turn(now: number): void;
  reset(): void;
}

export interface SubjectsOptions {
  readonly count: number;
  readonly intervalMs: number;
  /** `due`: slots are in the order of due times, as the tracker gives them out at a take-over. `random`: the worst case. */
  readonly order: 'due' | 'random';
  readonly now: number;
  readonly clock: () => number;
  readonly gate?: Gate;
  /** From a snapshot. */
  readonly from?: { readonly answers: Uint32Array; readonly dues: Float64Array };
}

/** The commonest interval must fit into one turn of the ring: fine ticks for exact times. */
const TICK_MS = 4;
/** One answer in so many says something new. */
const CHANGES = 1_000_000;
const LATENESS_MS_MAX = 1000;

export function createSubjects(options: SubjectsOptions): Subjects {
  const { count, intervalMs, clock } = options;
  const answers = options.from?.answers ?? new Uint32Array(2 * count);
  const lateness = new Float64Array(LATENESS_MS_MAX + 1);
  let asked = 0;
  let changes = 0;
  let sinceLook = 0;
  let time = options.now;

  const engine = createEngine({
    now: options.now,
    gate: options.gate ?? OPEN_GATE,
    tickMs: TICK_MS,
    buckets: Math.ceil((intervalMs * 1.2) / TICK_MS),
    capacity: count,
    hooks: {
      ask: (slot, now) => {
        // The clock is read now and then: a turn may take some ms.
        if (++sinceLook === 256) {
          sinceLook = 0;
          time = clock();
        }
        const dueAt = engine.dueAt(slot)!;
        const late = Math.max(0, Math.trunc((time > now ? time : now) - dueAt));
        lateness[late < LATENESS_MS_MAX ? late : LATENESS_MS_MAX]!++;
        asked++;
        const low = mix(slot + (asked % CHANGES === 0 ? asked : 0));
        const high = low ^ 0x5bd1e995;
        if (answers[2 * slot] !== low >>> 0 || answers[2 * slot + 1] !== high >>> 0) {
          answers[2 * slot] = low;
          answers[2 * slot + 1] = high;
          changes++;
        }
        engine.schedule(slot, nextDue(dueAt, intervalMs, now));
      },
      agedFrom: (slot) => (engine.dueAt(slot) ?? 0) - intervalMs,
      needMs: () => intervalMs,
      tier: () => TIERS.other,
    },
  });

  for (let slot = 0; slot < count; slot++) {
    const due = options.from?.dues[slot];
    const place = options.order === 'due' ? slot + unit(slot) : unit(slot) * count;
    engine.schedule(slot, due ?? options.now + (place / count) * intervalMs);
    if (options.from !== undefined) continue;
    const low = mix(slot);
    answers[2 * slot] = low;
    answers[2 * slot + 1] = low ^ 0x5bd1e995;
  }

  return {
    engine,
    count,
    get bytes() {
      return engine.bytes + answers.byteLength;
    },
    get asked() {
      return asked;
    },
    get changes() {
      return changes;
    },
    lateness,
    answers,
    dues: (into) => {
      for (let slot = 0; slot < count; slot++) into[slot] = engine.dueAt(slot) ?? 0;
    },
    turn: (now) => {
      time = now;
      engine.turn(now);
    },
    reset: () => {
      asked = 0;
      changes = 0;
      lateness.fill(0);
    },
  };
}

function mix(value: number): number {
  let hash = Math.imul(value ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** In [0, 1), by slot. */
function unit(slot: number): number {
  return (mix(slot) >>> 0) / 0x1_0000_0000;
}
