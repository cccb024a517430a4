import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createJmapConnector } from '../../../src/adapters/mailbox/jmap/connector.ts';
import { createHttpLine } from '../../../src/adapters/provider/http/line.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { startJmapFake } from '../../../src/sandbox/mailboxes/jmap.ts';
import { account, clock, freshBox, GOOD, outside } from './api-rig.ts';
import { liveOf, mails, never, numbers } from './rig.ts';

/** What only JMAP does: an event stream that goes on where it was, falls silent, or is switched off; errors inside a 200. */

async function rig(t: TestContext, pingSeconds?: number) {
  const box = freshBox();
  const fake = await startJmapFake({ box, accepts: (given) => given === `Bearer ${GOOD}`, msPerSecond: 10 });
  const line = createHttpLine({ clock, deadlineMs: 60_000 });
  const connector = createJmapConnector({
    ...{ clock, line, allowPrivate: true },
    ...(pingSeconds === undefined ? {} : { pingSeconds }),
  });
  const session = await connector.open(account({ url: fake.url }), never);
  t.after(async () => {
    await session.close();
    await line.close();
    await fake.close();
  });
  return { ...{ box, fake, session }, ...outside(box) };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await delay(5);
}
const isError = (kind: string, code?: string) => (error: unknown) =>
  error instanceof TripwatchError && error.kind === kind && (code === undefined || error.code === code);

test('a stream that ends is opened again where it was, and what was missed wakes', async (t) => {
  const { box, fake, session, deliver } = await rig(t);
  const stop = new AbortController();
  let wakes = 0;
  const listening = session.listen!(() => wakes++, stop.signal);
  await until(() => wakes === 1);
  await deliver(mails(1, 1));
  await until(() => wakes === 2);
  const reached = String(box.seq);
  fake.dropped = true;
  await deliver(mails(2, 2));
  fake.dropped = false;
  fake.endStreams('end');
  await until(() => fake.resumed.length === 2);
  assert.deepEqual(fake.resumed, ['', reached]);
  // At its beginning, and for what the server says was missed.
  await until(() => wakes >= 4);
  stop.abort();
  await listening;
});

test('a stream that falls silent counts as gone; so does one that is cut', async (t) => {
  const { fake, session } = await rig(t, 0.2);
  fake.mute = true;
  await assert.rejects(
    session.listen!(() => {}, never),
    isError('transient', 'provider-timeout'),
  );
  const other = await rig(t);
  let wakes = 0;
  const listening = assert.rejects(
    other.session.listen!(() => wakes++, never),
    isError('transient'),
  );
  await until(() => wakes > 0 && other.fake.streams.size === 1);
  other.fake.endStreams('cut');
  await listening;
});

test('a stream that is switched off is said for good, so that the mailbox is looked at as one that nobody tells of', async (t) => {
  const { fake, session } = await rig(t);
  fake.board.next({ status: 204 }, 1, ({ path }) => path[0] === 'events');
  await assert.rejects(
    session.listen!(() => {}, never),
    isError('permanent', 'mailbox-tells-nothing'),
  );
});

test('errors of a method are told apart, and the cursor stays', async (t) => {
  const { fake, session, deliver } = await rig(t);
  const cursor = await session.begin(never);
  await deliver(mails(1, 3));
  for (const [type, kind] of [
    ['serverUnavailable', 'transient'],
    ['rateLimit', 'rate-limited'],
    ['forbidden', 'unauthorised'],
    ['accountNotFound', 'permanent'],
  ] as const) {
    fake.methodErrors.push(['Email/changes', type]);
    await assert.rejects(session.live({ cursor, since: 0, max: 10 }, never), isError(kind), type);
  }
  assert.deepEqual((await liveOf(session, cursor)).names, numbers(1, 3));
  // The server no longer knows what changed: said once, and listed.
  fake.methodErrors.push(['Email/changes', 'cannotCalculateChanges']);
  const { pages, names } = await liveOf(session, cursor, 2);
  assert.equal(pages[0]!.reset, 'history-expired');
  assert.deepEqual(new Set(names), new Set(numbers(1, 3)));
});
