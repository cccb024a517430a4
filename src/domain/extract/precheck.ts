import { forwardingHost } from '../mail/forwarding/confirmation.ts';
import { decodeTransfer } from '../mail/walk/transfer.ts';
import { walkMail } from '../mail/walk/walk.ts';

/** How content is read. */
export type ContentKind = 'html' | 'json' | 'calendar' | 'none';

const TYPES: Readonly<Record<string, ContentKind>> = {
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/x-amp-html': 'html',
  'application/ld+json': 'json',
  'application/json': 'json',
  'text/calendar': 'calendar',
  'application/ics': 'calendar',
  'text/x-vcalendar': 'calendar',
  'application/hbs-ics': 'calendar',
};
const EXTENSIONS: Readonly<Record<string, ContentKind>> = {
  ics: 'calendar',
  ical: 'calendar',
  vcs: 'calendar',
  html: 'html',
  htm: 'html',
  json: 'json',
  jsonld: 'json',
};

/** Kind of a MIME part by its type, or by its file name where the type says nothing. */
export function kindOfPart(type: string, fileName: string | undefined): ContentKind {
  const byType = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (byType !== undefined) return byType;
  if (!['application/octet-stream', 'text/plain', 'application/x-unknown', ''].includes(type)) return 'none';
  return kindOfName(fileName);
}

function kindOfName(fileName: string | undefined): ContentKind {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(fileName ?? '')?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(EXTENSIONS, extension) ? (EXTENSIONS[extension] ?? 'none') : 'none';
}

/** Kind of a whole document by its beginning; the file name is only asked where the content does not tell. */
export function kindOfBytes(bytes: Buffer, fileName: string | undefined): ContentKind | 'mail' {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const head = (utf16 ? bytes.toString('latin1', 2, 4096).replaceAll('\0', '') : bytes.toString('latin1', 0, 2048))
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (/^BEGIN:VCALENDAR/i.test(head)) return 'calendar';
  if (/^[[{]/.test(head)) return 'json';
  if (/^<(?:!doctype|!--|html|head|body|div|script|\?xml|table|meta|p|span)\b/i.test(head) || head.startsWith('<!--'))
    return 'html';
  // A mbox separator, or a header line: `Name: value`.
  if (/^(?:>?From [^\n]{1,200}\n)?[!-9;-~]{1,76}:/.test(head)) return 'mail';
  const byName = kindOfName(fileName);
  if (byName !== 'none') return byName;
  return /\.eml$/i.test(fileName ?? '') ? 'mail' : 'none';
}

const MARKS: Readonly<Record<Exclude<ContentKind, 'none'>, readonly Buffer[]>> = {
  html: ['ld+json', 'schema.org', 'LD+JSON', 'Schema.org', 'SCHEMA.ORG'].map((mark) => Buffer.from(mark)),
  json: [Buffer.from('eservation')],
  calendar: ['BEGIN:VEVENT', 'begin:vevent', 'Begin:VEvent'].map((mark) => Buffer.from(mark)),
};

/** Whether decoded content can hold a reservation at all: a search for bytes, before anything is parsed. */
export function holdsTravelMarks(kind: Exclude<ContentKind, 'none'>, decoded: Buffer): boolean {
  // UTF-16 would hide the marks.
  if (
    (decoded[0] === 0xff && decoded[1] === 0xfe) ||
    (decoded[0] === 0xfe && decoded[1] === 0xff) ||
    decoded.subarray(0, 200).includes(0)
  )
    return true;
  return MARKS[kind].some((mark) => decoded.includes(mark));
}

/**
 * Whether a document may hold a reservation, or asks whether mails may be forwarded here: for most mails a cheap no.
 * Base64 and quoted-printable parts are decoded, because no search in the encoded text can rule them out. A bound that
 * stops the walk counts as yes: the reader will report it.
 */
export function mayHoldReservation(document: Uint8Array, fileName?: string): boolean {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  const kind = kindOfBytes(bytes, fileName);
  if (kind === 'none') return false;
  if (kind !== 'mail') return holdsTravelMarks(kind, bytes);
  const walk = walkMail(bytes);
  return (
    walk.problem !== undefined ||
    forwardingHost(walk.head) !== undefined ||
    walk.parts.some((part) => {
      const partKind = kindOfPart(part.type, part.fileName);
      return partKind !== 'none' && holdsTravelMarks(partKind, decodeTransfer(part.body, part.encoding));
    })
  );
}
