import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../ports/clock.ts';
import type { CarriedRow } from './feed.ts';
import { FEED_FLOOR_MS, FEED_OVERDUE_MS, FEED_ROWS_MAX } from './limits.ts';
import { FeedBudget, ShardBuffer } from './shard-buffer.ts';

let now = 0;
const clock: Clock = { speed: 1, now: () => now, monotonic: () => now, sleep: () => new Promise(() => {}) };
const budgetChars = 1_000_000;

function row(seq: number, prev: number, body = 'x'): CarriedRow {
  return { seq, prev, id: `evt_${seq}`, tenant: 'tnt_a', key: 'k', at: 0, body };
}

function open(budget = new FeedBudget(budgetChars)) {
  let news = 0;
  const buffer = new ShardBuffer({ clock, budget, onNews: () => void news++ });
  buffer.setLive(true);
  const told = () => {
    const count = news;
    news = 0;
    return count > 0;
  };
  return { buffer, told };
}

/** A store that says what it was asked for. */
function storeOf(seqs: readonly number[]) {
  const asked: number[] = [];
  const read = (after: number, limit: number) => async () => {
    asked.push(after);
    return seqs
      .filter((seq) => seq > after)
      .slice(0, limit)
      .map((seq) => row(seq, 0));
  };
  return { asked, read };
}

const seqsOf = (rows: readonly { seq: number }[]) => rows.map(({ seq }) => seq);

test('reads the store first, then from what arrives, and the store again only for the floor', async () => {
  const { buffer, told } = open();
  const store = storeOf([1, 2]);
  assert.deepEqual(seqsOf(await buffer.read(0, 10, store.read(0, 10))), [1, 2]);
  assert.deepEqual(await buffer.read(2, 10, store.read(2, 10)), []);
  assert.deepEqual(store.asked, [0], 'the second read knew that there was nothing');
  told();
  buffer.offer(row(5, 2));
  assert.ok(told());
  assert.deepEqual(seqsOf(await buffer.read(2, 10, store.read(2, 10))), [5]);
  now += FEED_FLOOR_MS;
  assert.deepEqual(await buffer.read(5, 10, store.read(5, 10)), []);
  assert.deepEqual(store.asked, [0, 5]);
});

test('a hole before what arrived is read from the store', async () => {
  const { buffer } = open();
  const store = storeOf([1, 2, 3]);
  await buffer.read(0, 10, store.read(0, 10));
  const later = storeOf([4, 5, 6]);
  buffer.offer(row(6, 5));
  assert.deepEqual(seqsOf(await buffer.read(3, 2, later.read(3, 2))), [4, 5]);
  assert.deepEqual(seqsOf(await buffer.read(5, 2, later.read(5, 2))), [6]);
  assert.deepEqual(later.asked, [3], 'the row that had arrived was given out');
});

test('a gap during a read of the store leaves it unsure', async () => {
  const { buffer } = open();
  await buffer.read(0, 10, async () => {
    buffer.gap();
    return [];
  });
  const store = storeOf([1]);
  assert.deepEqual(seqsOf(await buffer.read(0, 10, store.read(0, 10))), [1]);
});

test('while it is not live, every read asks the store', async () => {
  const { buffer } = open();
  buffer.setLive(false);
  const store = storeOf([]);
  await buffer.read(0, 10, store.read(0, 10));
  await buffer.read(0, 10, store.read(0, 10));
  assert.equal(store.asked.length, 2);
});

test('what has no room is dropped and read from the store, and the room comes back', async () => {
  const { buffer, told } = open();
  await buffer.read(0, 10, async () => []);
  const count = FEED_ROWS_MAX + 10;
  for (let seq = 1; seq <= count; seq++) buffer.offer(row(seq, seq - 1));
  const all = storeOf(Array.from({ length: count }, (_, i) => i + 1));
  const got: number[] = [];
  told();
  while (got.length < FEED_ROWS_MAX) got.push(...seqsOf(await buffer.read(got.at(-1) ?? 0, 100, all.read(0, 0))));
  assert.equal(all.asked.length, 0);
  assert.ok(told(), 'there is more, in the store');
  got.push(...seqsOf(await buffer.read(got.at(-1)!, 100, all.read(got.at(-1)!, 100))));
  assert.equal(got.length, count);
  buffer.offer(row(count + 1, count));
  assert.deepEqual(seqsOf(await buffer.read(count, 100, all.read(0, 0))), [count + 1]);
});

test('the characters of all feeds together are bounded, and given back', async () => {
  const budget = new FeedBudget(100);
  const { buffer } = open(budget);
  const other = open(budget).buffer;
  buffer.offer(row(1, 0, 'x'.repeat(60)));
  other.offer(row(1, 0, 'x'.repeat(60)));
  const store = storeOf([1]);
  await other.read(0, 10, store.read(0, 10));
  assert.deepEqual(store.asked, [0], 'the second had no room');
  buffer.stop();
  assert.ok(budget.take(100));
});

test('a row that the log does not have is never given out, and does not stand in the way', async () => {
  const { buffer } = open();
  buffer.offer(row(1_000_000, 999_999));
  const store = storeOf([1, 2]);
  assert.deepEqual(seqsOf(await buffer.read(0, 10, store.read(0, 10))), [1, 2]);
  await buffer.read(2, 10, store.read(2, 10));
  buffer.offer(row(3, 2));
  assert.deepEqual(seqsOf(await buffer.read(2, 10, store.read(2, 10))), [3]);
});

test('silent: the store had rows that never arrived', async () => {
  const { buffer } = open();
  await buffer.read(0, 10, async () => []);
  now += FEED_FLOOR_MS;
  await buffer.read(0, 10, storeOf([1]).read(0, 10));
  assert.equal(buffer.silentSince, now);
  buffer.offer(row(2, 1));
  assert.equal(buffer.silentSince, undefined);
});

test('what the store has told of and does not arrive is read there soon', async () => {
  const { buffer, told } = open();
  await buffer.read(0, 10, async () => []);
  told();
  buffer.noticed();
  now += FEED_OVERDUE_MS - 1;
  buffer.tick();
  assert.ok(!told());
  now += 1;
  buffer.tick();
  assert.ok(told());
  assert.deepEqual(seqsOf(await buffer.read(0, 10, storeOf([1]).read(0, 10))), [1]);
  // The notice of a row that has come already is none.
  buffer.offer(row(2, 1));
  await buffer.read(1, 10, storeOf([]).read(1, 10));
  told();
  buffer.noticed();
  now += FEED_OVERDUE_MS;
  buffer.tick();
  assert.ok(!told());
});

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test('whatever is lost, doubled, delayed, reordered or made up: every row once, in order, in bounded time', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed);
    const log: CarriedRow[] = [];
    const onTheWay: CarriedRow[] = [];
    const buffer = new ShardBuffer({ clock, budget: new FeedBudget(200), onNews: () => {} });
    const got: number[] = [];
    const limit = 1 + Math.floor(random() * 8);
    const read = async () => {
      const after = got.at(-1) ?? 0;
      const rows = await buffer.read(after, limit, async () => {
        const found = log.filter(({ seq }) => seq > after).slice(0, limit);
        // Meanwhile, things happen.
        if (random() < 0.3) arrive();
        if (random() < 0.1) append();
        return found;
      });
      got.push(...seqsOf(rows));
    };
    const append = () => {
      const prev = log.at(-1)?.seq ?? 0;
      log.push(row(prev + 1 + Math.floor(random() * 3), prev));
      if (random() < 0.85) onTheWay.push(log.at(-1)!);
      if (random() < 0.1) onTheWay.push(log[Math.floor(random() * log.length)]!);
    };
    const arrive = () => {
      const index = random() < 0.8 ? 0 : Math.floor(random() * onTheWay.length);
      const [next] = onTheWay.splice(index, 1);
      if (next !== undefined) buffer.offer(next);
      // Of another log, further than this one will ever get.
      if (random() < 0.02) buffer.offer(row(1_000_000 + Math.floor(random() * 1000), 900_000));
    };
    for (let step = 0; step < 300; step++) {
      const what = random();
      if (what < 0.4) append();
      else if (what < 0.7) arrive();
      else if (what < 0.95) await read();
      else if (what < 0.97) buffer.gap();
      else buffer.setLive(random() < 0.7);
      now += Math.floor(random() * 100);
    }
    now += FEED_FLOOR_MS;
    for (let rounds = 0; got.length < log.length; rounds++) {
      assert.ok(rounds < 2 * log.length, `seed ${seed}: stuck at ${got.length} of ${log.length}`);
      await read();
      now += FEED_FLOOR_MS;
    }
    assert.deepEqual(got, seqsOf(log), `seed ${seed}`);
  }
});

test('what the reader has read in another way is not needed, and tells nobody', async () => {
  const { buffer, told } = open();
  const { read } = storeOf([]);
  await buffer.read(0, 10, read(0, 10));
  told();
  buffer.passed(7);
  assert.equal(buffer.knows(7), true);
  buffer.offer(row(7, 0));
  assert.equal(told(), false);
  assert.equal(buffer.knows(8), false);
  assert.equal(buffer.knows(Number.NaN), false, 'without a number it must be looked at');
  buffer.offer(row(8, 7));
  assert.deepEqual(
    (await buffer.read(7, 10, read(7, 10))).map(({ seq }) => seq),
    [8],
  );
});
