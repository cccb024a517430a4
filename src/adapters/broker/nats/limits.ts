/** Bounds of carrying the log by NATS, with their reasons. */

/** Rows that one shard's feed holds: what comes beyond is read from the store later. */
export const FEED_ROWS_MAX = 512;
/** Characters of the rows that all feeds of a process hold. */
export const FEED_CHARS_MAX = 32 * 1024 * 1024;
/** A feed that has nothing asks the store at least this often, real time: the floor under everything that may be lost. */
export const FEED_FLOOR_MS = 2000;
/**
 * What the store has told of and has not arrived by then is read there: many times what a row takes, and short for those
 * who wait while NATS elects a leader.
 */
export const FEED_OVERDUE_MS = 200;
/** How often that is looked at. */
export const FEED_TICK_MS = 100;
/** Servers of a cluster learn of a new subscription a little later than the one that took it. */
export const FEED_SETTLE_MS = 1000;
/** A subscription that brings nothing for so long while the store has rows is made anew. */
export const FEED_SILENT_MS = 30_000;

/** Rows read from the log and handed to the publisher at once. */
export const RELAY_READ_MAX = 256;
/** Published and not acknowledged: enough to hide the way to three servers and back. */
export const RELAY_FLIGHT_MAX = 512;
/** The same in characters of events. */
export const RELAY_FLIGHT_CHARS_MAX = 8 * 1024 * 1024;
/** The relay's position is stored this often while it moves: what is published again after a crash is at most this. */
export const RELAY_MARK_MS = 250;
/** Without a notice the relay looks at the log so often. */
export const RELAY_POLL_MS = 2000;
/** Published again when no answer has come for so long. */
export const ACK_MS = 2000;
/** So long after a connection was made, answers are waited for less long. */
export const FRESH_MS = 5000;
export const FRESH_ACK_MS = 400;
/** Pause after a publish was refused; doubles. */
export const REFUSED_MS_MIN = 100;
export const REFUSED_MS_MAX = 500;
/** A relay that ends waits so long for what is under way. */
export const HAND_OVER_MS = 2000;
/** How often what waits for its answer is looked at. */
export const SWEEP_MS = 100;

/** The stream is compared with what was published so often. */
export const AUDIT_MS = 10_000;
/** Rows are compared one by one at least so often, also where the figures agree. */
export const AUDIT_DEEP_MS = 60_000;
/** How many of the newest rows that comparison covers where nothing is suspected. */
export const AUDIT_SAMPLE_ROWS = 5000;
/** And where something is: about 20 MB of numbers. */
export const AUDIT_ROWS_MAX = 200_000;

/** Deadline of a question to JetStream: while there is no leader nobody answers, and asking again finds the new one. */
export const REQUEST_MS = 2000;
/** Deadline of a handshake. */
export const CONNECT_MS = 5000;
/** How long opening waits for a server before it goes on without. */
export const CONNECT_PATIENCE_MS = 5000;
/** Pause between attempts to connect. */
export const RECONNECT_MS = 200;
/** A server that answers no ping for twice this is left. */
export const PING_MS = 3000;
