import { z } from 'zod';
import type { Clock } from '../../../ports/clock.ts';
import { readAs } from './failed.ts';
import type { ProviderHttp } from './http.ts';
import { createTokenSource, type TokenSource } from './token.ts';

/** RFC 6749, sections 4.3 and 4.4: a token for a form, with or without a header of the client. */
export interface OAuthOptions {
  readonly http: ProviderHttp;
  readonly clock: Pick<Clock, 'now'>;
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the vendor does not say how long it is good. */
  readonly lifeMs?: number;
}

const tokenSchema = z.object({
  access_token: z.string().min(1).max(20_000),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});

export function createOAuth(options: OAuthOptions): TokenSource {
  const { http, clock, url, form, headers, lifeMs = 30 * 60_000 } = options;
  return createTokenSource(async (signal) => {
    const request = {
      url,
      aside: true,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(form).toString(),
    } as const;
    const token = readAs(tokenSchema, (await http.ask(request, signal)).json);
    return {
      token: token.access_token,
      lifeMs: token.expires_in === undefined ? lifeMs : token.expires_in * 1000,
    };
  }, clock);
}

/** `Basic …` of a name and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
