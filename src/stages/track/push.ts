import { TripwatchError } from '../../domain/errors.ts';
import { derivedId, type SubjectId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { PushRequest } from '../../ports/provider.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { Store, Tx } from '../../ports/store.ts';
import type { TrackedAccount } from './account.ts';
import { subjectIdOf } from './subject.ts';

/** As the API wants it: see ApiDeps.push. */
export type PushAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface PushDeskParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accounts: readonly Pick<TrackedAccount, 'account' | 'connector'>[];
  /** Stored: these are to be asked now, by whoever asks about them. */
  readonly onWoken: (ids: readonly SubjectId[]) => void;
}

export type PushDesk = (account: string, request: PushRequest) => Promise<PushAnswer | undefined>;

/** Real time: a provider has its answer within a second, or is to send it again. */
const STORE_MS_MAX = 900;
/** Reservations of a booking whose other subjects are looked at: a group, not a crowd. */
const FOLLOWERS_MAX = 20;

/**
 * Takes pushed messages: verified by the connector, then stored, then answered. The same transaction takes note of the
 * message, so that it counts once for all processes, and wakes the subjects that it is about, with the reason: whoever
 * asks about them asks now, in whatever process and after whatever restart. What the vendor signs is read before all
 * else; what nobody signs is only a hint. A hint about a subject that nobody follows is accepted and forgotten. Errors of
 * an answer: transient `store-busy` and others of the store; then the provider repeats it. Undefined: no such account.
 */
export function createPushDesk(parts: PushDeskParts): PushDesk {
  const { store, clock, logger, accounts } = parts;

  return async (account, request) => {
    const tracked = accounts.find((one) => one.account === account);
    if (tracked === undefined) return undefined;
    const { connector } = tracked;
    if (connector.receivePush === undefined) {
      return {
        kind: 'refused',
        code: 'push-not-configured',
        message: `Account "${account}" takes no pushed messages.`,
      };
    }
    const verdict = connector.receivePush(request);
    if (verdict.kind === 'refused') return verdict;
    const signed = connector.capabilities.push === 'signed';
    const storing = store
      .transact(async (tx) => {
        const named = await activeOf(
          tx,
          verdict.wakes.map((id) => subjectIdOf(account, id)),
        );
        if (named.length === 0 && !signed) return [];
        const id = derivedId('ntc', verdict.pushId);
        if (!(await tx.notices.take(account, id, signed, clock.now()))) return [];
        const ids = named.map((one) => one.id);
        const related = await relatedTo(tx, accounts, tracked, named, clock.now());
        await tx.subjects.wake(ids, signed ? 'push' : 'hint');
        await tx.subjects.wake(related, 'related');
        return [...ids, ...related];
      })
      .then((ids) => {
        if (ids.length > 0) parts.onWoken(ids);
      });
    const waiting = new AbortController();
    try {
      await Promise.race([storing, tooLate(clock, waiting.signal)]);
    } catch (error) {
      logger.warn({ account, error: String(error) }, 'a pushed message could not be stored in time; it is sent again');
      // Should it be stored later, its repeat is known.
      storing.catch(() => {});
      throw error;
    } finally {
      waiting.abort();
    }
    return { kind: 'accepted' };
  };
}

async function tooLate(clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(STORE_MS_MAX * clock.speed, signal);
  throw new TripwatchError(
    'transient',
    'store-busy',
    `The store did not take the message within ${STORE_MS_MAX} ms; send it again.`,
  );
}

async function activeOf(tx: Tx, ids: readonly SubjectId[]): Promise<readonly Subject[]> {
  return (await tx.subjects.some(ids)).filter((one) => one.state === 'active');
}

/**
 * What a message is also about, under other accounts: of a booking, all else that its reservations follow (the status of
 * its flights, the same booking elsewhere); of a flight, the same flight. Never what merely looks whether it knows a booking.
 */
async function relatedTo(
  tx: Tx,
  accounts: PushDeskParts['accounts'],
  { account, connector }: PushDeskParts['accounts'][number],
  named: readonly Subject[],
  now: number,
): Promise<readonly SubjectId[]> {
  const found: Subject[] = [];
  if (connector.capabilities.covers.includes('booking')) {
    for (const { id } of named)
      for (const { tenant, reservation } of await tx.subjects.followers(id, undefined, FOLLOWERS_MAX))
        found.push(...(await tx.subjects.followedBy(tenant, reservation)));
  } else {
    const others = accounts.filter((one) => one.account !== account);
    const flights = others.filter((one) => one.connector.capabilities.covers.includes('flight-status'));
    const ids = named.flatMap(({ spec }) => flights.map((one) => subjectIdOf(one.account, spec.id)));
    found.push(...(await activeOf(tx, ids)));
  }
  const known = new Set(named.map((one) => one.id));
  const due = found.filter(
    ({ id, state, spec }) =>
      !known.has(id) && state === 'active' && spec.everyMs === undefined && spec.fromAt <= now && spec.endAt > now,
  );
  return [...new Set(due.map((one) => one.id))];
}
