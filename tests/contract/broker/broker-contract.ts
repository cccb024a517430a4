import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { Delivery } from '../../../src/ports/broker.ts';
import { begin, newEvent, type Rig, seededRandom, TOPIC } from './rig.ts';

const never = new AbortController().signal;
const oops = new TripwatchError('transient', 'oops', 'it failed');
const n = (delivery: Delivery) => Number(delivery.event.subject);

/** What is due now, without waiting for more. */
async function due(rig: Rig, max = 100, consumer = 'reader'): Promise<readonly Delivery[]> {
  const patience = new AbortController();
  const fetched = rig.broker.fetch(consumer, max, patience.signal);
  await rig.settle();
  patience.abort();
  return fetched;
}

async function drain(rig: Rig, consumer = 'reader'): Promise<number[]> {
  const seen: number[] = [];
  for (;;) {
    const deliveries = await due(rig, 100, consumer);
    if (deliveries.length === 0) return seen;
    for (const delivery of deliveries) {
      seen.push(n(delivery));
      await delivery.ack();
    }
  }
}

/** What every broker owes, whatever carries it. */
export function brokerContract(name: string, open: () => Promise<Rig>): void {
  describe(`broker contract: ${name}`, () => {
    const contract = (title: string, body: (rig: Rig) => Promise<void>, options: { countsFirst?: boolean } = {}) =>
      test(title, async () => {
        const rig = await open();
        try {
          await begin(rig, { name: 'reader', topic: TOPIC, ...options });
          await body(rig);
        } finally {
          await rig.dispose();
        }
      });
    const reopen = async (rig: Rig, how: 'crash' | 'restart', options: { countsFirst?: boolean } = {}) => {
      await rig[how]();
      await begin(rig, { name: 'reader', topic: TOPIC, ...options });
    };

    contract('every event comes, in the order of its key', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('b', 2), newEvent('a', 3)]);
      await rig.append([newEvent('b', 4), newEvent('a', 5)]);
      const seen = await drain(rig);
      assert.deepEqual(
        seen.filter((x) => x % 2 === 1),
        [1, 3, 5],
      );
      assert.deepEqual(
        seen.filter((x) => x % 2 === 0),
        [2, 4],
      );
    });

    contract('one event of a key at a time', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('a', 2), newEvent('b', 3)]);
      const first = await due(rig);
      assert.deepEqual(first.map(n).sort(), [1, 3]);
      assert.deepEqual(await due(rig), []);
      await first.find((d) => n(d) === 1)!.ack();
      assert.deepEqual((await due(rig)).map(n), [2]);
    });

    contract('at most as many as asked for', async (rig) => {
      await rig.append(Array.from({ length: 10 }, (_, i) => newEvent(`k${i}`, i)));
      assert.equal((await due(rig, 3)).length, 3);
      assert.equal((await due(rig, 3)).length, 3);
    });

    contract('a consumer that comes late starts at the oldest event, and consumers do not share', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('b', 2)]);
      assert.deepEqual((await drain(rig)).sort(), [1, 2]);
      await begin(rig, { name: 'late', topic: TOPIC });
      assert.deepEqual((await drain(rig, 'late')).sort(), [1, 2]);
      await begin(rig, { name: 'other-topic', topic: 'mail.seen' });
      assert.deepEqual(await drain(rig, 'other-topic'), []);
    });

    contract('an append wakes a waiting fetch', async (rig) => {
      const fetched = rig.broker.fetch('reader', 5, never);
      await rig.settle();
      await rig.append([newEvent('a', 7)]);
      assert.deepEqual((await fetched).map(n), [7]);
    });

    contract('a fetch ends empty when it is aborted', async (rig) => {
      const patience = new AbortController();
      const fetched = rig.broker.fetch('reader', 5, patience.signal);
      await rig.settle();
      patience.abort();
      assert.deepEqual(await fetched, []);
      assert.deepEqual(await rig.broker.fetch('reader', 5, patience.signal), []);
    });

    contract('an event with a retry comes again at its time, counted, with its history', async (rig) => {
      await rig.append([newEvent('a', 1)]);
      const [first] = await due(rig);
      assert.equal(first!.attempt, 1);
      const firstAt = first!.firstAt;
      await first!.retry(rig.clock.now() + 60_000, oops, true);
      assert.deepEqual(await due(rig), []);
      await rig.clock.advance(59_000);
      assert.deepEqual(await due(rig), []);
      await rig.clock.advance(1001);
      const [second] = await due(rig);
      assert.equal(second!.attempt, 2);
      assert.equal(second!.firstAt, firstAt);
      assert.deepEqual(
        second!.history.map(({ code, kind }) => [code, kind]),
        [['oops', 'transient']],
      );
      await second!.retry(rig.clock.now() + 1000, oops, false);
      await rig.clock.advance(1001);
      const [third] = await due(rig);
      assert.equal(third!.attempt, 2, 'a retry that does not count leaves the number');
      assert.equal(third!.history.length, 2);
    });

    for (const countsFirst of [false, true])
      contract(
        `what is put off leaves no trace and grows no older, also over a crash (${countsFirst ? 'counted first' : 'counted after'})`,
        async (rig) => {
          await rig.append([newEvent('a', 1), newEvent('a', 2)]);
          const [first] = await due(rig);
          await first!.retry(rig.clock.now() + 1000, oops, true);
          await rig.clock.advance(1001);
          const [second] = await due(rig);
          assert.equal(second!.attempt, 2);
          await second!.retry(rig.clock.now() + 60_000, undefined, false);
          await reopen(rig, 'crash', { countsFirst });
          assert.deepEqual(await due(rig), [], 'those behind it wait as well');
          await rig.clock.advance(60_001);
          const [third] = await due(rig);
          assert.equal(n(third!), 1);
          assert.equal(third!.attempt, 2);
          assert.deepEqual(third!.history, second!.history);
          assert.equal(third!.firstAt, second!.firstAt + 60_000);
          await third!.ack();
          assert.deepEqual(await drain(rig), [2]);
        },
        { countsFirst },
      );

    contract('a waiting fetch wakes for a parked event', async (rig) => {
      await rig.append([newEvent('a', 1)]);
      const [first] = await due(rig);
      await first!.retry(rig.clock.now() + 5000, oops, true);
      const fetched = rig.broker.fetch('reader', 5, never);
      await rig.clock.advance(6000);
      assert.deepEqual((await fetched).map(n), [1]);
    });

    contract('a parked key holds back its own events and no others', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('a', 2), newEvent('b', 3)]);
      const first = await due(rig);
      await first.find((d) => n(d) === 1)!.retry(rig.clock.now() + 60_000, oops, true);
      await first.find((d) => n(d) === 3)!.ack();
      await rig.append([newEvent('a', 4), newEvent('b', 5), newEvent('c', 6)]);
      assert.deepEqual((await drain(rig)).sort(), [5, 6]);
      await rig.clock.advance(61_000);
      assert.deepEqual(await drain(rig), [1, 2, 4]);
    });

    contract('thousands behind a parked event neither stop other keys nor lose their order', async (rig) => {
      const events = Array.from({ length: 3000 }, (_, i) => newEvent(i % 3 === 2 ? `k${i % 50}` : 'hot', i));
      await rig.append(events.slice(0, 1));
      const [head] = await due(rig);
      await head!.retry(rig.clock.now() + 3_600_000, oops, true);
      for (let at = 1; at < events.length; at += 500) await rig.append(events.slice(at, at + 500));
      const others = await drain(rig);
      assert.equal(others.length, 1000);
      await reopen(rig, 'crash');
      await rig.clock.advance(3_600_001);
      const hot = [...new Set(await drain(rig))].filter((x) => x % 3 !== 2);
      assert.equal(hot.length, 2000);
      assert.deepEqual(
        hot,
        hot.toSorted((a, b) => a - b),
      );
      assert.equal((await rig.broker.lag('reader')).waiting, 0);
    });

    contract('a busy key leaves room for the others', async (rig) => {
      await rig.append(Array.from({ length: 2500 }, (_, i) => newEvent('busy', i)));
      await rig.append([newEvent('calm', 9999)]);
      const first = await due(rig, 2);
      assert.deepEqual(
        first.map(n).sort((a, b) => a - b),
        [0, 9999],
      );
      for (const delivery of first) await delivery.ack();
      const rest = await drain(rig);
      assert.deepEqual(
        rest,
        Array.from({ length: 2499 }, (_, i) => i + 1),
      );
    });

    contract('what is released comes at once, first of its key, and uncounted', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('a', 2)]);
      const [first] = await due(rig);
      first!.release();
      const [again] = await due(rig);
      assert.equal(n(again!), 1);
      assert.equal(again!.attempt, 1);
    });

    contract('settling twice does nothing', async (rig) => {
      await rig.append([newEvent('a', 1), newEvent('a', 2), newEvent('a', 3)]);
      const [first] = await due(rig);
      await first!.ack();
      await first!.ack();
      first!.release();
      await first!.retry(rig.clock.now(), oops, true);
      assert.deepEqual(await drain(rig), [2, 3]);
    });

    for (const how of ['crash', 'restart'] as const) {
      contract(`after a ${how}, what was not acked comes again`, async (rig) => {
        await rig.append([newEvent('a', 1), newEvent('b', 2), newEvent('c', 3), newEvent('c', 4)]);
        const first = await due(rig);
        await first.find((d) => n(d) === 1)!.ack();
        await first.find((d) => n(d) === 2)!.retry(rig.clock.now() + 60_000, oops, true);
        await reopen(rig, how);
        await rig.append([newEvent('b', 5)]);
        const seen = await drain(rig);
        assert.ok(seen.includes(3) && seen.includes(4), String(seen));
        assert.ok(!seen.includes(2) && !seen.includes(5), 'the parked event keeps its time, and its key the order');
        await rig.clock.advance(61_000);
        const [second] = await due(rig);
        assert.equal(n(second!), 2);
        assert.equal(second!.attempt, 2, 'attempts are kept');
        assert.equal(second!.history.length, 1);
        await second!.ack();
        assert.deepEqual(await drain(rig), [5]);
      });
    }

    contract('after an orderly restart nothing acked comes again', async (rig) => {
      if (name === 'memory') return; // Its restart is a crash that keeps the acks: covered above.
      await rig.append(Array.from({ length: 700 }, (_, i) => newEvent(`k${i % 7}`, i)));
      const [slow, ...others] = await due(rig, 7);
      for (const delivery of others) await delivery.ack();
      slow!.release();
      await drain(rig);
      await reopen(rig, 'restart');
      assert.deepEqual(await drain(rig), []);
      assert.deepEqual(await rig.broker.lag('reader'), { waiting: 0, parked: 0 });
    });

    contract(
      'a consumer that counts first knows of attempts that took the process down',
      async (rig) => {
        await rig.append([newEvent('a', 1), newEvent('a', 2)]);
        for (let attempt = 1; attempt <= 3; attempt++) {
          const [delivery] = await due(rig);
          assert.equal(n(delivery!), 1);
          assert.equal(delivery!.attempt, attempt);
          await reopen(rig, 'crash', { countsFirst: true });
        }
        const [delivery] = await due(rig);
        delivery!.release();
        await reopen(rig, 'restart', { countsFirst: true });
        const [again] = await due(rig);
        assert.equal(again!.attempt, 4, 'what was released did not count');
        await again!.retry(rig.clock.now() + 1000, oops, true);
        await rig.clock.advance(1001);
        const [last] = await due(rig);
        assert.equal(last!.attempt, 5);
        await last!.retry(rig.clock.now() + 1000, oops, false);
        await rig.clock.advance(1001);
        const [same] = await due(rig);
        assert.equal(same!.attempt, 5);
        await same!.ack();
        assert.deepEqual(await drain(rig), [2]);
      },
      { countsFirst: true },
    );

    contract('lag counts what waits and what is parked, and knows the oldest', async (rig) => {
      assert.deepEqual(await rig.broker.lag('reader'), { waiting: 0, parked: 0 });
      const startedAt = rig.clock.now();
      await rig.append([newEvent('a', 1), newEvent('a', 2), newEvent('b', 3)]);
      await rig.clock.advance(10_000);
      await rig.append([newEvent('c', 4)]);
      const before = await rig.broker.lag('reader');
      assert.equal(before.waiting, 4);
      assert.equal(before.oldestAt, startedAt);
      const first = await due(rig);
      assert.equal((await rig.broker.lag('reader')).waiting, 4, 'what is out is not finished');
      await first.find((d) => n(d) === 1)!.retry(rig.clock.now() + 60_000, oops, true);
      for (const delivery of first) if (n(delivery) !== 1) await delivery.ack();
      const { waiting, parked } = await rig.broker.lag('reader');
      assert.deepEqual({ waiting, parked }, { waiting: 1, parked: 1 });
    });

    contract('thousands of keys are served in turn, each once', async (rig) => {
      await rig.append(Array.from({ length: 4000 }, (_, i) => newEvent(`k${i % 2000}`, i)));
      const seen: number[] = [];
      let fetches = 0;
      while (seen.length < 4000) {
        fetches++;
        for (const delivery of await rig.broker.fetch('reader', 64, never)) {
          seen.push(n(delivery));
          await delivery.ack();
        }
      }
      assert.ok(fetches < 100, `${fetches} fetches of 64`);
      assert.equal(new Set(seen).size, 4000);
      assert.ok(seen.indexOf(0) < seen.indexOf(2000));
    });

    contract('a repeated append is one event', async (rig) => {
      await rig.append([newEvent('a', 1)], 'same');
      await rig.append([newEvent('a', 1)], 'same');
      assert.deepEqual(await drain(rig), [1]);
    });

    contract(
      'whatever is retried, released or lost in a crash: all come, in order, and the rest stays empty',
      async (rig) => {
        const random = seededRandom(42);
        const done = new Set<number>();
        const lastOfKey = new Map<string, number>();
        let next = 0;
        for (let round = 0; round < 120; round++) {
          const fresh = Array.from({ length: Math.floor(random.number() * 40) }, () => {
            const i = next++;
            return newEvent(`k${Math.floor(random.number() * 12)}`, i);
          });
          if (fresh.length > 0) await rig.append(fresh);
          for (const delivery of await due(rig, 20)) {
            const i = n(delivery);
            const key = delivery.event.partitionkey;
            if (!done.has(i)) assert.ok((lastOfKey.get(key) ?? -1) <= i, `order of ${key}`);
            const dice = random.number();
            if (dice < 0.2) await delivery.retry(rig.clock.now() + Math.floor(random.number() * 5000), oops, true);
            else if (dice < 0.3) delivery.release();
            else {
              done.add(i);
              lastOfKey.set(key, Math.max(lastOfKey.get(key) ?? -1, i));
              await delivery.ack();
            }
          }
          if (random.number() < 0.08) await reopen(rig, random.number() < 0.5 ? 'crash' : 'restart');
          await rig.clock.advance(Math.floor(random.number() * 400));
        }
        for (let i = 0; i < 20; i++) {
          for (const x of await drain(rig)) done.add(x);
          await rig.clock.advance(1000);
        }
        assert.equal(done.size, next);
        assert.deepEqual(await rig.broker.lag('reader'), { waiting: 0, parked: 0 });
      },
    );
  });
}
