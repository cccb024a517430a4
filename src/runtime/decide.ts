import { backoffDelayMs } from '../domain/backoff.ts';
import { describeError, kindOf, TripwatchError } from '../domain/errors.ts';
import { UNAUTHORISED_WAIT_MS } from '../domain/limits.ts';
import type { RetryPolicy } from '../ports/handler.ts';
import type { AttemptRecord } from '../ports/store/log.ts';

/** What to do with an event whose attempt failed. */
export type Decision =
  | { readonly kind: 'retry'; readonly at: number; readonly counts: boolean }
  /** `why` goes to the dead letter's message where it adds something to the error's own. */
  | { readonly kind: 'dead'; readonly why?: string };

export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly firstAt: number;
  readonly now: number;
  readonly history: readonly AttemptRecord[];
}

/** Pure. The error's kind decides; see the table of kinds in docs/errors.md. */
export function decide(error: TripwatchError, failed: FailedAttempt, policy: RetryPolicy, random: number): Decision {
  const { attempt, now, history } = failed;
  switch (error.kind) {
    case 'permanent':
    case 'poison':
      return { kind: 'dead' };
    case 'rate-limited':
      return waitUncounted(failed, policy, error.retryAt ?? now + backoffDelayMs(policy, history.length + 1, random));
    case 'unauthorised':
      return waitUncounted(failed, policy, Math.max(error.retryAt ?? 0, now + UNAUTHORISED_WAIT_MS));
    case 'defect':
      if (history.some((record) => record.kind === 'defect'))
        return { kind: 'dead', why: 'the same event broke an assertion twice' };
      return retryCounted(error, failed, policy, random);
    case 'transient':
    case 'stale':
    case 'cancelled':
      return attempt >= policy.attemptsMax
        ? { kind: 'dead', why: `gave up after ${attempt} attempts` }
        : retryCounted(error, failed, policy, random);
  }
}

function retryCounted(error: TripwatchError, failed: FailedAttempt, policy: RetryPolicy, random: number): Decision {
  const at = failed.now + backoffDelayMs(policy, failed.attempt, random);
  return { kind: 'retry', at: Math.max(at, error.retryAt ?? 0), counts: true };
}

function waitUncounted(failed: FailedAttempt, policy: RetryPolicy, at: number): Decision {
  const age = failed.now - failed.firstAt;
  if (age >= policy.ageMsMax) return { kind: 'dead', why: `still refused after ${Math.round(age / 60_000)} minutes` };
  return { kind: 'retry', at: Math.max(at, failed.now + 1), counts: false };
}

/** Anything thrown, as our error. What is not ours is transient until its attempts run out. */
export function toTripwatchError(error: unknown): TripwatchError {
  if (error instanceof TripwatchError) return error;
  const { code, message } = describeError(error);
  return new TripwatchError(kindOf(error), code, message, { cause: error });
}

/** Another worker has the shard now: this attempt is dropped without a trace, whatever it was about to write. */
export function isLeaseLost(error: unknown): boolean {
  return error instanceof TripwatchError && error.code === 'lease-lost';
}

/** The store refuses work for reasons of its own: no event is to blame, so none is charged. */
export function isStoreFault(error: TripwatchError): boolean {
  return error.kind === 'transient' && error.code.startsWith('store-');
}
