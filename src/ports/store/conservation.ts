import type { Topic } from '../../contracts/topics.ts';
import type { EventId, TenantId } from '../../domain/ids.ts';

/**
 * The law of conservation, as the store can check it: every event of a topic is, for every stage that reads the topic,
 * done, failed visibly (an open dead letter), or in progress (put off with a time, or still ahead of the stage's cursor).
 *
 * Each shard of a stage has a mark: all before it was accounted for. What was not done by then is remembered by name
 * (`unsettled`) until it is. So a check reads what came since and what was open, whatever the log has grown to.
 */
export interface ShardPlace {
  readonly consumer: string;
  readonly topic: Topic;
  readonly shard: number;
}

export interface LookOptions {
  readonly now: number;
  /** Events behind the cursor looked at in one go: a reading process of one thread stands still meanwhile. */
  readonly eventsMax: number;
  /** Events ahead of the cursor counted by tenant: beyond it only "more" matters. */
  readonly aheadMax: number;
  /** Put off until before this, and still not taken up: overdue. Epoch ms; undefined: nothing is (the stage is paused). */
  readonly overdueBefore: number | undefined;
}

/** What one tenant has in one shard of a consumer. */
export interface Tally {
  /** New behind the cursor since the last look, and how many of these are done or dead. */
  readonly passed: number;
  readonly passedSettled: number;
  /** Ahead of the cursor, and how many of these are done or dead. */
  readonly ahead: number;
  readonly aheadSettled: number;
  /** Open dead letters. */
  readonly failed: number;
  readonly overdue: number;
}

export interface OpenEvent {
  readonly seq: number;
  readonly eventId: EventId;
  readonly tenant: TenantId;
}

/** What a look found, in one snapshot; `settle` stores it. */
export interface ShardLook extends ShardPlace {
  /** The mark before and after. */
  readonly from: number;
  readonly to: number;
  /** The next look goes on where this one stopped: look again at once. */
  readonly more: boolean;
  /** More is ahead than was counted. */
  readonly aheadMore: boolean;
  /** When the oldest was appended that is ahead and not done, epoch ms. */
  readonly aheadSince: number | undefined;
  readonly tallies: ReadonlyMap<TenantId, Tally>;
  /** Some between the marks are not done. */
  readonly opened: boolean;
  /** Behind the mark, done before, and delivered again since by a replayed dead letter. */
  readonly reopened: readonly OpenEvent[];
  /** Not done at an earlier look, and done now; `gone`: nothing is left of it, its event is gone from the log. */
  readonly closed: readonly (OpenEvent & { readonly gone: boolean })[];
  /** Behind the cursor, not done, and with no delivery row: nobody would ever work on them. */
  readonly lost: readonly OpenEvent[];
  /** Where the walk through what was not done goes on. */
  readonly turn: number;
}

/** Of one tenant, over all consumers: as of the last checks. */
export interface TenantBalance {
  readonly tenant: TenantId;
  readonly accepted: number;
  readonly done: number;
  readonly failed: number;
  readonly inProgress: number;
  readonly overdue: number;
  /** Found by the last check, and put back: they count as in progress. */
  readonly lost: number;
  /** Put back ever. */
  readonly recovered: number;
  /** Of these, behind the marks: all, done or dead, and remembered as not done. */
  readonly marked: { readonly passed: number; readonly settled: number; readonly unsettled: number };
  /** The oldest of the checks that this rests on, epoch ms. */
  readonly checkedAt: number;
}

export interface ConservationRepo {
  /** Checks one shard from its mark on. Writes nothing. */
  look(place: ShardPlace, options: LookOptions): Promise<ShardLook>;
  /**
   * Moves the mark on, counts, and puts back what was lost, as a replay. Undefined: another has done so since the look.
   * To be fenced with the lease of the shard.
   */
  settle(look: ShardLook, now: number): Promise<{ readonly recovered: readonly OpenEvent[] } | undefined>;
  /** As of the last checks. Without a tenant: all. */
  balances(tenant?: TenantId): Promise<readonly TenantBalance[]>;
  /** Of a consumer's shard that nobody works on: what waits there, counted up to `limit`. */
  waiting(
    place: ShardPlace,
    now: number,
    limit: number,
  ): Promise<{ readonly waiting: number; readonly oldestAt: number | undefined }>;
  /** Notifications by tenant: those due before `overdueBefore` and not tried are overdue. Pending ones only. */
  notifications(
    overdueBefore: number,
  ): Promise<readonly { readonly tenant: TenantId; readonly pending: number; readonly overdue: number }[]>;
  /** Active subjects by provider account. */
  subjects(): Promise<readonly { readonly account: string; readonly active: number }[]>;
  /**
   * Mails not decided since `since` although all `readers` have done all events of theirs: nobody would ever decide
   * them. At most `limit`, among the oldest ones.
   */
  stuckMails(
    readers: readonly Pick<ShardPlace, 'consumer' | 'topic'>[],
    since: number,
    limit: number,
  ): Promise<readonly { readonly tenant: TenantId; readonly mail: string; readonly disposition: string }[]>;
}
