import { createHash } from 'node:crypto';
import { base32, DEFAULT_TENANT, type TenantId, type TokenId, type TravellerId } from '../domain/ids.ts';
import type { Random } from '../ports/clock.ts';
import type { ApiToken, Scope } from '../ports/store/accounts.ts';
import type { Store } from '../ports/store.ts';
import { Problem } from './problems.ts';

/** Who asks: decides the tenant and, for a bound token, the one traveller that exists for it. */
export interface Caller {
  readonly tenant: TenantId;
  /** Set: this traveller only; everything else is not found. */
  readonly traveller: TravellerId | undefined;
  readonly scopes: readonly Scope[];
  /** Token id, or `cli`: what an observation by hand names as its source. */
  readonly ref: TokenId | string;
}

/** 256 bits; only its SHA-256 is kept. */
export function newToken(random: Random): string {
  return `twk_${base32(random.bytes(32))}`;
}

/** What the store keeps of a token or of a forwarding address. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** The caller of a token. Errors: `token-missing`, `token-unknown` (revoked ones are unknown too). */
export async function callerOf(store: Store, token: string | undefined): Promise<Caller> {
  if (token === undefined || token === '') {
    throw new Problem(
      'token-missing',
      'Send the header "Authorization: Bearer twk_…"; `tripwatch token add` or POST /v1/tokens makes one.',
    );
  }
  const found = token.startsWith('twk_') ? await findToken(store, token, 'api') : undefined;
  if (found === undefined) {
    throw new Problem(
      'token-unknown',
      'This token does not exist or was revoked; `tripwatch token add` makes a new one.',
    );
  }
  return { tenant: found.tenant, traveller: found.traveller, scopes: found.scopes, ref: found.id };
}

/** A token of one use; undefined when unknown, revoked, or of another use. */
export async function findToken(store: Store, token: string, use: ApiToken['use']): Promise<ApiToken | undefined> {
  if (token.length > 200) return undefined;
  const found = await store.read((tx) => tx.accounts.findToken(secretHash(token)));
  return found !== undefined && found.revokedAt === undefined && found.use === use ? found : undefined;
}

/** False once the caller's token was revoked: for what outlives a request. */
export async function stillValid(store: Store, caller: Caller): Promise<boolean> {
  const tokens = await store.read((tx) => tx.accounts.listTokens(caller.tenant));
  return tokens.some((token) => token.id === caller.ref && token.revokedAt === undefined);
}

/** Errors: `scope-missing`. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.includes(scope)) return;
  throw new Problem('scope-missing', `This needs the scope "${scope}"; the token has ${caller.scopes.join(', ')}.`);
}

/** Operates the whole installation, with what all tenants share: the tenant that every installation has is its operator's. */
export function operatesInstallation(caller: Caller): boolean {
  return caller.tenant === DEFAULT_TENANT && caller.traveller === undefined && caller.scopes.includes('operate');
}

/** The traveller a query is about: the bound one, else the asked one. A bound token asking for another gets 404. */
export function scopedTraveller(caller: Caller, asked: string | undefined): TravellerId | undefined {
  if (caller.traveller === undefined) return asked as TravellerId | undefined;
  if (asked !== undefined && asked !== caller.traveller) throw notFound(asked);
  return caller.traveller;
}

/** Refuses a thing of another traveller exactly as one that does not exist. */
export function ensureVisible(caller: Caller, traveller: string | undefined, id: string): void {
  if (caller.traveller !== undefined && caller.traveller !== traveller) throw notFound(id);
}

export function notFound(id: string): Problem {
  const shown = id.length > 80 ? `${id.slice(0, 80)}…` : id;
  return new Problem(
    'not-found',
    `"${shown}" is not known here. Check the id; the lists of travellers, reservations, receipts and so on name them.`,
  );
}
