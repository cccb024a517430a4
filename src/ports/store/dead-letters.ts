import type { Topic } from '../../contracts/topics.ts';
import type { ErrorKind } from '../../domain/errors.ts';
import type { EventId, Id, TenantId } from '../../domain/ids.ts';
import type { AttemptRecord } from './log.ts';

export type DeadLetterId = Id<'dead'>;

export const DEAD_LETTER_STATES = {
  open: 'waits for someone to decide',
  replayed: 'was delivered again, as it was or edited',
  discarded: 'was given up, with a reason',
} as const;
export type DeadLetterState = keyof typeof DEAD_LETTER_STATES;

/** An event set aside for one consumer, with cause and history; the payload stays in the log under its event id. */
export interface DeadLetter {
  readonly id: DeadLetterId;
  readonly tenant: TenantId;
  readonly consumer: string;
  readonly topic: Topic;
  readonly eventId: EventId;
  readonly key: string;
  readonly correlation: string;
  /** Account of the provider whose answer it carries or whom its error names; undefined where none is known. */
  readonly provider: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Of the last attempt, as are code and message. */
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly state: DeadLetterState;
  readonly createdAt: number;
  readonly decidedAt: number | undefined;
  /** Token id or `cli…` of who decided. */
  readonly decidedBy: string | undefined;
  /** Why. */
  readonly decision: string | undefined;
  /** Where it was replayed with changes: the event that took its place. */
  readonly editedEvent: EventId | undefined;
}

/** What `add` needs: a letter is born open. */
export type NewDeadLetter = Omit<DeadLetter, 'state' | 'decidedAt' | 'decidedBy' | 'decision' | 'editedEvent'>;

/** Which letters: for lists, counts and bulk work alike. All that is given must fit. */
export interface DeadLetterFilter {
  readonly state?: DeadLetterState;
  readonly consumer?: string;
  readonly topic?: Topic;
  readonly code?: string;
  /** Beginning of the code: `provider-`. Letters, digits and hyphens only. */
  readonly codePrefix?: string;
  readonly kind?: ErrorKind;
  readonly provider?: string;
  readonly key?: string;
  readonly correlation?: string;
  readonly eventId?: EventId;
  /** Set aside at or after, and before: epoch ms. */
  readonly from?: number;
  readonly to?: number;
}

/** Letters of one stage that failed in the same way. */
export interface DeadLetterGroup {
  readonly consumer: string;
  readonly code: string;
  readonly count: number;
  readonly oldestAt: number;
  readonly newestAt: number;
  /** The newest of them. */
  readonly example: DeadLetter;
}

export interface Decision {
  /** Token id or `cli…`. */
  readonly by: string;
  readonly now: number;
  readonly reason?: string | undefined;
}

/** `not-open`: decided before, by whoever came first. `event-gone`: the log does not have its event any more. */
export type ReplayResult = 'done' | 'unknown' | 'not-open' | 'event-gone';

/** What became of a replay: its event is done, was set aside again, or is on its way. */
export type ReplayOutcome =
  | { readonly state: 'done' }
  | { readonly state: 'dead'; readonly code: string }
  | { readonly state: 'under-way' };

export interface DeadLetterRepo {
  /** In the transaction that claims the event for its consumer. A repeat of an open letter changes nothing. */
  add(letter: NewDeadLetter): Promise<void>;
  get(tenant: TenantId, id: DeadLetterId): Promise<DeadLetter | undefined>;
  /** Newest first; `before` is `nextBefore` of the page before. Letters that come meanwhile do not shift the pages. */
  list(
    tenant: TenantId,
    filter: DeadLetterFilter,
    page: { readonly before?: string; readonly limit: number },
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly nextBefore?: string }>;
  /** In the order of their events in the log, so in the order of each key: for working them off. */
  inOrder(
    tenant: TenantId,
    filter: DeadLetterFilter,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly nextAfter?: string }>;
  count(tenant: TenantId, filter: DeadLetterFilter): Promise<number>;
  /** By stage and code, the largest group first. */
  groups(tenant: TenantId, filter: DeadLetterFilter, limit: number): Promise<readonly DeadLetterGroup[]>;
  /** Codes and providers that letters of this tenant have, in any state: to tell a typing mistake from an empty answer. */
  known(tenant: TenantId): Promise<{ readonly codes: readonly string[]; readonly providers: readonly string[] }>;
  /**
   * Delivers the event to its consumer again, attempts from zero. Of several who decide at once, one gets `done`; the
   * others `not-open`, and nothing happens twice.
   */
  replay(tenant: TenantId, id: DeadLetterId, decision: Decision): Promise<ReplayResult>;
  /** Closes it as replayed: an edited event takes its place, appended by the caller in the same transaction. */
  replace(tenant: TenantId, id: DeadLetterId, editedEvent: EventId, decision: Decision): Promise<boolean>;
  /** False: not open any more. */
  discard(tenant: TenantId, id: DeadLetterId, decision: Decision): Promise<boolean>;
  /** In the order asked. `since`: when it was replayed. */
  outcomes(
    tenant: TenantId,
    replays: readonly {
      readonly id: DeadLetterId;
      readonly consumer: string;
      readonly eventId: EventId;
      readonly since: number;
    }[],
  ): Promise<readonly ReplayOutcome[]>;
}
