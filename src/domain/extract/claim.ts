import type { Evidence, Facts } from '../facts.ts';
import type { ForwardingQuestion } from '../mail/forwarding/confirmation.ts';
import type { LegClaim } from '../observation.ts';

/** The part of an observation that a document decides. */
export interface BookingClaim {
  /** Extractor and version: `json-ld/1`. */
  readonly extractor: string;
  /** ISO instant. */
  readonly assertedAt: string;
  readonly bookingKeys: readonly string[];
  readonly facts: Facts;
  readonly legs: readonly LegClaim[];
}

/** What could not be read or had to be guessed; shown on the receipt. Codes are listed in warnings.ts. */
export interface ExtractionWarning {
  readonly code: string;
  readonly message: string;
  readonly evidence?: Evidence;
}

export interface ExtractionResult {
  readonly claims: readonly BookingClaim[];
  readonly warnings: readonly ExtractionWarning[];
  /** Head of the mail, where the document is one. */
  readonly mail?: {
    readonly from?: string;
    readonly subject?: string;
    readonly date?: string;
    readonly messageId?: string;
    /** The forwarded mail inside it, judged as the source of what it says. */
    readonly inner?: { readonly from?: string; readonly date?: string };
    /** It asks whether mails may be forwarded here. */
    readonly forwarding?: ForwardingQuestion;
  };
}

export const EXTRACTORS = { jsonLd: 'json-ld/1', microdata: 'microdata/1', ical: 'ical/1' } as const;
