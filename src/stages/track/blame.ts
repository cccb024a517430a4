import { kindOf, TripwatchError } from '../../domain/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { AccountHealth } from './health.ts';

/** Failed questions: tried again soon, so that one lost answer costs no freshness; the breaker stops what is hopeless. */
export const RETRY = { firstDelayMs: 10_000, factor: 2, delayMsMax: 60_000 };
/** What will not work as asked is still asked now and then: providers mend their data. */
export const PERMANENT = { firstDelayMs: 300_000, factor: 2, delayMsMax: 1_800_000 };

export interface FailedCall {
  readonly operation: string;
  /** What was asked about, for the log. */
  readonly subject?: string;
  readonly error: unknown;
  readonly askedAt: number;
  readonly now: number;
  /** It is only one way of asking: when it is refused, the key may still be good. */
  readonly isOptional: boolean;
}

/**
 * `wait`: refused for now, it waits where it was. `lasting`: it will not work as asked. `again`: it may work later.
 * `forbidden`: this way of asking is not for this account.
 */
export interface Blame {
  readonly verdict: 'wait' | 'lasting' | 'again' | 'forbidden';
  readonly code: string;
  /** To be shown with what was asked. */
  readonly shown: boolean;
}

/** What a failed call means for the account: tells its health, and the operator. */
export function blame(health: AccountHealth, logger: Logger, call: FailedCall): Blame {
  const { operation, error: thrown, askedAt, now } = call;
  const error = thrown instanceof TripwatchError ? thrown : undefined;
  const kind = kindOf(thrown);
  const code = error?.code ?? 'unexpected';
  const fields = { operation, code, kind, ...(call.subject === undefined ? {} : { subject: call.subject }) };
  switch (kind) {
    case 'rate-limited': {
      const until = health.limited(now, operation, askedAt, error?.retryAt);
      logger.warn({ ...fields, waitMs: Math.round(until - now) }, 'provider wants fewer calls');
      return { verdict: 'wait', code, shown: false };
    }
    case 'unauthorised':
      if (call.isOptional) {
        health.unanswerable(operation);
        logger.warn(fields, 'provider refuses this way of asking; others are used');
        return { verdict: 'forbidden', code, shown: false };
      }
      if (health.unauthorised(now, operation, askedAt, error) === 'key') {
        logger.error(fields, 'provider refuses our key; the account rests');
        return { verdict: 'wait', code, shown: true };
      }
      logger.warn(fields, 'provider refuses, after it had just answered: taken for a quota');
      return { verdict: 'wait', code, shown: false };
    case 'permanent':
    case 'poison':
      health.unanswerable(operation);
      logger.warn(fields, 'provider cannot answer this');
      return { verdict: 'lasting', code, shown: true };
    default:
      if (health.broken(now, operation, askedAt, error?.retryAt))
        logger.error(fields, 'provider fails; asking by single probes');
      if (error === undefined) logger.error({ ...fields, error: String(thrown) }, 'question failed');
      else logger.debug(fields, 'question failed');
      return { verdict: 'again', code, shown: true };
  }
}
