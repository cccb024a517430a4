import type { MailboxSession } from '../../ports/mailbox.ts';
import type { Watch, WatchOfShard } from '../../ports/store/watches.ts';
import type { Store } from '../../ports/store.ts';

/** A mailbox that is watched here: what is stored of it, and what is under way. */
export interface Watched {
  readonly key: string;
  /** As stored; what the watcher itself writes is kept up with here. */
  watch: Watch;
  /** Writes under the lease of its shard. */
  readonly store: Store;
  readonly shard: number;
  /** Whose server it is: one that hangs must not take all places. */
  readonly host: string;
  readonly stopping: AbortController;
  /** The owner lets it rest. */
  resting: boolean;
  /** The last wake in the store that was heeded, by the store's clock. */
  wokenAt: number;
  /** Next look of each lane, ms of the clock; undefined: none until something happens. */
  liveAt: number | undefined;
  backfillAt: number | undefined;
  /** Waits for its turn to have a page of its older mails read. */
  inLine: boolean;
  looking: Promise<void> | undefined;
  filling: Promise<void> | undefined;
  /** Something came while it was looked at. */
  again: boolean;
  /** Failed looks in a row. */
  failures: number;
  /** When its owner was found to be needed the last time. */
  refusedAt: number;
  /** Storing how it stands gave no answer: the store may say something else than `watch`. */
  standsUnsure: boolean;
  backfillFailures: number;
  /** Failed subscriptions in a row, and before when none is tried again. */
  subscribeFailures: number;
  subscribeAt: number;
  listening: { readonly session: MailboxSession; readonly stop: AbortController } | undefined;
  /** The session whose server said that it tells nothing. */
  deafTo: MailboxSession | undefined;
  /** Read to its end since the last mark was stored. */
  checked: boolean;
}

export function watchedOf(row: WatchOfShard, store: Store, now: number): Watched {
  const { shard, resting, wakeAt, touchedAt: _, ...watch } = row;
  const { host, url } = watch.settings;
  return {
    key: keyOf(watch),
    watch,
    store,
    shard,
    host: `${watch.kind} ${typeof host === 'string' ? host : typeof url === 'string' ? url : ''}`,
    stopping: new AbortController(),
    resting,
    wokenAt: wakeAt,
    liveAt: now,
    backfillAt: undefined,
    inLine: false,
    looking: undefined,
    filling: undefined,
    again: false,
    failures: 0,
    refusedAt: Number.NEGATIVE_INFINITY,
    standsUnsure: false,
    backfillFailures: 0,
    subscribeFailures: 0,
    subscribeAt: 0,
    listening: undefined,
    deafTo: undefined,
    checked: false,
  };
}

export const keyOf = ({ tenant, mailbox }: Pick<Watch, 'tenant' | 'mailbox'>): string => `${tenant}/${mailbox}`;
