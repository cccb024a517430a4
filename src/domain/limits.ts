/**
 * Every queue, batch, body, loop and wait has its bound here, with the reason. Relations between bounds are asserted in
 * limits.test.ts. Units come last in the names.
 */

// --- Consumers and broker -----------------------------------------------------------------------------------------------

/** Events of one consumer held in memory beyond its cursor: enough to keep every key busy, at most a few MiB of events. */
export const WINDOW_EVENTS_MAX = 1024;
/** Characters of those events: large ones (a reservation of many legs) must not fill the memory either. */
export const WINDOW_CHARS_MAX = 4 * 1024 * 1024;
/** Places in the log between cursor and reading position: how far the others may run ahead of one slow event. */
export const WINDOW_SPAN_MAX = 65_536;
/** Of one key: a busy key must not fill the window, so what is beyond waits in the store. */
export const LINE_EVENTS_MAX = 128;
/** Rows read from the log at once. */
export const READ_EVENTS_MAX = 256;
/** The cursor is stored after so many acks or so much time: what comes again after a crash is at most this. */
export const CURSOR_ACKS_MAX = 512;
export const CURSOR_DELAY_MS_MAX = 500;
/** Another process may append too: look at the file at least this often (real time). */
export const POLL_MS_MAX = 2000;
/** Attempts kept with a waiting event: the newest; older ones only count. */
export const HISTORY_RECORDS_MAX = 20;
/** Lag is counted up to here: beyond it only "more" matters. */
export const LAG_COUNT_MAX = 100_000;

// --- Work shared by processes ---------------------------------------------------------------------------------------------

/** A worker says that it lives so often, real time; a beat is one small transaction. */
export const BEAT_MS = 1000;
/** Work of one who is silent for so long is taken by others: a few missed beats, and well below the promise of 12 s. */
export const LEASE_MS = 8000;
/** Work that could not be begun is left to others for so long. */
export const REFUSED_MS = 30_000;
/** Workers not seen for so long are forgotten. */
export const FORGET_MS = 600_000;

// --- Runtime ------------------------------------------------------------------------------------------------------------

/** Events waiting in one consumer from which intake says "later" (421, 503): about a minute of work of the slowest stage. */
export const OVERLOAD_EVENTS = 20_000;
/** How old the answer to "overloaded?" may be, real time: lag is asked for every mail. */
export const OVERLOAD_CHECK_MS = 250;
/** Work waiting, nothing running and nothing delivered for so long (real time): the watchdog speaks up and fetches anew. */
export const STALL_MS = 30_000;
/** Deadlines and stalls are looked at this often, real time, when a deadline is near … */
export const SWEEP_MS = 250;
/** … and when none is: a process with nothing to do shall do next to nothing. */
export const SWEEP_MS_MAX = 2000;
/** Each process reads what is paused this often, real time: a pause holds everywhere within twice that. */
export const PAUSES_LOOK_MS = 1000;
/**
 * Events of a paused tenant or mailbox come up again after at most so long (real time), to see whether it still is. With
 * the two looks by which the process knows, they go on within 20 s of being resumed.
 */
export const PAUSED_LOOK_MS = 18_000;
/** The law of conservation is checked this often, real time. */
export const CONSERVATION_MS = 60_000;
/** Events behind a cursor that one look goes through: the process does nothing else meanwhile, about 30 ms on SQLite. */
export const LOOK_EVENTS_MAX = 5000;
/** Events ahead of a cursor that are counted by tenant: as many as may wait before intake says "later". */
export const LOOK_AHEAD_MAX = OVERLOAD_EVENTS;
/** What was put off and is not taken up so long after its time (real) and the deadline of its stage is overdue. */
export const OVERDUE_MS = 60_000;
/** What waits for longer where nobody works, or is not decided though all about it is done, is an alarm; real time. */
export const UNATTENDED_MS = 300_000;
/** Version conflicts are tried again at once so often before they count as one attempt. */
export const STALE_TRIES_MAX = 4;
/** An account whose consent is gone is asked again this seldom. */
export const UNAUTHORISED_WAIT_MS = 15 * 60 * 1000;
/** Pause after the store itself refused work (disk full, locked): doubles from the first to the second, real time. */
export const STORE_PAUSE_MS_MIN = 100;
export const STORE_PAUSE_MS_MAX = 5000;

// --- Providers ------------------------------------------------------------------------------------------------------------

/** Questions out at one account at the same time, and its connections: how many are sensible is found out by latency. */
export const IN_FLIGHT_MAX = 64;
/** What an account can do: each has a breaker and a cost of its own. */
export const OPERATIONS = ['readOne', 'readMany', 'board', 'listChanged', 'renewPush'] as const;
