import { TripwatchError } from '../errors.ts';
import { type ForwardingQuestion, forwardingHost, readForwardingQuestion } from '../mail/forwarding/confirmation.ts';
import { isForward, type QuotedMail, readQuotedMail } from '../mail/forwarding/quoted.ts';
import type { MailHead } from '../mail/head.ts';
import { WALK_LIMITS } from '../mail/walk/limits.ts';
import { decodeTransfer } from '../mail/walk/transfer.ts';
import { type MailPart, type MailWalk, type WalkProblem, walkMail } from '../mail/walk/walk.ts';
import { EXTRACTORS, type ExtractionResult } from './claim.ts';
import { joinDrafts } from './claims.ts';
import { decodeText } from './decode.ts';
import { type Draft, Warnings } from './draft.ts';
import { readDrafts } from './drafts.ts';
import { readHtml } from './html.ts';
import { readCalendar } from './ical.ts';
import { parseJsonLeniently } from './json-repair.ts';
import { EXTRACT_LIMITS, type ExtractLimits } from './limits.ts';
import { type ContentKind, holdsTravelMarks, kindOfBytes, kindOfPart } from './precheck.ts';
import { findReservations, type ReservationNode } from './reservation-nodes.ts';

export interface DocumentInput {
  readonly bytes: Uint8Array;
  readonly fileName?: string;
  /** ISO instant. */
  readonly receivedAt: string;
  readonly limits?: Partial<ExtractLimits>;
}

/**
 * Reads the reservations that a document states: a mail with its parts and the mails forwarded in it, an HTML page, a
 * JSON-LD file or a calendar. Pure: the same bytes and date give the same result. A document that is no travel gives no
 * claims and no error.
 *
 * Errors: poison `mail-too-large`, `mime-too-deep`, `mime-too-many-parts`, `mime-headers-too-large`.
 */
export function extractDocument(input: DocumentInput): ExtractionResult {
  const limits = { ...EXTRACT_LIMITS, ...input.limits };
  const bytes = Buffer.from(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength);
  if (bytes.length > limits.bytesMax) {
    throw new TripwatchError(
      'poison',
      'mail-too-large',
      `the document has ${bytes.length} bytes; at most ${limits.bytesMax} are read`,
    );
  }
  const warnings = new Warnings();
  const kind = kindOfBytes(bytes, input.fileName);
  const context: Context = { receivedAt: input.receivedAt, limits, warnings };
  if (kind === 'mail') {
    const mail = walkMail(bytes);
    if (mail.problem !== undefined) throw walkError(mail.problem);
    const quoted = quotedIn(mail, bytes);
    const nodes = mail.parts.flatMap((part) => readPart(part, context, quoted));
    const forwarding = askedToForward(mail);
    const described = { ...describeMail(mail, quoted), ...(forwarding === undefined ? {} : { forwarding }) };
    return { ...finish(nodes, context), mail: described };
  }
  return finish(
    readContent({ kind, bytes, charset: undefined, where: WHERE[kind], mailDate: undefined }, context),
    context,
  );
}

interface Context {
  readonly receivedAt: string;
  readonly limits: ExtractLimits;
  readonly warnings: Warnings;
}

const WHERE: Readonly<Record<ContentKind, string>> = { html: 'HTML', json: 'JSON', calendar: 'calendar', none: 'text' };

function finish(nodes: readonly ReservationNode[], context: Context): Pick<ExtractionResult, 'claims' | 'warnings'> {
  const drafts: Draft[] = nodes.flatMap((node) => readDrafts(node, context.warnings));
  const claims = joinDrafts(drafts, context.receivedAt, context.limits, context.warnings);
  return { claims, warnings: context.warnings.all };
}

function readPart(part: MailPart, context: Context, quoted: QuotedMail | undefined): readonly ReservationNode[] {
  const kind = kindOfPart(part.type, part.fileName);
  if (kind === 'none') return [];
  const forwarded = part.mail.level > 0 ? `forwarded mail, ` : '';
  const where = `${forwarded}${part.type} part ${part.index}`;
  if (part.body.length > context.limits.partBytesMax) {
    context.warnings.add('part-too-large', `a part of ${part.body.length} bytes was passed over`, where);
    return [];
  }
  const bytes = decodeTransfer(part.body, part.encoding);
  const mailDate = (part.mail.level === 0 ? quoted?.date : undefined) ?? dateOf(part.mail.head);
  return readContent({ kind, bytes, charset: part.charset, where, mailDate }, context);
}

interface Content {
  readonly kind: ContentKind;
  readonly bytes: Buffer;
  readonly charset: string | undefined;
  readonly where: string;
  readonly mailDate: string | undefined;
}

function readContent(content: Content, context: Context): readonly ReservationNode[] {
  const { kind, bytes, where } = content;
  if (kind === 'none' || !holdsTravelMarks(kind, bytes)) return [];
  if (kind === 'calendar') {
    if (bytes.length > context.limits.calendarBytesMax) {
      context.warnings.add('part-too-large', `a calendar of ${bytes.length} bytes was passed over`, where);
      return [];
    }
    return readCalendar(
      decodeText(bytes, content.charset),
      { where, mailDate: content.mailDate },
      context.limits,
      context.warnings,
    );
  }
  if (kind === 'json')
    return readJson(decodeText(bytes, content.charset), { where, mailDate: content.mailDate }, context);
  return readHtmlContent(decodeText(bytes, content.charset ?? metaCharset(bytes)), content, context);
}

function readJson(
  text: string,
  at: { readonly where: string; readonly mailDate: string | undefined },
  context: Context,
): readonly ReservationNode[] {
  if (text.length > context.limits.jsonBytesMax) {
    context.warnings.add('part-too-large', `a JSON block of ${text.length} characters was passed over`, at.where);
    return [];
  }
  const parsed = parseJsonLeniently(text, context.limits.nodeDepthMax * 2);
  if (parsed.problem !== undefined)
    context.warnings.add(`json-ld-${parsed.problem}`, JSON_PROBLEMS[parsed.problem], at.where, text.slice(0, 200));
  return parsed.values.flatMap((value, index) => {
    const where = parsed.values.length > 1 ? `${at.where}, value ${index + 1}` : at.where;
    return findReservations(value, { where, extractor: EXTRACTORS.jsonLd, mailDate: at.mailDate }, context.limits);
  });
}

const JSON_PROBLEMS = {
  repaired: 'the structured data was not valid JSON and was mended',
  cut: 'the structured data breaks off; what was incomplete was not read',
  invalid: 'the structured data is not JSON and could not be mended',
} as const;

function readHtmlContent(html: string, content: Content, context: Context): readonly ReservationNode[] {
  const data = readHtml(html, context.limits);
  if (data.truncated)
    context.warnings.add('data-truncated', 'the document holds more structured data than is read', content.where);
  const nodes = data.scripts.flatMap((script, index) =>
    readJson(script, { where: `${content.where}, JSON-LD block ${index + 1}`, mailDate: content.mailDate }, context),
  );
  const found = { where: `${content.where}, microdata`, extractor: EXTRACTORS.microdata, mailDate: content.mailDate };
  return [...nodes, ...findReservations([...data.items], found, context.limits)];
}

/** Charset that the HTML itself names, where the mail does not. */
function metaCharset(bytes: Buffer): string | undefined {
  return /<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]{2,40})/i.exec(bytes.toString('latin1', 0, 4096))?.[1];
}

/** Text that is read of a mail host's question, and for the head above a quoted mail. */
const TEXT_BYTES_MAX = 64 * 1024;
const TEXT_PARTS_MAX = 4;

/** Its own text, not that of mails attached to it. */
function ownTexts({ parts }: MailWalk): readonly string[] {
  return parts
    .filter(({ type, mail }) => mail.level === 0 && (type === 'text/plain' || type === 'text/html'))
    .slice(0, TEXT_PARTS_MAX)
    .map(({ body, encoding, charset }) =>
      decodeText(decodeTransfer(body.subarray(0, TEXT_BYTES_MAX), encoding), charset),
    );
}

/** Whether it is a mail host's question to forward mails here. */
function askedToForward(mail: MailWalk): ForwardingQuestion | undefined {
  return forwardingHost(mail.head) === undefined ? undefined : readForwardingQuestion(mail.head, ownTexts(mail));
}

/** The mail that this one forwards by quoting it. */
function quotedIn(mail: MailWalk, bytes: Buffer): QuotedMail | undefined {
  if (!isForward(mail.head.subject) || mail.parts.some((part) => part.mail.level > 0)) return undefined;
  const [, sign, hours, minutes] = DATE_OFFSET.exec(bytes.toString('latin1', 0, TEXT_BYTES_MAX)) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
  return readQuotedMail(ownTexts(mail), { ms: mail.head.date, offsetMinutes: offset });
}

const DATE_OFFSET = /^date:[^\r\n]{0,80}\s([+-])(\d{2})(\d{2})/im;

function describeMail(mail: MailWalk, quoted: QuotedMail | undefined): NonNullable<ExtractionResult['mail']> {
  const attached = mail.parts.find((part) => part.mail.level > 0)?.mail.head;
  const inner = attached === undefined ? quoted : describeSender(attached);
  const { subject, messageId } = mail.head;
  return {
    ...describeSender(mail.head),
    ...(subject === '' ? {} : { subject: subject.slice(0, HEADER_MAX) }),
    ...(messageId === undefined ? {} : { messageId: messageId.slice(0, HEADER_MAX) }),
    ...(inner === undefined ? {} : { inner }),
  };
}

function describeSender(head: MailHead): { readonly from?: string; readonly date?: string } {
  const from = head.fromAddress || head.fromName;
  const date = dateOf(head);
  return { ...(from === '' ? {} : { from: from.slice(0, HEADER_MAX) }), ...(date === undefined ? {} : { date }) };
}

/** Longest header shown. */
const HEADER_MAX = 500;

/** ISO instant of the Date header. */
function dateOf(head: MailHead): string | undefined {
  if (head.date === undefined) return undefined;
  return Temporal.Instant.fromEpochMilliseconds(head.date).toString({ smallestUnit: 'millisecond' });
}

function walkError(problem: WalkProblem): TripwatchError {
  const [code, message] = WALK_ERRORS[problem];
  return new TripwatchError('poison', code, message);
}

const WALK_ERRORS: Readonly<Record<WalkProblem, readonly [code: string, message: string]>> = {
  'too-large': ['mail-too-large', `the mail has more than ${WALK_LIMITS.bytesMax} bytes`],
  'too-deep': ['mime-too-deep', `parts are nested more than ${WALK_LIMITS.depthMax} deep`],
  'too-many-parts': ['mime-too-many-parts', `the mail has more than ${WALK_LIMITS.partsMax} parts`],
  'headers-too-large': ['mime-headers-too-large', `the headers exceed ${WALK_LIMITS.headerBytesMax} bytes`],
};
