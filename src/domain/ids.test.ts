import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { base32, derivedId, derivedIdAt, sortableId, timeChars, timeCharsOf } from './ids.ts';

test('a derived id is the digest of its length-framed parts, whether text or bytes', () => {
  const framed = createHash('sha256').update('3:a£1:75:bytes').digest();
  const expected = `x_${base32(framed).slice(0, 26)}`;
  assert.equal(derivedId('x', 'a£', 7, 'bytes'), expected);
  assert.equal(derivedId('x', 'a£', 7, Buffer.from('bytes')), expected);
  assert.notEqual(derivedId('x', 'ab', 'c'), derivedId('x', 'a', 'bc'));
});

test('an id with a time sorts by it, is the same for the same work, and hands its time on', () => {
  assert.equal(timeChars(-1), timeChars(0));
  const times = [0, 1, 31, 32, 1_764_000_000_000, 1_764_000_000_001, 4_000_000_000_000];
  const chars = times.map(timeChars);
  assert.deepEqual(chars.toSorted(), chars);
  assert.ok(chars.every((one) => one.length === 10));
  const id = derivedIdAt('evt', timeChars(times[4]!), 'stage', 'seed');
  assert.equal(id, derivedIdAt('evt', timeChars(times[4]!), 'stage', 'seed'));
  assert.equal(timeCharsOf(id), timeChars(times[4]!));
  assert.equal(id.slice(14), derivedId('evt', 'stage', 'seed').slice(4));
});

test('ids without a time have none to hand on', () => {
  assert.equal(timeCharsOf(derivedId('evt', 'stage', 'seed')), '');
  assert.equal(timeCharsOf(sortableId('evt', 1_764_000_000_000, new Uint8Array(10))), '');
  assert.equal(derivedIdAt('evt', '', 'a'), derivedId('evt', 'a'));
});
