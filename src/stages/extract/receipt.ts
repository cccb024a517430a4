import type { TripwatchError } from '../../domain/errors.ts';
import type { ExtractionResult } from '../../domain/extract/claim.ts';
import type { ForwardingQuestion } from '../../domain/mail/forwarding/confirmation.ts';
import type { LegClaim } from '../../domain/observation.ts';
import { orderingMsOf, timePrecision } from '../../domain/time/travel-time.ts';
import type { Verdict } from '../../domain/trust/verdict.ts';
import type { MailVia, ReceiptUpdate } from '../../ports/store/mails.ts';

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

/** Warnings that something may be missing beside what was found, with what to do. */
const MISSING: Readonly<Record<string, string>> = {
  'json-ld-cut': 'Some of its data breaks off: if something is missing, forward the original mail, whole.',
  'json-ld-invalid': 'Some of its data cannot be read: if something is missing, add it by hand.',
  'calendar-invalid': 'Its calendar file cannot be read: if something is missing, add it by hand.',
  'reservation-incomplete': 'One more reservation in it has no number, time and place: add it by hand.',
  'part-too-large': 'A part of it is larger than what is read: if something is missing, add it by hand.',
  'data-truncated': 'It carries more data than is read: if something is missing, add it by hand.',
  'too-many-reservations': 'It names more reservations than are read: if something is missing, add it by hand.',
};

/** A leg that ended so long ago is over, whatever the zone of its place. */
const OVER_MS = 24 * 3_600_000;

/** Opened, and what it says is on its way to the reservations. */
export function beingJoined(receipt: ReceiptUpdate): ReceiptUpdate {
  const { reason } = receipt;
  return {
    ...receipt,
    disposition: 'collected',
    reason: `${reason} It is being joined to what is known.`,
    found: reason,
  };
}

/**
 * What became of a mail that could be opened; `imported` where it says something, whatever that will bring.
 *
 * @param believed how many of the reservations in it are told on; the others are in parts that are forged
 * @param now epoch ms
 */
export function openedReceipt(
  result: ExtractionResult,
  believed: number,
  now: number,
  verdict?: Verdict,
  via?: MailVia,
): ReceiptUpdate {
  const question = via === 'smtp' ? result.mail?.forwarding : undefined;
  if (question !== undefined) return forwardingReceipt(question, verdict);
  const warnings = result.warnings.slice(0, WARNINGS_MAX).map(({ code, message }) => ({ code, message }));
  const count = result.claims.length;
  if (count > 0 && believed === 0)
    return {
      disposition: 'quarantined',
      reasonCode: 'mail-forged',
      reason: `Set aside, and nothing in it was believed. ${trustNote(verdict) ?? ''}`.trim(),
      warnings,
    };
  if (count > 0) {
    const found = count === 1 ? 'One reservation was found in it.' : `${count} reservations were found in it.`;
    const missing = warnings.find((warning) => Object.hasOwn(MISSING, warning.code));
    const legs = result.claims.flatMap((claim) => claim.legs);
    const notes = [
      missing === undefined ? undefined : MISSING[missing.code],
      overNote(legs, now),
      zoneNote(legs),
      trustNote(verdict),
    ];
    const reason = [found, ...notes.filter((note) => note !== undefined)].join(' ');
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

/**
 * A mail host asks whether it may forward mails here. What says yes is shown where the host is proven to have written it;
 * we follow nothing.
 */
function forwardingReceipt({ host, account, code, link }: ForwardingQuestion, verdict?: Verdict): ReceiptUpdate {
  const asksFor = account === undefined ? {} : { asksFor: account };
  const update = { disposition: 'needs-you', warnings: [], ...asksFor } as const;
  const whose = account === undefined ? '' : ` the mails of ${account}`;
  if (verdict !== undefined && verdict.level !== 'authentic')
    return {
      ...update,
      reasonCode: 'forwarding-unproven',
      reason:
        `It says that ${host} asks whether it may forward${whose} here, but nothing proves that it is from ${host}. ` +
        'Do nothing, unless you have just set that up: then have the question sent again.',
    };
  const ways = [
    code === undefined ? undefined : `enter the code ${code} where you set it up`,
    link === undefined ? undefined : `open ${link}`,
  ].filter((way) => way !== undefined);
  const how = ways.length === 0 ? 'answer it at the host' : ways.join(', or ');
  return {
    ...update,
    reasonCode: 'forwarding-confirmation',
    reason:
      `${host} asks whether it may forward${whose} here. If you set that up, ${how}. ` +
      'If not, do nothing: then nothing is forwarded. Tripwatch itself opens no link.',
  };
}

const TIMES = ['end.scheduled', 'end.estimated', 'end.actual', 'start.scheduled', 'start.estimated', 'start.actual'];

/** All of it lies in the past: said, because nothing more will come of it. */
function overNote(legs: readonly LegClaim[], now: number): string | undefined {
  let last = Number.NEGATIVE_INFINITY;
  let day = '';
  for (const { facts } of legs) {
    for (const path of TIMES) {
      const time = facts[path]?.value;
      if (time === undefined || orderingMsOf(time) <= last) continue;
      last = orderingMsOf(time);
      day = String(time).slice(0, 10);
    }
  }
  if (day === '' || last + OVER_MS >= now) return undefined;
  return `It was over on ${day}, so it is kept and not watched.`;
}

/** How far its sender is believed, and what to do where a forward cannot prove anything. */
function trustNote(verdict: Verdict | undefined): string | undefined {
  if (verdict === undefined) return undefined;
  const { attached } = verdict;
  if (attached !== undefined) return `The mail attached to it: ${attached.sentence}`;
  const quoted = verdict.flags.includes('forwarded') && verdict.level !== 'authentic';
  return quoted
    ? `${verdict.sentence} Forward the original as an attachment, so that its signature comes with it.`
    : verdict.sentence;
}

/** A time of day without a zone is never given one by guessing: the traveller can. */
function zoneNote(legs: readonly LegClaim[]): string | undefined {
  for (const { facts } of legs) {
    for (const side of ['start', 'end'] as const) {
      const time = facts[`${side}.scheduled`]?.value;
      if (timePrecision(time) !== 'local' || facts[`${side}.zone`] !== undefined) continue;
      const place = facts[`${side}.code`]?.value ?? facts[`${side}.name`]?.value;
      const where = typeof place === 'string' ? ` at ${place.slice(0, 60)}` : '';
      return `The time zone${where} is not known, so times there stay as printed: set ${side}.zone by hand.`;
    }
  }
  return undefined;
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
