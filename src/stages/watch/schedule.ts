import { type Backoff, backoffDelayMs } from '../../domain/backoff.ts';
import { describeError, kindOf, TripwatchError } from '../../domain/errors.ts';
import type { Watch, WatchStanding } from '../../ports/store/watches.ts';

/** When a mailbox is looked at next, and how it stands: pure. All times in ms of the clock. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What nobody tells is found by looking: independent of push, and never further apart than ten minutes. */
export const SWEEP_MS = { told: [8 * MINUTE, 10 * MINUTE], alone: [2 * MINUTE, 4 * MINUTE] } as const;
/** After a failure that may mend itself. */
export const RETRY: Backoff = { firstDelayMs: 1000, factor: 2, delayMsMax: 5 * MINUTE };
/** Only a person can mend it: their change is taken up at once, so these only find out what was mended elsewhere. */
const NEEDS_YOU_MS = [HOUR, 6 * HOUR, 24 * HOUR] as const;
/** However long a server wants us to wait. */
const LIMITED_MS_MAX = 6 * HOUR;
/** Failures in a row before it is called unreachable: one lost connection is nothing to tell. */
const UNREACHABLE_AFTER = 2;

/** Until the next look, where all is well. `told`: the mailbox says by itself when something comes. */
export function sweepMs(told: boolean, random: number): number {
  const [least, most] = SWEEP_MS[told ? 'told' : 'alone'];
  return least + random * (most - least);
}

export interface Failure {
  readonly kind: 'store' | 'lost' | 'needs-you' | 'limited' | 'transient';
  readonly at: number;
  readonly standing?: WatchStanding;
}

/** What follows from a failed look. `failures`: in a row, this one too. */
export function failureOf(error: unknown, failures: number, now: number, random: number): Failure {
  const { code, message } = describeError(error);
  const later = now + backoffDelayMs(RETRY, failures, random);
  if (code === 'lease-lost') return { kind: 'lost', at: later };
  if (code.startsWith('store-')) return { kind: 'store', at: later };
  switch (kindOf(error)) {
    case 'unauthorised':
    case 'permanent': {
      const wait = NEEDS_YOU_MS[Math.min(failures, NEEDS_YOU_MS.length) - 1]!;
      return {
        kind: 'needs-you',
        at: now + wait * (1 + random / 10),
        standing: { state: 'needs-you', reasonCode: code, reason: message },
      };
    }
    case 'rate-limited': {
      const until = error instanceof TripwatchError ? (error.retryAt ?? later) : later;
      // A little later than told, and not all at one moment.
      return { kind: 'limited', at: Math.min(Math.max(until, now + 1000) + random * 1000, now + LIMITED_MS_MAX) };
    }
    default:
      return {
        kind: 'transient',
        at: later,
        ...(failures < UNREACHABLE_AFTER
          ? {}
          : { standing: { state: 'unreachable', reasonCode: code, reason: message } as const }),
      };
  }
}

/** How a mailbox stands that was just read to its end. */
export function standingOf({ backfillDone }: Pick<Watch, 'backfillDone'>): WatchStanding {
  return backfillDone
    ? { state: 'watching', reasonCode: 'watching', reason: 'New mails are read as they come.' }
    : {
        state: 'backfilling',
        reasonCode: 'backfilling',
        reason: 'New mails are read as they come; the older ones are being read, newest first.',
      };
}
