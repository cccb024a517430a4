/** Deadlines and bounds of a session. All times are real ones: they are about networks. */
export interface ImapLimits {
  /** From the first packet until the session can be used: name, TCP, TLS, greeting, login. */
  readonly connectMs: number;
  /** A server that owes us an answer and sends nothing for so long is gone. */
  readonly answerMs: number;
  /** One operation (a page, a mail), however steadily its bytes come. */
  readonly totalMs: number;
  /** IDLE is ended, checked by an answer and begun anew so often: below what NAT forgets, far below the 29 min of RFC 2177. */
  readonly idleMs: number;
  /** Where the server has no IDLE: asked for news so often. */
  readonly pollMs: number;
  /** The main folder is opened anew after so long, which shows whether its numbers still hold. */
  readonly reopenMs: number;
  /** Folders beside the main one are looked at by `live` at most so often within a session. */
  readonly othersMs: number;
}

export const IMAP_LIMITS: ImapLimits = {
  connectMs: 20_000,
  answerMs: 30_000,
  totalMs: 180_000,
  idleMs: 4 * 60_000,
  pollMs: 2 * 60_000,
  reopenMs: 5 * 60_000,
  othersMs: 30_000,
};

/** Sessions of one account at a time; Gmail allows 15, and the owner's own programs need some. */
export const SESSIONS_MAX = 4;
/** IDLE begins so long after the last command: a row of commands is not broken up by it. */
export const IDLE_AFTER_MS = 25;
/** Asked for at once; a page of large heads ends early. */
export const HEADS_AT_ONCE = 50;
export const HEADS_BYTES_MAX = 8 * 1024 * 1024;
/** Of a mail that is fetched, in one answer. */
export const CHUNK_BYTES = 1024 * 1024;
/** What the parser takes before it gives up the connection: a server that ignores partial fetches sends a mail whole. */
export const LITERAL_BYTES_MAX = 64 * 1024 * 1024;
export const LINE_BYTES_MAX = 32 * 1024 * 1024;
/** Folders that are watched. Each costs a question at every sweep. */
export const FOLDERS_MAX = 500;
/** Of a mail's structure. */
export const PARTS_MAX = 100;
/** A server that has too many sessions of ours, or too many logins, is asked again after so long. */
export const LIMITED_MS = 5 * 60_000;
/** UIDs of mails that wait to be listed, kept between two pages. */
export const UIDS_KEPT_MAX = 50_000;
/** Up to so many folders are searched before the first page of a backfill, so that progress can be told. */
export const COUNTED_FOLDERS_MAX = 20;
/** A server that ends IDLE sooner than this so often in a row is asked by NOOP instead. */
export const IDLE_MS_MIN = 1000;
export const IDLES_SHORT_MAX = 3;
