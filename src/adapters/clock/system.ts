import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** Longest single timer that Node takes (2^31 − 1 ms). */
const TIMER_MS_MAX = 2_147_483_647;

/** The real clock; or, for the sandbox, one that shows `startAt` at the real instant `anchor` and runs `speed` times as fast. */
export function createClock(options: { speed: number; startAt?: number; anchor?: number } = { speed: 1 }): Clock {
  const { speed } = options;
  const anchor = options.anchor ?? 0;
  const startAt = options.startAt ?? anchor;
  const shifted = speed !== 1 || startAt !== anchor;
  return {
    speed,
    now: () => (shifted ? startAt + (Date.now() - anchor) * speed : Date.now()),
    monotonic: () => performance.now() * speed,
    sleep: async (ms, signal) => {
      let rest = Math.max(0, ms / speed);
      do {
        await delay(Math.min(rest, TIMER_MS_MAX), undefined, { signal });
        rest -= TIMER_MS_MAX;
      } while (rest > 0);
    },
  };
}
