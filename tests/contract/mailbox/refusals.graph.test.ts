import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createGraphConnector } from '../../../src/adapters/mailbox/graph/connector.ts';
import { createHttpLine } from '../../../src/adapters/provider/http/line.ts';
import { systemRandom } from '../../../src/adapters/random/system.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { startGraphFake } from '../../../src/sandbox/mailboxes/graph.ts';
import { failure } from '../../../src/sandbox/mailboxes/graph-subscriptions.ts';
import { type MailServer, Switchboard, startMailServer } from '../../../src/sandbox/mailboxes/server.ts';
import { account, clock, freshBox, GOOD, outside, token } from './api-rig.ts';
import { backfillOf, liveOf, mail, mails, nameOf, never, numbers } from './rig.ts';

/** What only Microsoft Graph does: four calls at a time, places that are gone, folders that go, subscriptions that end. */

const KEY = { id: 'k1', key: Buffer.alloc(32, 7) };
const NEXT = { id: 'k2', key: Buffer.alloc(32, 9) };
const DAY_MS = 86_400_000;

async function rig(t: TestContext, own: Clock = clock) {
  const box = freshBox();
  let may: boolean | 'scope' = true;
  const fake = await startGraphFake({ box, now: () => own.now(), accepts: (given) => given === GOOD && may });
  // None of this is about being quick.
  const line = createHttpLine({ clock, deadlineMs: 60_000 });
  // Where Graph reaches us: it answers the handshake as the service does.
  const here: MailServer = await startMailServer(new Switchboard(), ({ url }) => ({
    status: 200,
    headers: { 'content-type': 'text/plain' },
    bytes: Buffer.from(url.searchParams.get('validationToken') ?? ''),
  }));
  t.after(async () => {
    await line.close();
    await fake.close();
    await here.close();
  });
  const connector = (keys = [KEY], path = '') =>
    createGraphConnector({
      ...{ clock: own, random: systemRandom, line, url: fake.url },
      push: {
        notificationUrl: `${here.url}/notices${path}`,
        lifecycleUrl: `${here.url}/lifecycle${path}`,
        keys: { current: keys[0]!, key: (id) => keys.find((one) => one.id === id)?.key },
      },
    });
  const mayRead = (allowed: boolean | 'scope') => {
    may = allowed;
  };
  return { ...{ box, fake, mayRead, connector, here }, ...outside(box) };
}

const isError = (kind: string, code: string) => (error: unknown) =>
  error instanceof TripwatchError && error.kind === kind && error.code === code;

test('never more than four calls at a time in one mailbox, however many sessions and mails', async (t) => {
  const { fake, connector, deliver } = await rig(t);
  const graph = connector();
  const [one, two] = await Promise.all([graph.open(account({}), never), graph.open(account({}), never)]);
  const [first, second] = await Promise.all([one.begin(never), two.begin(never)]);
  await deliver(mails(1, 30));
  const [a, b] = await Promise.all([liveOf(one, first), liveOf(two, second)]);
  assert.deepEqual([new Set(a.names), new Set(b.names)], [new Set(numbers(1, 30)), new Set(numbers(1, 30))]);
  // With a fifth the fake would have said 429, and the look would have failed.
  assert.ok(fake.board.busiest <= 4 && fake.board.busiest > 1, `${fake.board.busiest} at once`);
});

test('what Graph says is told apart: throttled, busy, consent, no mailbox', async (t) => {
  const { fake, mayRead, connector } = await rig(t);
  const open = () => connector().open(account({}), never);
  const from = clock.now();
  fake.board.next({ ...failure(429, 'ApplicationThrottled'), headers: { 'retry-after': '120' } });
  await assert.rejects(open(), (error: unknown) => {
    assert.ok(error instanceof TripwatchError && error.kind === 'rate-limited');
    return (error.retryAt ?? 0) >= from + 120_000;
  });
  for (const [status, code, kind] of [
    [503, 'ErrorServerBusy', 'transient'],
    [403, 'ErrorAccessDenied', 'unauthorised'],
    [404, 'MailboxNotEnabledForRESTAPI', 'permanent'],
  ] as const) {
    // The first look for a folder by its role may find none: said of the mailbox itself it is an error.
    fake.board.next(failure(status, code), 1, (call) => status !== 404 || call.path[3] === undefined);
    await assert.rejects(
      async () => {
        const session = await open();
        await session.folders(never);
      },
      (error: unknown) => error instanceof TripwatchError && error.kind === kind,
      code,
    );
  }
  mayRead('scope');
  await assert.rejects(open(), isError('unauthorised', 'consent-needed'));
  mayRead(true);
  await assert.rejects(
    connector().open({ ...account({}), credentials: async () => token('bad') }, never),
    isError('unauthorised', 'consent-needed'),
  );
});

test('a folder that its owner removes, and one made anew: neither stops the others, and nothing is skipped', async (t) => {
  const { box, connector } = await rig(t);
  box.folders.push({ id: 'trips', name: 'Trips' });
  const session = await connector().open(account({}), never);
  const begin = await session.begin(never);
  box.deliver(mail('in-trips'), clock.now(), 'trips');
  const first = await liveOf(session, begin);
  assert.deepEqual(first.names, ['in-trips']);
  box.folders.splice(
    box.folders.findIndex(({ id }) => id === 'trips'),
    1,
  );
  box.deliver(mail('in-inbox'), clock.now());
  const second = await liveOf(session, first.cursor);
  assert.deepEqual(second.names, ['in-inbox']);
  // It is back, with what came meanwhile: found when folders are looked at again, by any session.
  box.folders.push({ id: 'trips', name: 'Trips' });
  box.deliver(mail('late'), clock.now(), 'trips');
  const other = await connector().open(account({}), never);
  assert.ok((await liveOf(other, second.cursor)).names.includes('late'));
});

test('a place in the changes that is gone is said once, whatever the status, and filled by a list', async (t) => {
  for (const status of [410, 400] as const) {
    const { fake, box, connector, deliver } = await rig(t);
    fake.goneStatus = status;
    const session = await connector().open(account({ folders: ['inbox'] }), never);
    const begin = await session.begin(never);
    await deliver(mails(1, 5));
    box.expireHistory();
    const { pages, names, cursor } = await liveOf(session, begin, 2);
    assert.equal(pages[0]!.reset, 'history-expired');
    assert.ok(pages.slice(1).every(({ reset }) => reset === undefined));
    assert.deepEqual(new Set(names), new Set(numbers(1, 5)));
    await deliver(mails(6, 6));
    assert.deepEqual((await liveOf(session, cursor)).names, ['6']);
  }
});

test('a link that leads to another host is not followed: it would take the token along', async (t) => {
  const { fake, here, connector, deliver } = await rig(t);
  const session = await connector().open(account({ folders: ['inbox'] }), never);
  const begin = await session.begin(never);
  await deliver(mails(1, 1));
  const body = { value: [], '@odata.deltaLink': `${here.url}/v1.0/me/mailFolders/x/messages/delta?$deltatoken=1` };
  fake.board.next({ status: 200, body }, 1, ({ path }) => path.at(-1) === 'delta');
  await assert.rejects(
    session.live({ cursor: begin, since: 0, max: 10 }, never),
    isError('transient', 'provider-answered-unreadable'),
  );
  const elsewhere = begin.replaceAll(fake.url, here.url);
  assert.notEqual(elsewhere, begin);
  await assert.rejects(session.live({ cursor: elsewhere, since: 0, max: 10 }, never), { kind: 'transient' });
  assert.deepEqual((await liveOf(session, begin)).names, ['1']);
});

test('mails without any headers are listed by what Graph knows of them', async (t) => {
  const { fake, connector, deliver } = await rig(t);
  fake.noHeaders = true;
  const session = await connector().open(account({ folders: ['inbox'] }), never);
  await deliver(mails(1, 3));
  const { pages } = await backfillOf(session);
  const listed = pages.flatMap((page) => page.mails);
  assert.deepEqual(new Set(listed.map(nameOf)), new Set(numbers(1, 3)));
  for (const { head } of listed) assert.match(Buffer.from(head).toString(), /sender@contract\.example/);
});

test('a subscription is renewed at half of its life; what has lapsed, another key or another address make a new one', async (t) => {
  let now = clock.now();
  const own: Clock = { ...clock, now: () => now };
  const { fake, connector } = await rig(t, own);
  const session = await connector().open(account({}), never);
  const made = await session.subscribe!(undefined, never);
  const life = [...fake.subscriptions.all.values()][0]!.expiresAt - now;
  assert.ok(life > 2 * DAY_MS && life < 3 * DAY_MS, 'about 70 hours, as Graph gives for mails');
  assert.ok(Math.abs(made.renewAt - (now + life / 2)) < 2000, 'half of it');
  assert.equal(made.name, [...fake.subscriptions.all.keys()][0]);

  now = made.renewAt;
  const renewed = await session.subscribe!(made.state, never);
  assert.equal(renewed.name, made.name, 'the same one');
  assert.equal(fake.subscriptions.all.size, 1);
  assert.ok([...fake.subscriptions.all.values()][0]!.expiresAt > now + life - 2000);

  fake.subscriptions.lapse();
  const anew = await session.subscribe!(renewed.state, never);
  assert.notEqual(anew.name, made.name);
  const rotated = await (await connector([NEXT, KEY]).open(account({}), never)).subscribe!(anew.state, never);
  assert.notEqual(rotated.name, anew.name, 'sealed with the key of today');
  const moved = await (await connector([NEXT], '/other').open(account({}), never)).subscribe!(rotated.state, never);
  assert.notEqual(moved.name, rotated.name, 'reaches us where we are');
});
