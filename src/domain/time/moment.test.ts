import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentOf } from './moment.ts';

const NOW = Date.parse('2026-12-02T12:00:00Z');

test('ages, instants and days', () => {
  assert.equal(momentOf('90s', NOW), NOW - 90_000);
  assert.equal(momentOf('30m', NOW), NOW - 30 * 60_000);
  assert.equal(momentOf('2h', NOW), NOW - 2 * 3_600_000);
  assert.equal(momentOf('7d', NOW), NOW - 7 * 86_400_000);
  assert.equal(momentOf('2026-12-01T10:00:00Z', NOW), Date.parse('2026-12-01T10:00:00Z'));
  assert.equal(momentOf('2026-12-01T10:00:00+01:00', NOW), Date.parse('2026-12-01T09:00:00Z'));
  assert.equal(momentOf('2026-12-01', NOW), Date.parse('2026-12-01T00:00:00Z'));
});

test('everything else is no moment: a time without zone names none', () => {
  for (const text of ['', '2', '2 h', '-2h', '1.5h', '2w', 'yesterday', '2026-13-01', '2026-12-01T10:00', '9999999h'])
    assert.equal(momentOf(text, NOW), undefined, text);
});
