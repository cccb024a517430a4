import type { MailboxId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { MailboxKind } from '../mailbox.ts';

/** How the watch of a mailbox stands. */
export const WATCH_STATES = {
  connecting: 'was added and has not been read yet',
  backfilling: 'new mails come as they are; the older ones are still being read',
  watching: 'new mails come as they are, and the older ones are read',
  'needs-you': 'cannot go on until its owner has done something',
  unreachable: 'does not answer; is tried again',
  paused: 'rests until it is resumed',
} as const;
export type WatchState = keyof typeof WATCH_STATES;

/** The watch of one connected mailbox: what is needed to go on with it, wherever and whenever. */
export interface Watch {
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly mailbox: MailboxId;
  readonly kind: MailboxKind;
  /** What its connector needs beside credentials (src/contracts/mailbox.ts), the choice of folders among it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Sealed by the Secrets port with `mailboxSecretContext` as context; undefined: none are needed. */
  readonly sealedCredentials: string | undefined;
  /** Mails received before are none of ours, epoch ms: how far back the owner wants them read. */
  readonly since: number;
  /** Undefined: nothing was ever listed. */
  readonly liveCursor: string | undefined;
  /** Undefined: the older mails have not been begun with. */
  readonly backfillCursor: string | undefined;
  readonly backfillDone: boolean;
  /** How many of the older ones are yet to come, where the server said so. */
  readonly backfillLeft: number | undefined;
  readonly state: WatchState;
  /** Stable code: `password-refused`, `mailbox-unreachable`; the state's name where all is well. */
  readonly reasonCode: string;
  /** One sentence for the owner: why, and what to do where something can be done. */
  readonly reason: string;
  /** Since when it stands so, epoch ms. */
  readonly stateAt: number;
  /** Last time that the mailbox was read to its end; undefined: never. */
  readonly checkedAt: number | undefined;
  /** When it is looked at next unless something wakes it before; an owner of the shard may know better. */
  readonly dueAt: number | undefined;
  /** Mails that this watch has put on the ledger: as many as there are receipts of this mailbox. */
  readonly seen: number;
  /** What the connector wants back when it prolongs its subscription; undefined: there is none. */
  readonly subscription: string | undefined;
  /** When it is to be prolonged, epoch ms. */
  readonly renewAt: number | undefined;
  /** What pushed hints call this mailbox: an address, the id of a subscription. Undefined: nothing is pushed. */
  readonly pushName: string | undefined;
  /** Code of the error for which nothing is pushed though it could be; undefined: none. */
  readonly pushFault: string | undefined;
  /** Since when it needs its owner, epoch ms; goes when it works again, not before. Undefined: it does not. */
  readonly needsSince: number | undefined;
  readonly createdAt: number;
}

/** What a change of the owner's may be. */
export type WatchChange = Partial<Pick<Watch, 'settings' | 'sealedCredentials' | 'since'>>;

/** How far a lane has come. Written with the mails that lie before it, in one transaction. */
export interface WatchProgress {
  readonly liveCursor?: string;
  readonly backfillCursor?: string;
  readonly backfillDone?: boolean;
  readonly backfillLeft?: number;
  /** What the page was asked with: where its owner went further back meanwhile, nothing of the lane is written. */
  readonly backfillSince?: number;
  /** Mails new on the ledger. */
  readonly seen?: number;
}

export interface WatchStanding {
  readonly state: WatchState;
  readonly reasonCode: string;
  readonly reason: string;
}

/** What a standing means for the owner: that they are needed, that they no longer are, or nothing new. */
export type OwnerNeed = 'began' | 'ended' | undefined;

/** What is pushed for a mailbox, after it was asked for: it is, or why not. */
export type WatchSubscription =
  | { readonly state: string; readonly renewAt: number; readonly pushName?: string }
  | { readonly fault: string };

export type WatchRef = Pick<Watch, 'tenant' | 'mailbox'>;

export interface WatchRepo {
  /** A repeat changes nothing. The mailbox itself is added through the accounts, in the same transaction. */
  add(watch: Watch): Promise<void>;
  get(tenant: TenantId, mailbox: MailboxId): Promise<Watch | undefined>;
  list(tenant: TenantId, traveller?: TravellerId): Promise<readonly Watch[]>;
  remove(tenant: TenantId, mailbox: MailboxId): Promise<boolean>;
  /**
   * The owner's word: touches it, so that whoever watches takes it up. Going further back begins the older mails anew;
   * other settings or credentials are tried at once (`connecting`).
   */
  change(tenant: TenantId, mailbox: MailboxId, change: WatchChange): Promise<boolean>;
  /**
   * New credentials (a token that was changed for another), only where those of before still stand. Does not touch it.
   * False: others were stored meanwhile; read them.
   */
  swapCredentials(ref: WatchRef, before: string | undefined, after: string): Promise<boolean>;
  /** Forward only within one holder of the shard: to be fenced. */
  progress(ref: WatchRef, progress: WatchProgress): Promise<void>;
  /**
   * To be fenced. `began` once for each time that it needs its owner, from the first `needs-you` on until it is read to
   * its end again, whatever it goes through in between and whoever watches it: with it the one notice goes out.
   */
  stand(ref: WatchRef, standing: WatchStanding, now: number): Promise<OwnerNeed>;
  /** Batched: when each was read to its end, and when it will be looked at next. To be fenced. */
  mark(marks: readonly (WatchRef & { readonly checkedAt?: number; readonly dueAt: number })[]): Promise<void>;
  /** To be fenced. A fault leaves what was subscribed before: it may still live. */
  subscribed(ref: WatchRef, subscription: WatchSubscription): Promise<void>;
  /** Whoever watches these, in whatever process, should look now; `renew`: and subscribe anew. */
  wake(refs: readonly WatchRef[], options?: { readonly renew?: boolean }): Promise<void>;
  /**
   * Operator-wide: which mailboxes of a kind a pushed hint means, by the names it has for them or by our ids. Not those that
   * need their owner: what others push must not make us offer refused credentials again.
   */
  findPushed(
    kind: MailboxKind,
    hint: { readonly names?: readonly string[]; readonly mailboxes?: readonly MailboxId[] },
  ): Promise<readonly WatchRef[]>;
  /** Operator-wide: those that need their owner, the longest first. */
  listNeeding(limit: number): Promise<readonly Watch[]>;
  /** Operator-wide: all of a shard (the mailbox's, by the store's shards) whose mailbox is not removed. */
  listShard(shard: number): Promise<readonly WatchOfShard[]>;
  /**
   * Operator-wide: what was added, changed, woken, paused, resumed or removed since an instant of the store's clock, and
   * that clock. A transaction that is under way shows later with an earlier time, so look back some seconds more than to
   * the last look.
   */
  touchedSince(
    since: number,
  ): Promise<{ readonly now: number; readonly watches: readonly WatchOfShard[]; readonly gone: readonly WatchGone[] }>;
}

export interface WatchOfShard extends Watch {
  readonly shard: number;
  /** The owner lets it rest. */
  readonly resting: boolean;
  /** By the store's clock; 0: never. */
  readonly wakeAt: number;
  readonly touchedAt: number;
}

export type WatchGone = WatchRef & { readonly shard: number };

/** What sealed credentials of a mailbox are bound to. */
export const mailboxSecretContext = ({ tenant, mailbox }: WatchRef): string => `mailbox/${tenant}/${mailbox}`;
