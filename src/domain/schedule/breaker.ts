/**
 * Circuit breaker of a provider account: after failures in a row it stops asking, and finds out by single probes when
 * the provider is back. Pure transitions over a value.
 *
 *   closed ──failures in a row──► open ──its wait is over──► probing ──success──► closed
 *                                   ▲                          │
 *                                   └──failure, or no word─────┘
 *
 * Every state is left: `open` by time alone; `probing` by the probe's result or, should that never come, by time; and
 * from `open` every probe that succeeds leads to `closed`.
 */
export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number; readonly round: number }
  | { readonly state: 'probing'; readonly since: number; readonly round: number };

export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  readonly openMsFirst: number;
  readonly openMsMax: number;
  /** A probe without a word for so long counts as failed. */
  readonly probeMsMax: number;
}

/** A provider that comes back is found out within half a minute: the freshness promise is ten times that. */
export const BREAKER_POLICY: BreakerPolicy = {
  failuresMax: 5,
  openMsFirst: 5_000,
  openMsMax: 30_000,
  probeMsMax: 60_000,
};

export const CLOSED: Breaker = { state: 'closed', failures: 0 };

/** May a question be asked now? The breaker that comes back must be kept: it remembers that a probe is out. */
export function admit(
  breaker: Breaker,
  now: number,
  policy: BreakerPolicy = BREAKER_POLICY,
): { readonly admitted: boolean; readonly breaker: Breaker } {
  switch (breaker.state) {
    case 'closed':
      return { admitted: true, breaker };
    case 'open':
      // A clock that was set back must not keep it open for longer than the longest wait.
      return now >= breaker.until || breaker.until - now > policy.openMsMax
        ? { admitted: true, breaker: { state: 'probing', since: now, round: breaker.round } }
        : { admitted: false, breaker };
    case 'probing':
      return Math.abs(now - breaker.since) >= policy.probeMsMax
        ? { admitted: true, breaker: { ...breaker, since: now } }
        : { admitted: false, breaker };
  }
}

/** Time at which `admit` will say yes without any further word. */
export function admitsAt(breaker: Breaker, now: number, policy: BreakerPolicy = BREAKER_POLICY): number {
  if (breaker.state === 'closed') return now;
  return breaker.state === 'open' ? breaker.until : breaker.since + policy.probeMsMax;
}

export function succeeded(_breaker: Breaker): Breaker {
  return CLOSED;
}

/** `jitter` in [0, 1) shortens the wait by up to a quarter, so that many processes do not probe together. */
export function failed(breaker: Breaker, now: number, jitter: number, policy: BreakerPolicy = BREAKER_POLICY): Breaker {
  if (breaker.state === 'open') return breaker;
  if (breaker.state === 'closed' && breaker.failures + 1 < policy.failuresMax)
    return { state: 'closed', failures: breaker.failures + 1 };
  const round = breaker.state === 'probing' ? breaker.round + 1 : 1;
  const wait = Math.min(policy.openMsMax, policy.openMsFirst * 2 ** Math.min(round - 1, 20));
  return { state: 'open', until: now + wait * (1 - jitter / 4), round };
}

/** After a restart: what was open is half-open, whatever time it had left; the first question is the probe. */
export function restored(breaker: Breaker, now: number): Breaker {
  return breaker.state === 'closed' ? CLOSED : { state: 'open', until: now, round: breaker.round };
}
