/** Bounds of the walk over a mail's parts: what a sender may make us do. Each is far above what genuine mails reach. */
export interface WalkLimits {
  /** Bytes of the whole mail. */
  readonly bytesMax: number;
  /** Nesting of parts, mails inside mails included. */
  readonly depthMax: number;
  /** Entities: multiparts, mails inside mails and leaves. */
  readonly partsMax: number;
  /** Bytes of headers, all parts together. */
  readonly headerBytesMax: number;
  /** Lines that begin like a boundary (`--`) and are looked at. */
  readonly boundaryLinesMax: number;
}

export const WALK_LIMITS: WalkLimits = {
  bytesMax: 25 * 1024 * 1024,
  depthMax: 32,
  partsMax: 500,
  headerBytesMax: 256 * 1024,
  boundaryLinesMax: 200_000,
};

/** RFC 2046 section 5.1.1 allows 70 characters; some senders write more. */
export const BOUNDARY_CHARS_MAX = 250;

/** One header's value and its parameters, before decoding. */
export const PARAMETER_BYTES_MAX = 16 * 1024;
export const PARAMETERS_MAX = 100;
