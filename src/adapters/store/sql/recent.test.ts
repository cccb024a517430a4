import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoggedRow, RecentRows } from './recent.ts';

const row = (seq: number, shard = 0, body = '{}'): LoggedRow => ({
  seq,
  id: `evt_${seq}`,
  tenant: 'tnt_a',
  topic: 'mail.seen',
  key: 'k',
  correlation: 'c',
  subject: 's',
  at: seq,
  shard,
  body,
});
const seqs = (rows: readonly LoggedRow[] | undefined) => rows?.map(({ seq }) => seq);

test('a reader who has all that came before a run gets the run, each row once', () => {
  const recent = new RecentRows();
  const reader = recent.follow({ topic: 'mail.seen', shard: 0 });
  assert.equal(reader.after(10, 9), undefined, 'nothing is known yet');
  recent.add([row(11), row(12, 1), row(13)]);
  recent.add([row(14)]);
  assert.deepEqual(seqs(reader.after(10, 2)), [11, 13]);
  assert.deepEqual(seqs(reader.after(13, 9)), [14]);
  assert.deepEqual(seqs(reader.after(14, 9)), []);
  assert.equal(reader.after(13, 9), undefined, 'what was given is gone');
});

test('a hole ends the run: only the store knows what stands in it', () => {
  const recent = new RecentRows();
  const reader = recent.follow({ topic: 'mail.seen', shard: 0 });
  recent.add([row(11)]);
  recent.add([row(13)]);
  assert.equal(reader.after(10, 9), undefined);
  assert.equal(reader.after(11, 9), undefined, '12 may be in this shard');
  assert.deepEqual(seqs(reader.after(12, 9)), [13]);
});

test('answers that come in another order than the commits hide nothing', () => {
  const recent = new RecentRows();
  const reader = recent.follow({ topic: 'mail.seen', shard: 0 });
  recent.add([row(20), row(21)]);
  recent.add([row(19)]);
  for (const after of [13, 18, 19, 20]) assert.equal(reader.after(after, 9), undefined);
  assert.deepEqual(seqs(reader.after(21, 9)), []);
  recent.add([row(22)]);
  assert.deepEqual(seqs(reader.after(21, 9)), [22]);
});

test('whoever follows in the middle of a run knows nothing of its beginning', () => {
  const recent = new RecentRows();
  recent.add([row(11), row(12)]);
  const reader = recent.follow({ topic: 'mail.seen', shard: 0 });
  assert.equal(reader.after(10, 9), undefined);
  recent.add([row(13)]);
  assert.equal(reader.after(11, 9), undefined);
  assert.deepEqual(seqs(reader.after(12, 9)), [13]);
});

test('a reader of everything gets what all shards have', () => {
  const recent = new RecentRows();
  const all = recent.follow();
  recent.add([row(1), row(2, 1), { ...row(3), topic: 'mail.collected' }]);
  assert.deepEqual(seqs(all.after(0, 9)), [1, 2, 3]);
});

test('a slow reader loses rows, never the order', () => {
  const recent = new RecentRows({ rows: 2, chars: 1000 });
  const slow = recent.follow({ topic: 'mail.seen', shard: 0 });
  recent.add([row(1), row(2), row(3), row(4)]);
  assert.equal(slow.after(0, 9), undefined);
  assert.equal(slow.after(2, 9), undefined);
  assert.deepEqual(seqs(slow.after(3, 9)), [4]);
});

test('all readers together hold no more than allowed', () => {
  const recent = new RecentRows({ rows: 9, chars: 25 });
  const place = { topic: 'mail.seen', shard: 0 };
  const [one, two] = [recent.follow(place), recent.follow(place)];
  recent.add([row(1, 0, 'x'.repeat(10))]);
  recent.add([row(2, 0, 'x'.repeat(10))]);
  assert.deepEqual(seqs(one.after(0, 9)), undefined, 'the second did not fit, and took the first with it');
  two.stop();
  assert.equal(two.after(0, 9), undefined);
  recent.add([row(3, 0, 'x'.repeat(20))]);
  assert.deepEqual(seqs(one.after(2, 9)), [3], 'what was dropped and stopped gave its room back');
});
