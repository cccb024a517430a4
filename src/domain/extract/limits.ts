import { WALK_LIMITS } from '../mail/walk/limits.ts';

/**
 * Bounds on what one document may cost. Each is far above what genuine mails reach (the largest confirmation seen has
 * 40 parts, depth 6 and 60 KB of headers) and low enough that reaching all of them at once stays within a second or two.
 */
export interface ExtractLimits {
  /** Bytes of the whole document; those on a mail's structure are in mail/walk/limits.ts. */
  readonly bytesMax: number;
  /** Decoded bytes of one part that is read; longer parts are passed over with a warning. */
  readonly partBytesMax: number;
  /** Decoded bytes of one calendar: the calendar parser is slow by the megabyte. */
  readonly calendarBytesMax: number;
  /** Bytes of one JSON-LD block. */
  readonly jsonBytesMax: number;
  /** Nesting followed inside JSON-LD and microdata. */
  readonly nodeDepthMax: number;
  /** Properties and items kept of the microdata of one document. */
  readonly microdataValuesMax: number;
  /** Reservations (legs times passengers) read from one document. */
  readonly reservationsMax: number;
}

export const EXTRACT_LIMITS: ExtractLimits = {
  bytesMax: WALK_LIMITS.bytesMax,
  partBytesMax: 12 * 1024 * 1024,
  calendarBytesMax: 512 * 1024,
  jsonBytesMax: 2 * 1024 * 1024,
  nodeDepthMax: 24,
  microdataValuesMax: 20_000,
  reservationsMax: 500,
};
