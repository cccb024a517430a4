import type { BookingClaim, ExtractionResult, ExtractionWarning } from '../domain/extract/claim.ts';

/** Turns one document (mail, HTML, JSON-LD, iCalendar) into claims, away from the event loop and within hard limits. */
export interface Extractor {
  /**
   * A document without travel is no error. Errors: poison `parse-timeout`, `parse-memory`, `parse-crashed`,
   * `parse-failed`, `mail-too-large`, `mime-too-deep`, `mime-too-many-parts`, `mime-headers-too-large`; transient
   * `extractor-busy`; cancelled `extract-cancelled`, `extractor-closed`.
   */
  extract(input: ExtractInput, signal: AbortSignal): Promise<ExtractionResult>;
}

export interface ExtractInput {
  readonly bytes: Uint8Array;
  readonly fileName?: string;
  /** ISO instant: completes dates and caps what the document asserts. */
  readonly receivedAt: string;
}

export type { BookingClaim, ExtractionResult, ExtractionWarning };
