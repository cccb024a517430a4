import type { TripwatchError } from '../../domain/errors.ts';
import type { ExtractionResult } from '../../domain/extract/claim.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/** Warnings shown on one receipt. */
const WARNINGS_MAX = 20;

/** Warnings that explain why a mail that carries reservation data gave none, with what to do. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  'json-ld-cut':
    'Its reservation data breaks off in the middle. Forward the original mail, whole and not as a quotation.',
  'json-ld-invalid': 'It carries reservation data that cannot be read. Add the reservation by hand.',
  'calendar-invalid': 'Its calendar file cannot be read. Add the reservation by hand.',
  'reservation-incomplete': 'It carries a reservation without number, time and place. Add the reservation by hand.',
  'part-too-large': 'A part of it is larger than what is read. Add the reservation by hand.',
  'data-truncated': 'It carries more structured data than is read. Add the reservation by hand.',
};

/** What became of a mail that could be opened. */
export function openedReceipt(result: ExtractionResult): ReceiptUpdate {
  const warnings = result.warnings.slice(0, WARNINGS_MAX).map(({ code, message }) => ({ code, message }));
  const count = result.claims.length;
  if (count > 0) {
    const reason = count === 1 ? 'One reservation was found in it.' : `${count} reservations were found in it.`;
    return { disposition: 'imported', reasonCode: 'reservations-found', reason, warnings };
  }
  const why = warnings.find((warning) => Object.hasOwn(EXPLANATIONS, warning.code));
  return {
    disposition: 'nothing-found',
    reasonCode: why?.code ?? 'no-reservation',
    reason: `Opened, and no reservation found. ${
      why === undefined
        ? 'It carries no reservation data (JSON-LD, microdata or calendar) that Tripwatch reads.'
        : EXPLANATIONS[why.code]
    }`,
    warnings,
  };
}

const FAILURES: Readonly<Record<string, string>> = {
  'mail-too-large': 'It is larger than what is read. Forward only the booking confirmation.',
  'mime-too-deep': 'Its parts are nested too deeply to be a genuine confirmation.',
  'mime-too-many-parts': 'It has too many parts to be a genuine confirmation.',
  'mime-headers-too-large': 'Its headers are too large to be a genuine confirmation.',
  'parse-timeout': 'Reading it took too long, so it was set aside.',
  'parse-memory': 'Reading it took too much memory, so it was set aside.',
  'parse-crashed': 'Reading it made the parser stop, so it was set aside.',
  'parse-failed': 'The parser failed on it, so it was set aside.',
  'blob-missing': 'Its stored bytes are gone. Bring the mail again.',
  'blob-corrupt': 'Its stored bytes are damaged. Bring the mail again.',
};

/** What became of a mail that could not be read. */
export function failedReceipt(error: TripwatchError): ReceiptUpdate {
  const known = Object.hasOwn(FAILURES, error.code) ? FAILURES[error.code] : undefined;
  return {
    disposition: 'failed',
    reasonCode: error.code,
    reason: `Could not be read. ${known ?? 'It was set aside; the operator sees it among the dead letters.'}`,
  };
}
