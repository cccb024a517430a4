import type { Chance } from './random.ts';

/**
 * Well-formed mails of every structure that is read: nested multiparts, mails in mails, transfer encodings, charsets, names.
 * Seeds for mutations, and input on which the own walk has to agree with postal-mime.
 */
export function makeMail(chance: Chance): Buffer {
  const eol = chance.pick(['\r\n', '\r\n', '\n']);
  const text = Buffer.concat([
    Buffer.from(
      [
        `Received: from mx by here; ${chance.pick(DATES)}`,
        `From: ${chance.pick(FROMS)}`,
        `Subject: ${chance.pick(SUBJECTS)}`,
        `Date: ${chance.pick(DATES)}`,
        `Message-ID: <${chance.below(1e9)}@mail.example>`,
        'MIME-Version: 1.0\r\n',
      ].join('\r\n'),
    ),
    entity(chance, 0),
  ]);
  return eol === '\r\n' ? text : Buffer.from(text.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}

const DATES = ['Tue, 01 Dec 2026 10:00:00 +0100', '1 Dec 2026 10:00 GMT', 'Tue, 1 Dec 2026 10:00:00 -0530'];
const FROMS = [
  'a@b.example',
  '"Air, Example" <x@air.example>',
  '=?UTF-8?Q?Fl=C3=BCge?= <f@air.example>',
  '=?iso-8859-1?B?SPR0ZWw=?= <desk@hotel.example>',
];
const SUBJECTS = [
  'Booking confirmation',
  '=?UTF-8?Q?Ihr_Flug_nach_M=C3=BCnchen?=',
  '=?UTF-8?B?5pel5pys?=\r\n =?UTF-8?B?6Iiq56m6?=',
  'Your trip\r\n\tto Rome',
];

/** Headers of an entity with its body. */
function entity(chance: Chance, depth: number): Buffer {
  const kind = depth > 4 ? 9 : chance.below(10);
  if (kind < 4) return multipart(chance, depth);
  if (kind === 4) return attachedMail(chance, depth);
  return leaf(chance);
}

function multipart(chance: Chance, depth: number): Buffer {
  const number = chance.below(1e9);
  const boundary = chance.pick([`b${number}`, `--=_Part_${number}.x`, `a b ${number}`, `b${number}-`]);
  const quoted = /^[\w-]+$/.test(boundary) && chance.once(2) ? boundary : `"${boundary}"`;
  const subtype = chance.pick(['mixed', 'mixed', 'related', 'report', 'Mixed']);
  const gap = chance.pick([';', '; ', ';\r\n\t', '; charset=utf-8; ', '; (a comment) ']);
  const chunks: Buffer[] = [Buffer.from(`Content-Type: multipart/${subtype}${gap}boundary=${quoted}\r\n\r\n`)];
  if (chance.once(2)) chunks.push(Buffer.from('A preamble.\r\n--not-it\r\n'));
  for (let n = 1 + chance.below(4); n > 0; n--)
    chunks.push(Buffer.from(`--${boundary}${chance.pick(['', '', ' ', '\t '])}\r\n`), entity(chance, depth + 1), CRLF);
  if (!chance.once(6)) chunks.push(Buffer.from(`--${boundary}--\r\n`));
  if (chance.once(4)) chunks.push(Buffer.from('An epilogue.\r\n'));
  return Buffer.concat(chunks);
}

function attachedMail(chance: Chance, depth: number): Buffer {
  const inner = Buffer.concat([Buffer.from('From: inner@c.example\r\nSubject: inner\r\n'), entity(chance, depth + 2)]);
  if (chance.once(3))
    return Buffer.concat([
      Buffer.from('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n'),
      Buffer.from(wrap(inner.toString('base64'))),
    ]);
  return Buffer.concat([Buffer.from('Content-Type: message/rfc822\r\n\r\n'), inner]);
}

const CRLF = Buffer.from('\r\n');
const TYPES = [
  'text/plain',
  'text/html',
  'TEXT/HTML',
  'application/json',
  'application/pdf',
  'image/png',
  'application/ics2',
];
const TEXTS = [
  '<p>Flight LH 400 = FRA-JFK</p>\r\n<script type="application/ld+json">{"@type":"FlightReservation","a":1}</script>',
  'Grüße aus Zürich\r\n--\r\n-- \r\nBis bald',
  '{"@type":"Event"}',
  '',
  'x'.repeat(300),
  'line\r\n\r\nline\r\n  indented = 1=3D\r\n--b0x\r\n',
];
/** Name parameters as senders write them. */
const NAMES = [
  'filename=ticket.pdf',
  'filename="boarding pass.pdf"',
  "filename*=utf-8''M%C3%BCnchen.pdf",
  'filename*0*=utf-8\'\'M%C3%BC; filename*1="nchen .pdf"',
  'filename="=?UTF-8?Q?M=C3=BCnchen.pdf?="',
  'filename=Invoice(1).pdf; size=12',
  'filename="a \\"quoted\\" name.pdf"',
];

/** Each leaf is an attachment, so that the oracle gives it by itself. */
function leaf(chance: Chance): Buffer {
  const type = chance.pick(TYPES);
  const charset = chance.pick(['utf-8', 'iso-8859-1', 'windows-1252', '"utf-8"']);
  const text = chance.pick(TEXTS);
  const binary = type.startsWith('image') || type.endsWith('pdf');
  const bytes = binary
    ? Buffer.from(Array.from({ length: chance.below(200) }, () => chance.below(256)))
    : Buffer.from(text, charset.includes('utf') ? 'utf8' : 'latin1');
  const encoding = binary
    ? 'base64'
    : chance.pick(['base64', 'Quoted-Printable', '8bit', 'quoted-printable ', 'BASE64 (x)']);
  const lower = encoding.toLowerCase();
  const body = lower.startsWith('base64')
    ? Buffer.from(wrap(bytes.toString('base64')))
    : lower.startsWith('quoted')
      ? Buffer.from(quotedPrintable(bytes, chance))
      : bytes;
  const headers = [
    `Content-Type: ${type}; charset=${charset}`,
    `Content-Transfer-Encoding: ${encoding}`,
    `Content-Disposition: attachment;${chance.pick([' ', '\r\n\t'])}${chance.pick(NAMES)}`,
  ];
  if (chance.once(3)) headers.push('X-Folded: one\r\n two\r\n\tthree');
  return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), body]);
}

function wrap(text: string): string {
  return text.replace(/.{1,76}/g, '$&\r\n').trimEnd();
}

function quotedPrintable(bytes: Buffer, chance: Chance): string {
  return bytes
    .toString('latin1')
    .split('\r\n')
    .map((line) => {
      let out = '';
      for (const char of line) {
        const code = char.charCodeAt(0);
        out += code < 33 || code > 126 || code === 61 ? `=${code.toString(16).toUpperCase().padStart(2, '0')}` : char;
        if (chance.once(30)) out += '=\r\n';
      }
      return out;
    })
    .join('\r\n');
}
