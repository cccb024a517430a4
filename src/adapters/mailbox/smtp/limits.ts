/** Bounds of the SMTP listener, each with its reason. Times are real milliseconds. */
export interface SmtpLimits {
  /** Open connections: each costs a socket and, in DATA, memory. */
  readonly connectionsMax: number;
  /** Open connections of one remote address, so that one host cannot take them all. */
  readonly connectionsPerAddressMax: number;
  /** Mails of one remote address in a minute of the clock; above it: "try again later". */
  readonly mailsPerMinuteMax: number;
  /** Recipients of one mail (RFC 5321 section 4.5.3.1.8 asks for at least 100). */
  readonly recipientsMax: number;
  /** Unknown recipients on one connection before it is closed: nobody shall guess addresses. */
  readonly unknownRecipientsMax: number;
  /** Bytes of mails being received, all connections together: the listener's share of the memory. */
  readonly bufferedBytesMax: number;
  /** Silence after which a connection is closed. */
  readonly idleMs: number;
  /** Longest time for one DATA, so that a drip of bytes cannot hold a connection. */
  readonly dataMs: number;
  /** How long a mail that is being received may go on when the listener closes. */
  readonly closeMs: number;
}

export const SMTP_LIMITS: SmtpLimits = {
  connectionsMax: 200,
  connectionsPerAddressMax: 50,
  mailsPerMinuteMax: 6000,
  recipientsMax: 100,
  unknownRecipientsMax: 10,
  bufferedBytesMax: 96 * 1024 * 1024,
  idleMs: 60_000,
  dataMs: 300_000,
  closeMs: 5_000,
};

/** Remote addresses remembered for the rate cap; the oldest are forgotten first. */
export const RATED_ADDRESSES_MAX = 10_000;
