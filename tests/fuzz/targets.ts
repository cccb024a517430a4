import { TripwatchError } from '../../src/domain/errors.ts';
import { extractDocument } from '../../src/domain/extract/document.ts';
import { mayHoldReservation } from '../../src/domain/extract/precheck.ts';
import { readHead } from '../../src/domain/mail/head.ts';
import { scoreMail } from '../../src/domain/mail/score.ts';
import { decodeTransfer } from '../../src/domain/mail/walk/transfer.ts';
import { walkMail } from '../../src/domain/mail/walk/walk.ts';

/** What reads documents of strangers, and the form that each is fed with. */
export const TARGETS = ['headers', 'mime', 'html', 'calendar', 'json-ld'] as const;
export type Target = (typeof TARGETS)[number];

/**
 * Reads a document as the program would. Throws when something is wrong with our code: anything but a TripwatchError of kind
 * poison, a result that breaks its promises, or a document that is ruled out although it holds a reservation.
 */
export function run(target: Target, bytes: Buffer): void {
  if (target === 'headers') readHeaders(bytes);
  else {
    if (target === 'mime') readMime(bytes);
    extract(bytes, FILE_NAMES[target]);
  }
}

const FILE_NAMES = { mime: 'x.eml', html: 'x.html', calendar: 'x.ics', 'json-ld': 'x.json' } as const;

function readHeaders(bytes: Buffer): void {
  const head = readHead(bytes);
  for (const text of [head.fromAddress, head.fromName, head.subject])
    if (!text.isWellFormed() || /[\r\n]/.test(text)) throw new Error(`an unclean text: ${JSON.stringify(text)}`);
  if (head.headerBytes > bytes.length) throw new Error('more headers than bytes');
  const { read, score, reason } = scoreMail(head);
  if (read !== score >= 30 || reason === '') throw new Error('a decision without reason');
}

function readMime(bytes: Buffer): void {
  readHeaders(bytes);
  const walk = walkMail(bytes);
  let inside = 0;
  for (const part of walk.parts) {
    inside += part.mail.level === 0 ? part.body.length : 0;
    if (decodeTransfer(part.body, part.encoding).length > part.body.length)
      throw new Error('decoding makes more of it');
  }
  if (inside > bytes.length) throw new Error('parts overlap');
  const lines = bytes.length - bytes.toString('latin1').replaceAll('\n', '').length;
  // Those of a mail that was encoded as a whole have lines of their own.
  if (walk.parts.filter(({ mail }) => mail.level === 0).length > lines + 1) throw new Error('more parts than lines');
}

function extract(bytes: Buffer, fileName: string): void {
  try {
    const { claims } = extractDocument({ bytes, fileName, receivedAt: '2026-11-22T12:00:00Z' });
    if (claims.length > 0 && !mayHoldReservation(bytes, fileName))
      throw new Error('ruled out, and holds a reservation');
    JSON.stringify(claims);
  } catch (error) {
    if (!(error instanceof TripwatchError) || error.kind !== 'poison') throw error;
  }
}
