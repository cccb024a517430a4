import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TripwatchError } from '../../../domain/errors.ts';

/**
 * What the watcher stores for us, opaque to it, as JSON. A UID means something only together with its folder's
 * UIDVALIDITY (RFC 9051, 2.3.1.1).
 */
const place = z.object({
  /** UIDVALIDITY, or what stands for it where the server gives none. */
  v: z.string().max(40),
  /** The last UID that was given: what comes after it is new. */
  u: z.int().min(0),
  /** HIGHESTMODSEQ when the folder had been read to its end: unchanged, there is nothing to look for. */
  m: z.string().max(20).optional(),
  /** Reading anew what was received since a day: up to this UID mails may be old, so the day decides. */
  r: z.int().min(0).optional(),
});
export type Place = z.infer<typeof place>;

const liveCursor = z.object({ k: z.literal('live'), f: z.record(z.string().max(1000), place) });
export type LiveCursor = z.infer<typeof liveCursor>;

const backfillCursor = z.object({
  k: z.literal('back'),
  /** The folder at which it is; empty: at the end. */
  f: z.string().max(1000),
  v: z.string().max(40),
  /** Below this UID, what was not yet given. */
  u: z.int().min(0),
  /** Folders that were gone through. */
  d: z.array(z.string().max(1000)).max(1000),
});
export type BackfillCursor = z.infer<typeof backfillCursor>;

export const encodeCursor = (cursor: LiveCursor | BackfillCursor): string => JSON.stringify(cursor);
/** Errors: permanent `mailbox-cursor-invalid` for what is none of ours. */
export const readLiveCursor = (text: string): LiveCursor => read(liveCursor, text);
export const readBackfillCursor = (text: string): BackfillCursor => read(backfillCursor, text);

function read<T>(schema: z.ZodType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Falls through: no JSON is no cursor.
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new TripwatchError(
    'permanent',
    'mailbox-cursor-invalid',
    'The stored place in the mailbox cannot be read. Disconnect the mailbox and connect it again; mails are not doubled by it.',
  );
}

/**
 * Names a mail: folder, UIDVALIDITY, UID and the beginning of its header block's digest, which tells another mail that
 * came to the same number, at a server that gives numbers twice.
 */
export interface MailRef {
  readonly folder: string;
  readonly validity: string;
  readonly uid: number;
  readonly digest: string;
}

export const refOf = ({ folder, validity, uid, digest }: MailRef): string => `${folder};${validity};${uid};${digest}`;

export const digestOf = (head: Uint8Array): string => createHash('sha256').update(head).digest('hex').slice(0, 16);

/** Undefined for what is no reference of ours. */
export function readRef(ref: string): MailRef | undefined {
  const parts = /^(.+);([^;]+);(\d{1,10});([0-9a-f]{16})$/s.exec(ref);
  if (parts === null) return undefined;
  return { folder: parts[1]!, validity: parts[2]!, uid: Number(parts[3]), digest: parts[4]! };
}
