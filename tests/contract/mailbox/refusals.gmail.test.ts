import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGmailConnector } from '../../../src/adapters/mailbox/gmail/connector.ts';
import { createHttpLine } from '../../../src/adapters/provider/http/line.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { startGmailFake } from '../../../src/sandbox/mailboxes/gmail.ts';
import type { MailReply } from '../../../src/sandbox/mailboxes/server.ts';
import { account, clock, freshBox, GOOD, outside, token } from './api-rig.ts';
import { backfillOf, liveOf, mails, nameOf, never, numbers } from './rig.ts';

/** What only Gmail says: 403 for three different things, quota in units, page tokens and histories that hold no longer. */

async function rig(t: { after(fn: () => Promise<void>): void }, own: Clock = clock) {
  const box = freshBox();
  let scope = false;
  const accepts = (given: string) => (given === GOOD ? (scope ? 'scope' : true) : false);
  const fake = await startGmailFake({ box, now: () => own.now(), accepts });
  // None of this is about being quick.
  const line = createHttpLine({ clock, deadlineMs: 60_000 });
  t.after(async () => {
    await line.close();
    await fake.close();
  });
  return {
    ...{ box, fake, ...outside(box) },
    mayRead: (may: boolean) => {
      scope = !may;
    },
    connector: (unitsPerMinute = 1e6) => createGmailConnector({ clock: own, line, url: fake.url, unitsPerMinute }),
  };
}

const isError = (kind: string, code: string) => (error: unknown) =>
  error instanceof TripwatchError && error.kind === kind && error.code === code;

const refusal = (status: number, reason: string, word: string, headers = {}): MailReply => ({
  ...{ status, headers },
  body: { error: { code: status, message: 'no', errors: [{ message: 'no', domain: 'x', reason }], status: word } },
});

test('a quota that is used up is waited for, whether Google says 403 or 429; no owner is asked for consent', async (t) => {
  const { fake, box, connector, deliver } = await rig(t);
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  await deliver(mails(1, 3));
  for (const status of [403, 429] as const) {
    fake.quotaStatus = status;
    fake.unitsPerMinute = 0;
    await assert.rejects(
      session.live({ cursor: begin, since: 0, max: 10 }, never),
      isError('rate-limited', 'provider-rate-limited'),
    );
  }
  fake.unitsPerMinute = 1e9;
  assert.deepEqual((await liveOf(session, begin)).names, numbers(1, 3));
  assert.equal(box.newestFirst().length, 3);
});

test('a 403 is told by its reason: quota waits, consent needs the owner, a project needs the operator', async (t) => {
  const { fake, connector } = await rig(t);
  const open = () => connector().open(account({}), never);
  for (const [reason, word, kind, code] of [
    ['userRateLimitExceeded', 'PERMISSION_DENIED', 'rate-limited', 'provider-rate-limited'],
    ['dailyLimitExceeded', 'PERMISSION_DENIED', 'rate-limited', 'provider-rate-limited'],
    ['something new', 'UNKNOWN', 'rate-limited', 'provider-rate-limited'],
    ['insufficientPermissions', 'PERMISSION_DENIED', 'unauthorised', 'consent-needed'],
    ['accessNotConfigured', 'PERMISSION_DENIED', 'permanent', 'provider-refused'],
  ] as const) {
    fake.board.next(refusal(403, reason, word));
    await assert.rejects(open(), isError(kind, code), reason);
  }
  // A page of a proxy on the way says nothing about consent.
  fake.board.next({ status: 403, bytes: Buffer.from('<html>no</html>') });
  await assert.rejects(open(), isError('rate-limited', 'provider-rate-limited'));
  await (await open()).close();
});

test('who says how long to wait is heard', async (t) => {
  const { fake, connector } = await rig(t);
  const from = clock.now();
  fake.board.next(refusal(429, 'rateLimitExceeded', 'RESOURCE_EXHAUSTED', { 'retry-after': '90' }));
  await assert.rejects(connector().open(account({}), never), (error: unknown) => {
    assert.ok(error instanceof TripwatchError && error.retryAt !== undefined);
    return error.retryAt >= from + 90_000 && error.retryAt <= clock.now() + 90_000;
  });
});

test('a token without the right to read needs consent again; one that is refused is changed once', async (t) => {
  const { mayRead, connector } = await rig(t);
  mayRead(false);
  await assert.rejects(connector().open(account({}), never), isError('unauthorised', 'consent-needed'));
  mayRead(true);
  const given: (string | undefined)[] = [];
  const changing = {
    ...account({}),
    credentials: async (_: AbortSignal, refused?: unknown) => {
      given.push(refused === undefined ? 'first' : 'other');
      return token(refused === undefined ? 'expired' : GOOD);
    },
  };
  await (await connector().open(changing, never)).close();
  assert.deepEqual(given, ['first', 'other']);
});

test('quota units are paid before each call, so that Google never has to say no; what is live goes first', async (t) => {
  let now = clock.now();
  const slept: number[] = [];
  const own: Clock = {
    ...{ now: () => now, monotonic: () => now, speed: 1 },
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
  const { fake, connector, deliver } = await rig(t, own);
  // A tenth of Google's own figure, so that few mails use it up.
  const unitsPerMinute = 600;
  fake.unitsPerMinute = unitsPerMinute;
  const session = await connector(unitsPerMinute).open(account({}), never);
  await deliver(mails(1, 120), now - 1000);
  const begin = await session.begin(never);
  const from = now;
  // Each head costs 20 units: four minutes of quota.
  const { names } = await backfillOf(session, 20);
  assert.equal(names.length, 120);
  assert.ok(now - from >= 4 * 60_000, `${now - from} ms`);
  assert.ok(fake.units <= unitsPerMinute * ((now - from) / 60_000 + 1), `${fake.units} units`);
  assert.ok(slept.length > 0);
  // The older mails have left a share: the next look at the new ones waits for nothing.
  const [before, waits] = [now, slept.length];
  await session.live({ cursor: begin, since: 0, max: 10 }, never);
  assert.deepEqual([now - before, slept.length - waits], [0, 0]);
});

test('page tokens that hold no longer: nothing is skipped', async (t) => {
  const { fake, box, connector } = await rig(t);
  fake.unitsPerMinute = 1e9;
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  // A second apart: where a token no longer holds, the list goes on from the second that was reached.
  for (const [index, one] of mails(1, 40).entries()) box.deliver(one, clock.now() - (40 - index) * 1000);
  const seen = new Set<string>();
  for (let cursor = begin, more = true; more; ) {
    const page = await session.live({ cursor, since: 0, max: 7 }, never);
    for (const name of page.mails.map(nameOf)) seen.add(name);
    ({ cursor, more } = page);
    fake.forgetPages();
  }
  assert.equal(seen.size, 40);
  const older = new Set<string>();
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await session.backfill({ ...(cursor === undefined ? {} : { cursor }), since: 0, max: 7 }, never);
    for (const name of page.mails.map(nameOf)) older.add(name);
    ({ cursor, more } = page);
    fake.forgetPages();
  }
  assert.equal(older.size, 40);
});

test('a history that is too old (404) is said once, and the list fills the gap', async (t) => {
  const { fake, box, connector, deliver } = await rig(t);
  fake.unitsPerMinute = 1e9;
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  await deliver(mails(1, 5));
  box.expireHistory();
  const { pages, names, cursor } = await liveOf(session, begin, 2);
  assert.equal(pages[0]!.reset, 'history-expired');
  assert.ok(pages.slice(1).every(({ reset }) => reset === undefined));
  assert.deepEqual(new Set(names), new Set(numbers(1, 5)));
  await deliver(mails(6, 6));
  assert.deepEqual((await liveOf(session, cursor)).names, ['6']);
});

test('a mail that leaves the junk is new to us; a mark on one is not', async (t) => {
  const { fake, box, connector } = await rig(t);
  fake.unitsPerMinute = 1e9;
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  const [kept, junk] = mails(1, 2);
  const first = box.deliver(kept!, clock.now());
  const second = box.deliver(junk!, clock.now(), 'junk');
  const { names, cursor } = await liveOf(session, begin);
  assert.deepEqual(names, ['1']);
  box.mark(first.id);
  assert.deepEqual((await liveOf(session, cursor)).names, []);
  box.move(second.id, 'inbox');
  assert.deepEqual((await liveOf(session, cursor)).names, ['2']);
});

test('lines that are cut, answers that are none: tried again, never taken for an empty mailbox', async (t) => {
  const { fake, connector, deliver } = await rig(t);
  fake.unitsPerMinute = 1e9;
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  await deliver(mails(1, 2));
  for (const trouble of ['cut', 'half', 'garbage', { status: 503 }, { status: 500, body: {} }] as const) {
    fake.board.next(trouble);
    await assert.rejects(
      session.live({ cursor: begin, since: 0, max: 10 }, never),
      (error: unknown) => error instanceof TripwatchError && error.kind === 'transient',
      JSON.stringify(trouble),
    );
  }
  assert.deepEqual((await liveOf(session, begin)).names, numbers(1, 2));
});
