import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { Jwks } from './jwks.ts';

/**
 * Verifies tokens that another service signed for us (RFC 7519, RS256 and ES256 only: what the header asks for never
 * chooses anything weaker). Refuses, never throws, except when the keys cannot be got.
 */
export interface JwtExpected {
  readonly issuers: readonly string[];
  readonly audience: string;
  /** Epoch ms. */
  readonly now: number;
}

export type JwtVerdict =
  | { readonly kind: 'good'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly why: string };

const headerSchema = z.object({ alg: z.enum(['RS256', 'ES256']), kid: z.string().max(200) });
const claimsSchema = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
});

const TOKEN_CHARS_MAX = 8192;
/** Clocks differ. */
const LEEWAY_S = 60;
const RSA_BITS_MIN = 2048;

export async function verifyJwt(token: string, jwks: Jwks, expected: JwtExpected): Promise<JwtVerdict> {
  if (token.length > TOKEN_CHARS_MAX) return refused('it is too long');
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = headerSchema.safeParse(jsonOf(head));
  if (!header.success) return refused('its header is none that is taken');
  const { alg, kid } = header.data;
  const jwk = await jwks.key(kid);
  if (jwk === undefined) return refused('its key is not known');
  const key = keyOf(jwk, alg);
  if (key === undefined) return refused('its key does not fit');
  const signed = Buffer.from(`${head}.${body}`, 'latin1');
  const dsa = alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
  if (!verify('sha256', signed, dsa, Buffer.from(signature, 'base64url'))) return refused('its signature is wrong');
  // Only now is anything of it read.
  const claims = claimsSchema.safeParse(jsonOf(body));
  if (!claims.success) return refused('its claims are incomplete');
  const { iss, aud, exp, iat, nbf } = claims.data;
  const now = expected.now / 1000;
  if (!expected.issuers.includes(iss)) return refused('it is of another issuer');
  if (!(Array.isArray(aud) ? aud : [aud]).includes(expected.audience)) return refused('it is for somebody else');
  if (exp + LEEWAY_S < now) return refused('it has expired');
  if ((nbf ?? iat ?? 0) - LEEWAY_S > now) return refused('it is not valid yet');
  return { kind: 'good', claims: claims.data };
}

function keyOf(jwk: JsonWebKey, alg: 'RS256' | 'ES256'): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
    if (alg === 'RS256') return type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_MIN ? key : undefined;
    return type === 'ec' && details?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function refused(why: string): JwtVerdict {
  return { kind: 'refused', why };
}
