import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatsConnection, SubscriptionOptions } from '@nats-io/transport-node';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import { FEED_FLOOR_MS, FEED_SILENT_MS } from './limits.ts';
import { encode } from './message.ts';
import { NatsFeed } from './nats-feed.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Time that is moved by hand. */
function openClock() {
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    speed: 1,
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: now + ms, wake: resolve });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const advance = async (ms: number) => {
    for (const endAt = now + ms; ; ) {
      await settle();
      const next = sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > endAt) {
        now = endAt;
        return settle();
      }
      now = next.at;
      sleepers = sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
    }
  };
  return { clock, advance };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A connection that keeps its subscriptions, and delivers by hand. */
function openLink() {
  const live: { subject: string; callback: NonNullable<SubscriptionOptions['callback']> }[] = [];
  const listeners = new Set<(up: boolean) => void>();
  const connection = {
    isClosed: () => false,
    flush: async () => {},
    subscribe: (subject: string, { callback = () => {} }: SubscriptionOptions) => {
      const subscription = { subject, callback };
      live.push(subscription);
      return { unsubscribe: () => void live.splice(live.indexOf(subscription), 1) };
    },
  } as unknown as NatsConnection;
  let up = true;
  const link = {
    get connection() {
      return up ? connection : undefined;
    },
    onChange: (listener: (up: boolean) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const publish = (seq: number, prev: number, shard = 0) => {
    const row = {
      seq,
      prev,
      shard,
      topic: 'mail.seen',
      id: `evt_${seq}`,
      tenant: 'tnt_a',
      key: 'ключ 1',
      at: 5,
      body: '{}',
    };
    const { subject, headers, body } = encode('p', row, 1_000_000);
    for (const one of live) if (one.subject === subject) one.callback(null, { subject, headers, data: body } as never);
  };
  const set = (value: boolean) => {
    up = value;
    for (const listener of listeners) listener(value);
  };
  return { link, live, publish, set };
}

function open() {
  const { clock, advance } = openClock();
  const { link, live, publish, set } = openLink();
  const warned: string[] = [];
  const logger = { ...silent, warn: (_: object, message: string) => void warned.push(message) };
  const feed = new NatsFeed({ link, prefix: 'p', clock, logger });
  return { feed, live, publish, set, advance, warned };
}

test('followers of one shard share a subscription, which ends with the last of them', async () => {
  const { feed, live, publish } = open();
  const [one, two] = [feed.follow('mail.seen', 0, () => {}), feed.follow('mail.seen', 0, () => {})];
  const other = feed.follow('mail.seen', 1, () => {});
  assert.deepEqual(
    live.map(({ subject }) => subject),
    ['p.log.mail-seen.0', 'p.log.mail-seen.1'],
  );
  await settle();
  publish(1, 0);
  for (const reader of [one, two]) {
    const [row] = await reader.read(0, 10, async () => []);
    assert.deepEqual(row, { seq: 1, prev: 0, id: 'evt_1', tenant: 'tnt_a', key: 'ключ 1', at: 5, body: '{}' });
  }
  assert.deepEqual(await other.read(0, 10, async () => []), []);
  one.stop();
  assert.equal(live.length, 2);
  two.stop();
  two.stop();
  assert.equal(live.length, 1);
  await feed.close();
  assert.equal(live.length, 0);
});

test('while the connection is away, and after it came back, the store is asked', async () => {
  const { feed, set, advance } = open();
  const reader = feed.follow('mail.seen', 0, () => {});
  let asked = 0;
  const read = () =>
    reader.read(0, 10, async () => {
      asked++;
      return [];
    });
  await advance(1500);
  await read();
  await read();
  assert.equal(asked, 1);
  set(false);
  await read();
  await read();
  assert.equal(asked, 3);
  set(true);
  await settle();
  await read();
  assert.equal(asked, 4);
  await read();
  assert.equal(asked, 4);
  // Servers of a cluster learn of subscriptions a little later.
  await advance(1000);
  await read();
  assert.equal(asked, 5);
  await read();
  assert.equal(asked, 5);
  await feed.close();
});

test('a subscription that brings nothing though the store has rows is made anew', async () => {
  const { feed, live, publish, advance, warned } = open();
  const reader = feed.follow('mail.seen', 0, () => {});
  await advance(1500);
  await reader.read(0, 10, async () => []);
  const [first] = live;
  for (let seq = 1; seq <= 20; seq++) {
    await advance(FEED_FLOOR_MS);
    await reader.read(seq - 1, 10, async () => [
      { seq, id: `evt_${seq}`, tenant: 'tnt_a', key: 'k', at: 0, body: '{}' },
    ]);
  }
  assert.equal(warned.length, 1);
  assert.equal(live.length, 1);
  assert.notEqual(live[0], first);
  publish(21, 20);
  assert.equal((await reader.read(20, 10, async () => assert.fail('it is here')))[0]?.seq, 21);
  await advance(FEED_SILENT_MS * 2);
  assert.equal(warned.length, 1, 'a silence without events is none');
  await feed.close();
});
