/**
 * How many questions may be out at a provider at the same time. It follows the latency: while answers take about as long
 * as they do at best, one more after the other is tried; where they take longer, the provider queues them, and fewer are
 * sent (a gradient). When it does not answer, half as many (additive increase, multiplicative decrease). Pure values.
 */
export interface Concurrency {
  /** At least 1; whole questions are let through up to it. */
  readonly limit: number;
  /** Answers of the present round: how many, their latencies together, and the most that were out. */
  readonly count: number;
  readonly sumMs: number;
  readonly most: number;
  /** The best latency of the present and of the last span, ms; 0: none yet. A line that gets longer is believed in time. */
  readonly bestMs: number;
  readonly bestBeforeMs: number;
  readonly spanFrom: number;
  /** What began before was cut for already. */
  readonly cutAt: number;
}

/** Latencies up to so many times the best one are no queue. */
const TOLERANCE = 2;
const SMOOTHING = 0.5;
const SPAN_MS = 300_000;
const ROUND_MIN = 4;

export function startConcurrency(max: number): Concurrency {
  const limit = Math.max(1, Math.min(4, max));
  return {
    limit,
    count: 0,
    sumMs: 0,
    most: 0,
    bestMs: 0,
    bestBeforeMs: 0,
    spanFrom: 0,
    cutAt: Number.NEGATIVE_INFINITY,
  };
}

export interface Answered {
  readonly now: number;
  readonly latencyMs: number;
  /** Questions out, with this one. */
  readonly inFlight: number;
}

/** A round of answers moves the limit; up only while it was in use: what was not tried says nothing. */
export function afterSuccess(before: Concurrency, { now, latencyMs, inFlight }: Answered, max: number): Concurrency {
  const next = seen(before, now, Math.max(1, latencyMs));
  const count = next.count + 1;
  const sumMs = next.sumMs + Math.max(1, latencyMs);
  const most = Math.max(next.most, inFlight);
  if (count < Math.max(ROUND_MIN, next.limit)) return { ...next, count, sumMs, most };
  const best = next.bestBeforeMs === 0 ? next.bestMs : Math.min(next.bestMs, next.bestBeforeMs);
  const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * best * count) / sumMs));
  const inUse = most >= Math.floor(next.limit);
  const aim = next.limit * gradient + (inUse ? Math.sqrt(next.limit) : 0);
  const limit = Math.max(1, Math.min(max, next.limit + (aim - next.limit) * SMOOTHING));
  return { ...next, limit, count: 0, sumMs: 0, most: 0 };
}

/** No answer, or one of a provider in trouble. What began before the last cut tells nothing new. */
export function afterOverload(before: Concurrency, now: number, beganAt: number): Concurrency {
  if (beganAt < before.cutAt) return before;
  return { ...before, limit: Math.max(1, Math.floor(before.limit / 2)), count: 0, sumMs: 0, most: 0, cutAt: now };
}

function seen(before: Concurrency, now: number, latencyMs: number): Concurrency {
  const bestMs = before.bestMs === 0 ? latencyMs : Math.min(before.bestMs, latencyMs);
  if (before.spanFrom !== 0 && now >= before.spanFrom && now - before.spanFrom < SPAN_MS) return { ...before, bestMs };
  return { ...before, bestMs: latencyMs, bestBeforeMs: before.bestMs, spanFrom: now };
}
