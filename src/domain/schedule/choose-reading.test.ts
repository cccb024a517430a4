import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idealCalls, isBoardCheaper } from './choose-reading.ts';

const choose = (others: number, costBoard = 1, costOne = 1) =>
  isBoardCheaper({ intervalMs: 270, othersMs: Array.from({ length: others }, () => 270), costOne, costBoard });

test('a board is read from where it saves a call, and not for one alone', () => {
  assert.equal(choose(0), false);
  assert.equal(choose(1), true);
  assert.equal(choose(4, 5), false);
  assert.equal(choose(5, 5), true);
  assert.equal(choose(3, 2, 0.5), false);
  assert.equal(choose(4, 2, 0.5), true);
});

test('who is asked rarely saves little', () => {
  const rare = { intervalMs: 270, othersMs: [2700, 2700], costOne: 1 };
  assert.equal(isBoardCheaper({ ...rare, costBoard: 1 }), true);
  assert.equal(isBoardCheaper({ ...rare, costBoard: 1.2 }), false);
  // Who is asked more often is, on the board of the one that is due, still one question.
  assert.equal(isBoardCheaper({ intervalMs: 2700, othersMs: [270], costOne: 1, costBoard: 2 }), false);
});

test('where nothing costs anything, questions are asked one by one', () => {
  assert.equal(isBoardCheaper({ intervalMs: 1, othersMs: [1, 1], costOne: 0, costBoard: 0 }), false);
});

test('the ideal takes the cheaper way at each board', () => {
  assert.equal(idealCalls([1, 10, 3], 2), 1 + 2 + 2);
  assert.equal(idealCalls([], 2), 0);
});
