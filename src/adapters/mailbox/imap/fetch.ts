import type { ImapFlow } from 'imapflow';
import type { FetchedMail } from '../../../ports/mailbox.ts';
import { digestOf, type MailRef } from './cursor.ts';
import { answerOdd } from './failures.ts';
import { HEAD, headOf, stillThere } from './heads.ts';
import { CHUNK_BYTES } from './limits.ts';

/**
 * One whole mail of the open folder, in pieces, so that a server that lies about sizes cannot make us hold more than
 * asked for. One byte more than `bytesMax` is asked for: whether it comes says whether the mail is cut.
 */
export async function fetchMail(
  client: ImapFlow,
  { uid, digest }: MailRef,
  bytesMax: number,
  host: string,
): Promise<FetchedMail> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (let odd = 0; total <= bytesMax; ) {
    const wanted = Math.min(CHUNK_BYTES, bytesMax + 1 - total);
    const row = await client.fetchOne(
      String(uid),
      { uid: true, source: { start: total, maxLength: wanted }, ...(total === 0 ? { bodyParts: [HEAD] } : {}) },
      { uid: true },
    );
    if (row === false) return { kind: 'vanished' };
    if (row.source === undefined || !(row.source instanceof Uint8Array)) {
      if ((await stillThere(client, [uid], host)).length === 0) return { kind: 'vanished' };
      if (++odd > 1) throw answerOdd(host, `no text of UID ${uid}`);
      continue;
    }
    const head = total === 0 ? headOf(row.headers) : undefined;
    // Another mail came to this number, at a server that gives numbers twice.
    if (head !== undefined && digestOf(head) !== digest) return { kind: 'vanished' };
    // A server that ignores the range sends everything from the beginning.
    const ignored = row.source.byteLength > wanted;
    if (ignored) pieces.length = 0;
    const piece = ignored ? row.source.subarray(0, bytesMax + 1) : row.source;
    total = ignored ? piece.byteLength : total + piece.byteLength;
    pieces.push(piece);
    if (ignored || piece.byteLength < wanted) break;
  }
  const bytes = new Uint8Array(Math.min(total, bytesMax));
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, bytes.byteLength - at);
    bytes.set(part, at);
    at += part.byteLength;
  }
  return { kind: 'mail', bytes, truncated: total > bytesMax };
}
