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
export function derivedId<P extends string>(prefix: P, ...parts: readonly (string | number | Uint8Array)[]): Id<P> {
  return `${prefix}_${base32(digestOf(parts).subarray(0, 17)).slice(0, 26)}`;
}

/** In one call where all is text: that is several times as fast as a hash object. */
function digestOf(parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'object') return digestOfBytes(parts);
    const one = String(part);
    text += `${Buffer.byteLength(one)}:${one}`;
  }
  return hash('sha256', text, 'buffer');
}

function digestOfBytes(parts: readonly (string | number | Uint8Array)[]): Uint8Array {
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
  let time = '';
  for (let rest = epochMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  return `${prefix}_${time}${base32(random)}`;
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
