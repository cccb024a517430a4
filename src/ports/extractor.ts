import type { Evidence, Facts } from '../domain/facts.ts';
import type { LegClaim } from '../domain/observation.ts';

/** Turns one document (mail, HTML, JSON-LD, iCalendar) into claims, away from the event loop and within hard limits. */
export interface Extractor {
  /** Errors: `poison` (`parse-timeout`, `parse-memory`, `mime-too-deep`, …). A document without travel is no error. */
  extract(input: ExtractInput, signal: AbortSignal): Promise<ExtractionResult>;
}

export interface ExtractInput {
  readonly bytes: Uint8Array;
  readonly fileName?: string;
  /** ISO instant: completes dates and caps what the document asserts. */
  readonly receivedAt: string;
}

/** The part of an observation that a document decides. */
export interface BookingClaim {
  /** Extractor and version: `json-ld/1`. */
  readonly extractor: string;
  readonly assertedAt: string;
  readonly bookingKeys: readonly string[];
  readonly facts: Facts;
  readonly legs: readonly LegClaim[];
}

export interface ExtractionResult {
  readonly claims: readonly BookingClaim[];
  /** What could not be read or had to be guessed; shown on the receipt. */
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly evidence?: Evidence }[];
  readonly mail?: {
    readonly from?: string;
    readonly subject?: string;
    readonly date?: string;
    readonly messageId?: string;
  };
}
