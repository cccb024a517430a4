import type { FetchMessageObject, FetchQueryObject, ImapFlow, MessageStructureObject } from 'imapflow';
import { HEAD_BYTES_MAX, type ListedMail } from '../../../ports/mailbox.ts';
import { digestOf, refOf } from './cursor.ts';
import { answerOdd } from './failures.ts';
import { HEADS_AT_ONCE, HEADS_BYTES_MAX, PARTS_MAX } from './limits.ts';

/** Heads of mails of the open folder. The header block is fetched as it is: its digest is the mail's identity. */

export interface OpenFolder {
  readonly name: string;
  /** UIDVALIDITY, or what stands for it. */
  readonly validity: string;
  /** The highest UID that had been given out when it was opened. */
  readonly highest: number;
  readonly modseq: string | undefined;
  /** `performance.now()`. */
  readonly openedAt: number;
}

/** The same question at listing and at fetching gives the same bytes. */
export const HEAD = { key: 'HEADER', start: 0, maxLength: HEAD_BYTES_MAX } as const;
const BARE: FetchQueryObject = { uid: true, size: true, internalDate: true, bodyParts: [HEAD] };
const WHOLE: FetchQueryObject = { ...BARE, bodyStructure: true };

/**
 * The mails of these UIDs, in their order, and how many of the UIDs they account for: a page of large heads ends early.
 * A UID without a mail in the answer was expunged meanwhile, or its row was lost, which is made sure of.
 */
export async function headsOf(
  client: ImapFlow,
  folder: OpenFolder,
  uids: readonly number[],
  host: string,
): Promise<{ readonly mails: readonly ListedMail[]; readonly done: number }> {
  const mails: ListedMail[] = [];
  let bytes = 0;
  let done = 0;
  while (done < uids.length && bytes < HEADS_BYTES_MAX) {
    const batch = uids.slice(done, done + HEADS_AT_ONCE);
    const found = new Map<number, ListedMail>();
    for await (const row of client.fetch(batch.join(','), WHOLE, { uid: true })) {
      const mail = listed(row, folder);
      if (mail !== undefined) found.set(row.uid, mail);
    }
    const missing = batch.filter((uid) => !found.has(uid));
    for (const uid of missing.length === 0 ? [] : await stillThere(client, missing, host)) {
      // What could not be read may have been the structure, which is a stranger's work.
      const row = await client.fetchOne(String(uid), BARE, { uid: true });
      const mail = row === false ? undefined : listed(row, folder);
      if (mail !== undefined) found.set(uid, mail);
      else if ((await stillThere(client, [uid], host)).length > 0) throw answerOdd(host, `no header of UID ${uid}`);
    }
    for (const uid of batch) {
      const mail = found.get(uid);
      if (mail === undefined) continue;
      mails.push(mail);
      bytes += mail.head.byteLength;
    }
    done += batch.length;
  }
  return { mails, done };
}

/** Those of the UIDs that name a mail. */
export async function stillThere(client: ImapFlow, uids: readonly number[], host: string): Promise<readonly number[]> {
  const there = await client.search({ uid: uids.join(',') }, { uid: true });
  if (!Array.isArray(there)) throw answerOdd(host, 'a search was refused');
  return uids.filter((uid) => there.includes(uid));
}

/** A copy; undefined where the answer has none. A server that ignores the limit sends more. */
export function headOf(headers: unknown): Uint8Array | undefined {
  return headers instanceof Uint8Array ? new Uint8Array(headers.subarray(0, HEAD_BYTES_MAX)) : undefined;
}

function listed(row: FetchMessageObject, { name, validity }: OpenFolder): ListedMail | undefined {
  const { uid, headers, size, internalDate, bodyStructure } = row;
  const head = headOf(headers);
  if (head === undefined) return undefined;
  const receivedAt = internalDate instanceof Date ? internalDate.getTime() : 0;
  const parts = bodyStructure === undefined ? undefined : partsOf(bodyStructure);
  return {
    ref: refOf({ folder: name, validity, uid, digest: digestOf(head) }),
    folder: name,
    size: size ?? head.byteLength,
    receivedAt,
    head,
    ...(parts === undefined ? {} : { parts }),
  };
}

export function partsOf(root: MessageStructureObject): NonNullable<ListedMail['parts']> {
  const parts: { type: string; name?: string; size?: number }[] = [];
  const waiting = [root];
  for (let node = waiting.shift(); node !== undefined && parts.length < PARTS_MAX; node = waiting.shift()) {
    const type = String(node.type ?? '').toLowerCase();
    if (type !== '' && !type.startsWith('multipart/')) {
      const name = node.dispositionParameters?.filename ?? node.parameters?.name;
      parts.push({
        type: type.slice(0, 200),
        ...(typeof name === 'string' ? { name: name.slice(0, 500) } : {}),
        ...(typeof node.size === 'number' ? { size: node.size } : {}),
      });
    }
    if (Array.isArray(node.childNodes)) waiting.push(...node.childNodes);
  }
  return parts;
}
