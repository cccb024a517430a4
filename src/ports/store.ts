import type { AnyEvent, AnyNewEvent, Origin } from '../contracts/event.ts';
import type { EventId } from '../domain/ids.ts';
import type { AccountRepo } from './store/accounts.ts';
import type { AlertRepo } from './store/alerts.ts';
import type { AuditRepo } from './store/audit.ts';
import type { ConservationRepo } from './store/conservation.ts';
import type { ControlRepo } from './store/control.ts';
import type { DeadLetterRepo } from './store/dead-letters.ts';
import type { ItineraryRepo } from './store/itineraries.ts';
import type { Lease, LeaseRepo } from './store/leases.ts';
import type { AttemptRecord, LogRepo } from './store/log.ts';
import type { MailReceipt, MailRecord, MailRepo } from './store/mails.ts';
import type { NoticeRepo } from './store/notices.ts';
import type { NotificationRepo } from './store/notifications.ts';
import type { OldEventsRepo } from './store/old-events.ts';
import type { PrivacyRepo } from './store/privacy.ts';
import type { ProviderStateRepo } from './store/provider-state.ts';
import type { ReservationRepo } from './store/reservations.ts';
import type { SubjectRepo } from './store/subjects.ts';
import type { WatchRepo } from './store/watches.ts';

/**
 * The truth. All writes go through `transact` or `effect`; state, processed mark and outgoing events commit together.
 * The same repositories in SQLite and in PostgreSQL.
 */
export interface Store {
  /**
   * Runs `work` in a transaction and resolves when it is durable (synced). Works that arrive together may share one
   * commit: if one throws, only that one is undone and rejects with its error. `work` awaits nothing but `tx`, touches
   * nothing else, and may be run again. What it appends, it cannot read within the same transaction. Errors: `stale`
   * `lease-lost` (see `fence`); `transient` `store-busy`, `store-disk-full`, `store-lost` (the connection broke; it may or
   * may not have committed, and doing the same again is harmless); what puts durability in doubt stops the process
   * (`defect`).
   */
  transact<T>(work: (tx: Tx) => Promise<T>, options?: TransactOptions): Promise<T>;
  /** As `transact`, once for ever: runs `work` only where the consumer has not processed the event, and marks it so. */
  effect<T>(mark: EffectMark, work: (tx: Tx) => Promise<T>, options?: TransactOptions): Promise<EffectResult<T>>;
  /** A consistent snapshot for reading; never waits for writers. */
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TransactOptions {
  /** The transaction commits only where this lease is current. */
  readonly fence?: Lease | undefined;
}

export interface EffectMark {
  readonly consumer: string;
  readonly eventId: EventId;
  readonly now: number;
  /** The attempts before, kept for its story. */
  readonly failed?: readonly AttemptRecord[];
}

export type EffectResult<T> = { readonly repeat: true } | { readonly repeat: false; readonly value: T };

/** Every method takes the tenant and scopes its query by it; methods without one are for the operator alone. */
export interface Tx {
  readonly mails: MailRepo;
  readonly accounts: AccountRepo;
  /** Mailboxes that we go to, and how far each has been read. */
  readonly watches: WatchRepo;
  readonly reservations: ReservationRepo;
  readonly subjects: SubjectRepo;
  /** What was learned about providers. */
  readonly providerState: ProviderStateRepo;
  /** What providers pushed. */
  readonly notices: NoticeRepo;
  readonly itineraries: ItineraryRepo;
  /** What travellers were told. */
  readonly alerts: AlertRepo;
  readonly notifications: NotificationRepo;
  /** Events: the outbox (and, where the log lives in the store, the log itself) and processed marks. */
  readonly log: LogRepo;
  /** Events set aside. */
  readonly deadLetters: DeadLetterRepo;
  /** What operators did. */
  readonly audit: AuditRepo;
  /** Who works on what. */
  readonly leases: LeaseRepo;
  /** What is kept of people, and how it goes. */
  readonly privacy: PrivacyRepo;
  /** What operators have paused. */
  readonly control: ControlRepo;
  /** Whether everything accepted is accounted for. */
  readonly conservation: ConservationRepo;
  /** Events that everybody is done with. */
  readonly oldEvents: OldEventsRepo;
  /** Completes and appends events to the outbox. Returns them with their ids. */
  append(events: readonly AnyNewEvent[], origin: Origin): Promise<readonly AnyEvent[]>;
}

/** The same repositories; writing methods throw `defect` `read-only`. */
export type ReadTx = Omit<Tx, 'append'>;

export type { MailReceipt, MailRecord };
