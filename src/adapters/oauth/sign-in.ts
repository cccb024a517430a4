import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TripwatchError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HttpLine } from '../provider/http/line.ts';

/**
 * Signing in at a mail provider (OAuth 2.0 with PKCE, RFC 6749 and 7636; for programs on a person's own machine RFC 8252):
 * the person consents in a browser, and we get a token that reads mails and nothing else, and one that renews it.
 */
export interface SignInProvider {
  /** Shown to people. */
  readonly label: string;
  readonly authorize: string;
  readonly token: string;
  readonly scopes: readonly string[];
  /** Parameters of the sign-in address that only this provider knows. */
  readonly extra: Readonly<Record<string, string>>;
}

export const SIGN_IN = {
  google: {
    label: 'Google',
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    scopes: ['openid', 'email', 'https://www.googleapis.com/auth/gmail.readonly'],
    // Only with both does Google give a token for renewal each time.
    extra: { access_type: 'offline', prompt: 'consent' },
  },
  microsoft: {
    label: 'Microsoft',
    authorize: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scopes: ['openid', 'email', 'offline_access', 'https://graph.microsoft.com/Mail.Read'],
    extra: { prompt: 'select_account' },
  },
} as const satisfies Readonly<Record<string, SignInProvider>>;
export type SignInName = keyof typeof SIGN_IN;

/** This installation as an application at the provider. */
export interface SignInClient {
  readonly provider: SignInProvider;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

export interface Tokens {
  readonly accessToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Undefined: the one of before still holds. */
  readonly refreshToken: string | undefined;
  /** The address that was signed in, where the provider says it. */
  readonly address: string | undefined;
}

/** Where to send the browser. `verifier`: 43 to 128 characters that only we know; its digest goes along. */
export function signInUrl(
  { provider, clientId }: SignInClient,
  ask: {
    readonly redirectUri: string;
    readonly state: string;
    readonly verifier: string;
    readonly address?: string | undefined;
  },
): string {
  const url = new URL(provider.authorize);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: ask.redirectUri,
    scope: provider.scopes.join(' '),
    state: ask.state,
    code_challenge: createHash('sha256').update(ask.verifier, 'ascii').digest('base64url'),
    code_challenge_method: 'S256',
    ...(ask.address === undefined ? {} : { login_hint: ask.address }),
    ...provider.extra,
  }).toString();
  return url.href;
}

/** Changes the code for tokens. Errors: as `renew`, and permanent `sign-in-incomplete` where there is none for renewal. */
export async function exchangeCode(
  client: SignInClient,
  parts: { readonly line: HttpLine; readonly clock: Pick<Clock, 'now'> },
  code: { readonly code: string; readonly verifier: string; readonly redirectUri: string },
  signal: AbortSignal,
): Promise<Tokens & { readonly refreshToken: string }> {
  const form = {
    grant_type: 'authorization_code',
    code: code.code,
    code_verifier: code.verifier,
    redirect_uri: code.redirectUri,
  };
  const tokens = await ask(client, parts, form, signal);
  if (tokens.refreshToken === undefined)
    throw new TripwatchError(
      'permanent',
      'sign-in-incomplete',
      `${client.provider.label} gave no lasting access. Sign in again and agree to everything that is asked.`,
    );
  return { ...tokens, refreshToken: tokens.refreshToken };
}

/**
 * Another access token. Errors: `unauthorised` `consent-needed` where the owner has to sign in again; permanent
 * `sign-in-client-refused` for a wrong client; transient for the rest.
 */
export async function renew(
  client: SignInClient,
  parts: { readonly line: HttpLine; readonly clock: Pick<Clock, 'now'> },
  refreshToken: string,
  signal: AbortSignal,
): Promise<Tokens> {
  return ask(client, parts, { grant_type: 'refresh_token', refresh_token: refreshToken }, signal);
}

const tokenSchema = z.object({
  access_token: z.string().min(1).max(20_000),
  expires_in: z.coerce.number().positive().default(3600),
  refresh_token: z.string().min(1).max(20_000).optional(),
  id_token: z.string().max(20_000).optional(),
});
const errorSchema = z.object({ error: z.string().max(100) });
const claimsSchema = z.object({
  email: z.string().max(320).optional(),
  preferred_username: z.string().max(320).optional(),
});
const CLIENT_FAULTS = ['invalid_client', 'unauthorized_client', 'redirect_uri_mismatch', 'invalid_scope'];

async function ask(
  { provider, clientId, clientSecret }: SignInClient,
  { line, clock }: { readonly line: HttpLine; readonly clock: Pick<Clock, 'now'> },
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Tokens> {
  const body = new URLSearchParams({
    ...form,
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await line.exchange({ url: provider.token, method: 'POST', headers, body }, signal);
  const json = jsonOf(answer.bytes);
  if (answer.status !== 200) throw refused(provider, answer.status, errorSchema.safeParse(json).data?.error);
  const read = tokenSchema.safeParse(json);
  if (!read.success) throw odd(provider, answer.status);
  const { access_token, expires_in, refresh_token, id_token } = read.data;
  const claims = claimsSchema.safeParse(jsonOf(Buffer.from(id_token?.split('.')[1] ?? '', 'base64url'))).data;
  // Straight from the provider over TLS: its signature proves nothing more (OpenID Connect Core, 3.1.3.7).
  const address = [claims?.email, claims?.preferred_username].find((text) => text?.includes('@'));
  return {
    accessToken: access_token,
    expiresAt: clock.now() + expires_in * 1000,
    refreshToken: refresh_token,
    address,
  };
}

function refused(provider: SignInProvider, status: number, error: string | undefined): TripwatchError {
  if (error === 'invalid_grant' || error === 'interaction_required' || error === 'consent_required')
    return new TripwatchError(
      'unauthorised',
      'consent-needed',
      `${provider.label} has ended our access to this mailbox: it expired or was taken back. Sign in again; your place in the mailbox is kept.`,
    );
  if (error !== undefined && CLIENT_FAULTS.includes(error))
    return new TripwatchError(
      'permanent',
      'sign-in-client-refused',
      `${provider.label} does not take this installation as an application (${error}). Check client id, secret and redirect address: docs/operating/mailboxes.md.`,
    );
  return odd(provider, status);
}

function odd(provider: SignInProvider, status: number): TripwatchError {
  return new TripwatchError(
    'transient',
    'sign-in-unavailable',
    `${provider.label} can sign nobody in at present (status ${status}). It is tried again.`,
  );
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
