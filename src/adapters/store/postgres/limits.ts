/** Bounds of the PostgreSQL store, each with its reason. Milliseconds are real ones. */

/** Connections that write. One works while another waits for its commit; more only fight for the log's lock. */
export const LANES = 3;
/**
 * Works in one transaction: enough that a commit costs each little, few enough that a batch that fails is soon
 * redone.
 */
export const BATCH_WORKS_MAX = 128;
/**
 * Works that wait are shared out to the free connections, but not in smaller lots than this: each lot pays a commit.
 */
export const BATCH_WORKS_MIN = 64;
/**
 * While a connection is at work, what comes waits for it and then shares one commit, until there are so many (or as many
 * as the last lot had) or the first has waited so long: then another connection begins. For a few works a commit of their own costs more than it
 * saves.
 */
export const COMPANY_WORKS = 32;
export const COMPANY_MS = 8;
/** A batch ends after this long even when works are left: locks that it holds are soon free again. */
export const BATCH_MS_MAX = 50;
/** Tries of a work that the database refuses for the sake of another (deadlock, serialisation), each by itself. */
export const TRIES_MAX = 6;
/** Pause before such a try, doubled each time. */
export const RETRY_MS = 2;
/** Tries of a work that meets locks of others: each time it begins with one more of those that it needs. */
export const LOCK_TRIES_MAX = 20;
/** A transaction open for longer is reported: some work waits for something that is not the transaction. */
export const SLOW_BATCH_MS = 3_000;

/** Connections for `read`. */
export const READERS_MAX = 4;
/** Prepared statements kept per connection; lists in `IN (…)` are padded, so the number of different texts is small. */
export const STATEMENTS_MAX = 500;

/** A connection that does not stand after this long is given up. */
export const CONNECT_MS = 5_000;
/** A server that is starting is asked again so often, and for so long, before works hear `store-lost`. */
export const CONNECT_PAUSE_MS = 100;
export const CONNECT_TOTAL_MS = 2_000;
/** Ended by the server: a statement, a wait for a lock, a transaction whose client does nothing. */
export const STATEMENT_MS = 12_000;
export const LOCK_MS = 8_000;
export const IDLE_IN_TRANSACTION_MS = 5_000;
/** Longer than the server's own limits: beyond it nobody answers any more, and the connection is dropped. */
export const ANSWER_MS = 15_000;
/** An index on a large table takes its time, and so does waiting for another process that makes it. */
export const MIGRATE_ANSWER_MS = 30 * 60_000;
/** TCP keepalive: the first probe after so long without a byte. */
export const KEEPALIVE_MS = 10_000;

/** Other processes hear of new events at most so often, in one notice. */
export const NOTICE_PAUSE_MS = 5;
/** A notice may have 8,000 bytes; one that would be longer says "everything". */
export const NOTICE_CHARS_MAX = 7_000;
/** Pause before the connection that listens is made anew, doubled up to the greater. */
export const LISTEN_RETRY_MS_MIN = 100;
export const LISTEN_RETRY_MS_MAX = 2_000;
