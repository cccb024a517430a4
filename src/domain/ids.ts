import { createHash, hash } from 'node:crypto';

/**
 * Ids are typed strings with a prefix. Where the input allows, an id is a digest of what it names, so that a repeat of
 * the same work gives the same id and falls away.
 */
export type Id<P extends string> = `${P}_${string}`;
export type TenantId = Id<'tnt'>;
export type TravellerId = Id<'trv'>;
export type MailboxId = Id<'mbx'>;
export type MailId = Id<'mail'>;
export type ObservationId = Id<'obs'>;
export type ReservationId = Id<'rsv'>;
export type LegId = Id<'leg'>;
export type SubjectId = Id<'sub'>;
export type EventId = Id<'evt'>;
export type EndpointId = Id<'whe'>;
export type TokenId = Id<'tok'>;

/** The tenant of a single-machine installation, unless more are made. */
export const DEFAULT_TENANT: TenantId = 'tnt_default';

/** The prefix and 26 base-32 characters (130 bits) of a SHA-256 over the length-framed parts. */
export function derivedId<P extends string>(prefix: P, ...parts: readonly IdPart[]): Id<P> {
  return `${prefix}_${digestChars(parts)}`;
}

/**
 * The same behind the characters of a time (`timeChars`, or none), which must be as stable as the parts. Ids of about the
 * same time then stand together in an index; digests alone fall all over it, and each row rewrites pages of its own.
 */
export function derivedIdAt<P extends string>(prefix: P, time: string, ...parts: readonly IdPart[]): Id<P> {
  return `${prefix}_${time}${digestChars(parts)}`;
}

const DIGEST_CHARS = 26;
const TIME_CHARS = 10;

/** Of a time: they sort as it does. */
export function timeChars(epochMs: number): string {
  let time = '';
  for (let rest = Math.max(0, Math.trunc(epochMs)), i = 0; i < TIME_CHARS; i++, rest = Math.floor(rest / 32))
    time = ALPHABET[rest % 32] + time;
  return time;
}

/** Those of an id made by `derivedIdAt`; none where it has none. */
export function timeCharsOf(id: string): string {
  const from = id.indexOf('_') + 1;
  return id.length === from + TIME_CHARS + DIGEST_CHARS ? id.slice(from, from + TIME_CHARS) : '';
}

type IdPart = string | number | Uint8Array;

function digestChars(parts: readonly IdPart[]): string {
  return base32(digestOf(parts).subarray(0, 17)).slice(0, DIGEST_CHARS);
}

/** In one call where all is text: that is several times as fast as a hash object. */
function digestOf(parts: readonly IdPart[]): Uint8Array {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'object') return digestOfBytes(parts);
    const one = String(part);
    text += `${Buffer.byteLength(one)}:${one}`;
  }
  return hash('sha256', text, 'buffer');
}

function digestOfBytes(parts: readonly IdPart[]): Uint8Array {
  const digest = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'object' ? part : Buffer.from(String(part), 'utf8');
    digest.update(`${bytes.byteLength}:`);
    digest.update(bytes);
  }
  return digest.digest();
}

/** A sortable id: 10 characters of milliseconds, then `random` (at least 80 bits, from the random port). */
export function sortableId<P extends string>(prefix: P, epochMs: number, random: Uint8Array): Id<P> {
  return `${prefix}_${timeChars(epochMs)}${base32(random)}`;
}

/** Crockford's alphabet in lower case: sorts like the number, no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export function base32(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      out += ALPHABET[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  if (bits > 0) out += ALPHABET[(value << (5 - bits)) & 31];
  return out;
}
