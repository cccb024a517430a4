import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, byteSize, createStyle, printable, shownWidth, table, wantsColour } from './style.ts';

test('hostile text cannot drive the terminal', () => {
  assert.equal(printable('a\u001b]0;title\u0007b\u202ec\n'), 'a·]0;title·b·c·');
});

test('columns line up with colour, wide characters and emoji', () => {
  const style = createStyle(true);
  const lines = table([
    [style.red('ab'), 'x'],
    ['日本', 'y'],
    ['✈️', 'z'],
  ]).split('\n');
  assert.deepEqual(
    lines.map((line) => shownWidth(line.slice(0, -1))),
    [6, 6, 6],
  );
});

test('colour only where it is wanted', () => {
  assert.equal(wantsColour({ isTTY: true }, {}), true);
  assert.equal(wantsColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour({}, {}), false);
  assert.equal(createStyle(false).red('x'), 'x');
});

test('ages and sizes as people say them', () => {
  assert.deepEqual([0, 40_000, 300_000, 7_200_000, 2 * 86_400_000].map(age), ['0 s', '40 s', '5 min', '2 h', '2 d']);
  assert.deepEqual([0, 999, 12_345, 5e9].map(byteSize), ['0 B', '999 B', '12.3 kB', '5.0 GB']);
});
