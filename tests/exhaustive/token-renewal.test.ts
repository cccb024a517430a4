import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenSource } from '../../src/adapters/provider/http/token.ts';
import { accountOf } from '../../src/app/mailbox-account.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Credentials } from '../../src/ports/mailbox.ts';
import type { Watch } from '../../src/ports/store/watches.ts';
import { everyCourse, type Play, World } from './courses.ts';

/**
 * Tokens that are fetched for many who ask at once, in every order of what can happen: answers, commits, refusals, a
 * failed fetching. Providers' tokens live in one process (single flight); mailboxes' are shared by processes through the store
 * (single flight in each, compare-and-set between them), and a strict provider takes a token for renewal only once.
 */
const never = new AbortController().signal;
const NOW = 1_800_000_000_000;
const failed = () => new TripwatchError('transient', 'provider-unreachable', 'made for the test');

test('a token of a provider: three who ask, one end of it before its time, one failed fetching', async () => {
  let fetchedMost = 0;
  const begin = (): Play => {
    const world = new World();
    let [good, fetching, failures, fetched] = [0, 0, 0, 0];
    const tokens = createTokenSource(
      () => {
        fetching++;
        return new Promise((resolve, reject) => {
          const fetch = (): void => {
            world.drop('fail to fetch');
            fetching--;
            fetched++;
            resolve({ token: String(++good), lifeMs: 100_000 });
          };
          const fail = (): void => {
            world.drop('fetch');
            fetching--;
            failures++;
            reject(failed());
          };
          world.add({ name: 'fetch', happen: fetch });
          if (failures === 0) world.add({ name: 'fail to fetch', happen: fail });
        });
      },
      { now: () => NOW },
    );
    const question = (token: string) =>
      world.later(`answer ${token}`, () => {
        if (token !== String(good)) throw new TripwatchError('unauthorised', 'provider-unauthorised', 'ended');
        return token;
      });
    const ends: Promise<unknown>[] = [1, 2, 3].map(() =>
      tokens.use(never, question).catch((error: TripwatchError) => {
        assert.equal(error.kind, 'transient', 'nobody is told that the account is refused');
        assert.equal(failures, 1);
      }),
    );
    world.add({ name: 'end the token', happen: () => void good++ });
    return {
      world,
      stateOf: () => `${good} ${fetching} ${failures} ${fetched}`,
      check: () => assert.ok(fetching <= 1, 'one fetching at a time'),
      ended: async () => {
        await Promise.all(ends);
        fetchedMost = Math.max(fetchedMost, fetched);
        assert.ok(fetched <= 2 + failures, `${fetched} fetched`);
      },
    };
  };
  const { courses, states } = await everyCourse(begin);
  console.log(`  ${courses} courses, ${states} states`);
  assert.ok(courses > 10 && fetchedMost === 2, `${courses} courses, ${fetchedMost} fetched at most`);
});

for (const strict of [true, false])
  test(`access to a mailbox: two processes, three who ask, a provider whose tokens for renewal are good ${strict ? 'once' : 'for ever'}`, async () => {
    const { courses, states } = await everyCourse(() => mailbox(strict));
    console.log(`  ${courses} courses, ${states} states`);
    assert.ok(courses > 50);
  });

function mailbox(strict: boolean): Play {
  const world = new World();
  const first = { kind: 'oauth', user: 'a@example.net', client: 'google', refreshToken: 'r0' };
  let sealed = JSON.stringify(first);
  /** The newest token for renewal, and what it was changed for. */
  let serial = 0;
  let exchanges = 0;
  const given = new Set<string>();
  const under = [0, 0];

  const processOf = (index: number) => {
    const watch = { tenant: 'tnt_default', mailbox: 'mbx_a', settings: {} } as unknown as Watch;
    const watches = {
      get: async () => ({ ...watch, sealedCredentials: sealed }),
      swapCredentials: async (_: unknown, before: string, after: string) => {
        if (sealed !== before) return false;
        sealed = after;
        return true;
      },
    };
    const tx = { watches };
    const parts = {
      store: {
        read: <T>(work: (tx: unknown) => Promise<T>) => world.later(`${index} read`, () => work(tx)),
        transact: <T>(work: (tx: unknown) => Promise<T>) => world.later(`${index} store`, () => work(tx)),
      },
      secrets: { seal: (plain: string) => plain, open: (text: string) => text },
      clock: { now: () => NOW, speed: 1, sleep: () => world.later(`${index} wait`, () => {}, true) },
      config: { oauth: { google: { clientId: 'c' } } },
      line: {
        exchange: async ({ body }: { readonly body: string }) => {
          exchanges++;
          under[index]!++;
          const token = new URLSearchParams(body).get('refresh_token');
          try {
            const answer = await world.later(`${index} ask`, () => {
              if (strict && token !== `r${serial}`) return { status: 400, json: { error: 'invalid_grant' } };
              const next = ++serial;
              given.add(`a${next}`);
              const rotated = strict ? { refresh_token: `r${next}` } : {};
              return { status: 200, json: { access_token: `a${next}`, expires_in: 3600, ...rotated } };
            });
            await world.later(`${index} hear`, () => {});
            return { status: answer.status, headers: {}, bytes: Buffer.from(JSON.stringify(answer.json)) };
          } finally {
            under[index]!--;
          }
        },
      },
    };
    return accountOf(parts as never, watch);
  };
  const processes = [processOf(0), processOf(1)] as const;
  const ask = (index: 0 | 1): Promise<Credentials> => processes[index].credentials(never);
  const asked = Promise.all(
    [ask(0), ask(0), ask(1)].map(async (one) => {
      const got = await one;
      assert.ok(got.kind === 'token' && given.has(got.accessToken), 'a token that was given');
    }),
  );
  // Looked at when the course has ended.
  asked.catch(() => undefined);
  return {
    world,
    stateOf: () => `${sealed} ${serial} ${exchanges} ${under}`,
    check: () =>
      assert.ok(
        under.every((count) => count <= 1),
        'one renewal at a time in each process',
      ),
    ended: async () => {
      await asked;
      assert.ok(exchanges <= 2, `${exchanges} renewals`);
      const stored = JSON.parse(sealed) as { refreshToken: string; accessToken: string };
      assert.equal(stored.refreshToken, strict ? `r${serial}` : 'r0', 'what renews next time');
      assert.ok(given.has(stored.accessToken));
    },
  };
}
