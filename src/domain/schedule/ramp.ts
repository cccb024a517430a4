/**
 * Slow start after an outage: what waited comes back at hardly more than the steady rate in the first minute, and faster
 * and faster then, so that the provider is not felled again by our return, and all is asked within five minutes. Pure.
 */
export interface Ramp {
  /** Begins anew. `perSecond`: the steady rate. */
  begin(now: number, perSecond: number): void;
  /** When the next call may go; `now` or before: at once. */
  admitsAt(now: number): number;
  began(now: number): void;
  readonly isOn: boolean;
}

/** Times the steady rate at first, and after each further minute. Some of the first minute is left to what is urgent. */
const FIRST = 1.12;
const PER_MINUTE = 1.6;
const MINUTE_MS = 60_000;
/** From here on it holds nothing back. */
const OVER_MS = 5 * MINUTE_MS;
/** With a handful of subjects there is no herd. */
const PER_SECOND_MIN = 0.5;

export function createRamp(): Ramp {
  let from = Number.NEGATIVE_INFINITY;
  let steady = 0;
  let nextAt = Number.NEGATIVE_INFINITY;
  let on = false;

  function perSecond(now: number): number {
    const minutes = Math.max(0, Math.floor((now - from) / MINUTE_MS));
    return Math.max(PER_SECOND_MIN, steady * FIRST * PER_MINUTE ** minutes);
  }

  return {
    begin: (now, steadyPerSecond) => {
      from = now;
      steady = steadyPerSecond;
      nextAt = now;
      on = true;
    },
    admitsAt: (now) => {
      if (!on) return now;
      // A clock that was set back must not hold anything back for long.
      if (now - from >= OVER_MS || now < from) {
        on = false;
        return now;
      }
      return nextAt;
    },
    began: (now) => {
      if (on) nextAt = Math.max(nextAt, now - 1000 / perSecond(now)) + 1000 / perSecond(now);
    },
    get isOn() {
      return on;
    },
  };
}
