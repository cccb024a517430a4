import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { HttpLine, LineRequest } from '../provider/http/line.ts';
import { exchangeCode, renew, SIGN_IN, type SignInClient, signInUrl } from './sign-in.ts';

const client: SignInClient = { provider: SIGN_IN.google, clientId: 'client-1', clientSecret: 'hush' };
const clock = { now: () => 1_000_000 };
const signal = new AbortController().signal;

function answering(status: number, body: unknown): { readonly line: HttpLine; readonly asked: LineRequest[] } {
  const asked: LineRequest[] = [];
  const line = {
    exchange: async (request: LineRequest) => {
      asked.push(request);
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      return { status, headers: {}, bytes, truncated: false };
    },
  } as unknown as HttpLine;
  return { line, asked };
}
const formOf = (request: LineRequest | undefined) => Object.fromEntries(new URLSearchParams(request?.body));

test('the sign-in address asks for reading only, with the digest of the verifier and never the verifier', () => {
  for (const provider of Object.values(SIGN_IN)) {
    const verifier = 'v'.repeat(43);
    const text = signInUrl(
      { ...client, provider },
      { redirectUri: 'http://127.0.0.1:1/x', state: 's', verifier, address: 'ada@example.com' },
    );
    const asked = new URL(text).searchParams;
    assert.equal(asked.get('code_challenge'), createHash('sha256').update(verifier).digest('base64url'));
    assert.equal(asked.get('code_challenge_method'), 'S256');
    assert.equal(asked.get('login_hint'), 'ada@example.com');
    assert.ok(!text.includes(verifier) && !text.includes('hush'));
    assert.doesNotMatch(asked.get('scope')!, /modify|send|write|full|mail\.google\.com/i);
  }
});

test('a code becomes tokens; the address comes from the provider', async () => {
  const claims = Buffer.from(JSON.stringify({ email: 'ada@example.com' })).toString('base64url');
  const { line, asked } = answering(200, {
    access_token: 'a1',
    expires_in: '3599',
    refresh_token: 'r1',
    id_token: `x.${claims}.y`,
  });
  const tokens = await exchangeCode(client, { line, clock }, { code: 'c', verifier: 'v', redirectUri: 'u' }, signal);
  assert.deepEqual(tokens, { accessToken: 'a1', expiresAt: 4_599_000, refreshToken: 'r1', address: 'ada@example.com' });
  assert.deepEqual(formOf(asked[0]), {
    grant_type: 'authorization_code',
    code: 'c',
    code_verifier: 'v',
    redirect_uri: 'u',
    client_id: 'client-1',
    client_secret: 'hush',
  });
});

test('what goes wrong says who has to do what', async () => {
  for (const [status, body, kind, code] of [
    [400, { error: 'invalid_grant' }, 'unauthorised', 'consent-needed'],
    [401, { error: 'invalid_client' }, 'permanent', 'sign-in-client-refused'],
    [503, '<html>', 'transient', 'sign-in-unavailable'],
    [200, { nothing: true }, 'transient', 'sign-in-unavailable'],
  ] as const) {
    const { line } = answering(status, body);
    await assert.rejects(renew(client, { line, clock }, 'r1', signal), { kind, code });
  }
  const { line } = answering(200, { access_token: 'a1' });
  await assert.rejects(exchangeCode(client, { line, clock }, { code: 'c', verifier: 'v', redirectUri: 'u' }, signal), {
    code: 'sign-in-incomplete',
  });
  assert.equal((await renew(client, { line, clock }, 'r1', signal)).refreshToken, undefined);
});
