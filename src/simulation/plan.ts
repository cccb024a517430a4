import type { Rng } from '../sandbox/random.ts';
import { HOUR, MINUTE } from '../sandbox/scenario/types.ts';
import type { Streams } from './streams.ts';

/** A stretch of virtual time, from the start of the run, ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Everything about a run that its seed decides beforehand. Rates are chances in [0, 1] for each occasion. */
export interface Plan {
  readonly seed: number;
  readonly hours: number;
  readonly speed: number;
  readonly travellers: number;
  readonly flights: number;
  readonly broker: 'memory' | 'sqlite';
  /** A rule of the first traveller that keeps mails of one company unread. */
  readonly rule: boolean;
  readonly store: {
    /** Refused before anything was done. */
    readonly busy: number;
    /** All was done, and undone. */
    readonly refused: number;
    /** Done and durable, and the answer says that it failed. */
    readonly unknown: number;
    /** The process is killed at a call, before the work or after its commit. */
    readonly crash: number;
    /** Longest wait for an ordinary answer, ms, and the chance of a slow one. */
    readonly answerMsMax: number;
    readonly slow: number;
  };
  readonly delivery: { readonly duplicate: number; readonly loseAck: number; readonly reorderKeys: boolean };
  /** Ms from the start: killed, or stopped in good order, and started again. */
  readonly crashes: readonly number[];
  readonly restarts: readonly number[];
  readonly provider: {
    readonly walls: readonly Window[];
    readonly outages: readonly Window[];
    readonly slow: number;
    readonly fail: number;
    /** Answers about something else, as garbage, and with an older state. */
    readonly other: number;
    readonly garbage: number;
    readonly stale: number;
    /** Calls a minute before it says 429 by itself. */
    readonly callsPerMinuteMax: number;
  };
  readonly receiver: {
    readonly fail: number;
    readonly busy: number;
    readonly hang: number;
    /** Taken, but the answer never arrives. */
    readonly lost: number;
    readonly outages: readonly Window[];
  };
  readonly extractor: { readonly busy: number; readonly hang: number; readonly poison: number };
  readonly mail: { readonly repeat: number; readonly late: number; readonly junk: number };
}

export interface PlanOptions {
  /** Length of the phase with faults, at least 6. */
  readonly hours?: number;
}

/** Draws a plan. Each kind of fault is left out by half of the seeds, so that the others are seen without it. */
export function planOf(seed: number, streams: Streams, options: PlanOptions = {}): Plan {
  const draw = streams('plan');
  const hours = options.hours ?? draw.int(6, 10);
  const length = hours * HOUR;
  const rate = (max: number): number => (draw.chance(0.5) ? draw.number() * max : 0);
  const windows = (count: number, minutes: number): readonly Window[] =>
    draw.chance(0.5) ? Array.from({ length: draw.int(1, count) }, () => windowOf(draw, length, minutes)) : [];
  const moments = (count: number): readonly number[] =>
    draw.chance(0.5)
      ? Array.from({ length: draw.int(1, count) }, () => Math.floor(draw.number() * length)).sort((a, b) => a - b)
      : [];
  return {
    seed,
    hours,
    speed: draw.pick([60, 120, 240]),
    travellers: draw.int(1, 4),
    flights: draw.int(2, 6),
    broker: draw.pick(['memory', 'sqlite'] as const),
    rule: draw.chance(0.3),
    store: {
      busy: rate(0.05),
      refused: rate(0.05),
      unknown: rate(0.05),
      crash: rate(0.01),
      answerMsMax: draw.pick([1, 20, 2000]),
      slow: rate(0.02),
    },
    delivery: { duplicate: rate(0.2), loseAck: rate(0.2), reorderKeys: draw.chance(0.5) },
    crashes: moments(8),
    restarts: moments(3),
    provider: {
      walls: windows(3, 20),
      outages: windows(3, 30),
      slow: rate(0.1),
      fail: rate(0.1),
      other: rate(0.05),
      garbage: rate(0.05),
      stale: rate(0.05),
      callsPerMinuteMax: draw.pick([3, 30, 300]),
    },
    receiver: {
      fail: rate(0.3),
      busy: rate(0.2),
      hang: rate(0.1),
      lost: rate(0.2),
      outages: windows(2, 120),
    },
    extractor: { busy: rate(0.4), hang: rate(0.05), poison: rate(0.3) },
    mail: { repeat: rate(0.3), late: rate(0.3), junk: rate(0.2) },
  };
}

function windowOf(draw: Rng, length: number, minutesMax: number): Window {
  const from = Math.floor(draw.number() * length);
  return { from, to: Math.min(length, from + draw.int(1, minutesMax) * MINUTE) };
}

export function inside(windows: readonly Window[], at: number): boolean {
  return windows.some((window) => at >= window.from && at < window.to);
}

/** The faults of a plan in a few words, for a person who looks at a failing seed. */
export function describePlan(plan: Plan): string {
  const said: string[] = [`broker ${plan.broker}`, `speed ${plan.speed}`, `${plan.hours} h`];
  for (const [part, values] of Object.entries(plan)) {
    if (typeof values !== 'object') continue;
    for (const [name, value] of Object.entries(Array.isArray(values) ? { times: values } : values)) {
      if (value === 0 || value === false || (Array.isArray(value) && value.length === 0)) continue;
      const shown = Array.isArray(value)
        ? `×${value.length}`
        : typeof value === 'number'
          ? Number(value.toFixed(3))
          : value;
      said.push(`${part}.${name} ${shown}`);
    }
  }
  return said.join(', ');
}
