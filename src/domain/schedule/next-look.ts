import { type Asked, askIntervalMs, listedIntervalMs } from './freshness.ts';

/** What is known of a subject where the schedule itself is not at hand: its times and its last answer. */
export interface Looked {
  readonly spec: Asked;
  /** Epoch ms of the last answer. */
  readonly checkedAt: number | undefined;
}

/**
 * When it is asked next at the latest, as promised (epoch ms): what a list of changes covers, and look-ups that mostly say
 * "not ours", are asked more seldom than the account promises. Undefined: at once. A time that has passed means that the
 * calls allow no better, or that nobody asks. Pure.
 */
export function nextLookBy({ spec, checkedAt }: Looked, freshSeconds: number, isListed: boolean, now: number) {
  if (checkedAt === undefined) return spec.fromAt > now ? spec.fromAt : undefined;
  const asked = askIntervalMs({}, freshSeconds);
  const interval = isListed ? listedIntervalMs(spec, freshSeconds, now) : askIntervalMs(spec, freshSeconds);
  // What the promise leaves for waiting, the call itself and the way to the reader.
  return Math.max(spec.fromAt, checkedAt + interval + Math.max(0, freshSeconds * 1000 - asked));
}
