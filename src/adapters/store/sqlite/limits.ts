/** Bounds of the SQLite store, each with its reason. */

/** Works in one commit: enough that a sync (about 0.15 ms) costs a work little, few enough that the event loop turns. */
export const BATCH_WORKS_MAX = 256;
/** A batch ends after this long even when works wait, so that timers and sockets are served. Real milliseconds. */
export const BATCH_MS_MAX = 20;
/** A sync faster than this is not worth waiting for company; a wait is never longer than the greater. Real milliseconds. */
export const GATHER_MS_MIN = 1;
export const GATHER_MS_MAX = 5;
/** How long SQLite itself may wait for another process's lock: it blocks the event loop, so it is short. */
export const BUSY_BLOCK_MS = 5;
/** Pause between two tries for the write lock, and for how long in all, before `store-busy`. */
export const BUSY_RETRY_MS = 10;
export const BUSY_TOTAL_MS = 10_000;
/** Opening may wait for another process that migrates the file. */
export const OPEN_BUSY_MS = 10_000;
/** Connections for `read`. A read ends within one turn of the event loop as a rule, so few are ever open at once. */
export const READERS_MAX = 4;
/** Prepared statements kept per connection; lists in `IN (…)` are padded, so the number of different texts is small. */
export const STATEMENTS_MAX = 400;
/**
 * Of a new file; one that exists keeps what it has. Events have one to three KiB: of the usual pages of 4 KiB a quarter
 * stays empty (measured: a tenth fewer events a second).
 */
export const PAGE_BYTES = 8192;
/** Page cache, KiB. Readers mostly read what the system has cached anyway. */
export const WRITER_CACHE_KIB = 16_384;
export const READER_CACHE_KIB = 4_096;
/** A transaction open for longer is reported: some work waits for something that is not the transaction. */
export const SLOW_BATCH_MS = 5_000;
