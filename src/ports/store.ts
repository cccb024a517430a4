import type { AnyEvent, AnyNewEvent, Origin } from '../contracts/event.ts';
import type { AccountRepo } from './store/accounts.ts';
import type { ItineraryRepo } from './store/itineraries.ts';
import type { LogRepo } from './store/log.ts';
import type { MailReceipt, MailRecord, MailRepo } from './store/mails.ts';
import type { NotificationRepo } from './store/notifications.ts';
import type { ReservationRepo } from './store/reservations.ts';
import type { SubjectRepo } from './store/subjects.ts';

/**
 * The truth. All writes go through `transact`; state, processed mark and outgoing events commit together.
 * SQL in SQLite today; the same repositories in PostgreSQL later.
 */
export interface Store {
  /**
   * Runs `work` in a transaction and resolves when it is durable (synced). Works that arrive together may share one
   * commit, each in its own savepoint: if one throws, only that one is rolled back and rejects with its error.
   * `work` awaits nothing but `tx` and may be run again when a commit fails. Errors: `transient` `store-busy`,
   * `store-disk-full`; anything that puts durability in doubt stops the process (`defect`).
   */
  transact<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** A consistent snapshot for reading; never waits for writers. */
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Every method takes the tenant and scopes its query by it; methods without one are for the operator alone. */
export interface Tx {
  readonly mails: MailRepo;
  readonly accounts: AccountRepo;
  readonly reservations: ReservationRepo;
  readonly subjects: SubjectRepo;
  readonly itineraries: ItineraryRepo;
  readonly notifications: NotificationRepo;
  /** Events: the outbox (and, where the log lives in the store, the log itself), processed marks, dead letters. */
  readonly log: LogRepo;
  /** Completes and appends events to the outbox. Returns them with their ids. */
  append(events: readonly AnyNewEvent[], origin: Origin): Promise<readonly AnyEvent[]>;
}

/** The same repositories; writing methods throw `defect` `read-only`. */
export type ReadTx = Omit<Tx, 'append'>;

export type { MailReceipt, MailRecord };
