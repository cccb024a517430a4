import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limitsSaidBy } from './rate-limit.ts';

const NOW = Date.UTC(2026, 11, 1, 6);

test('the new fields of the draft: policies with their windows, what is left and for how long', () => {
  const said = limitsSaidBy(
    { 'ratelimit-policy': '"burst";q=100;w=60, "day";q=5000;w=86400', ratelimit: '"burst";r=7;t=30' },
    NOW,
  );
  assert.deepEqual(said, {
    limits: [
      { max: 100, perSeconds: 60 },
      { max: 5000, perSeconds: 86_400 },
    ],
    left: 7,
    resetAt: NOW + 30_000,
  });
});

test('the old fields, with a window beside the limit; a reset as seconds, date or instant on the clock of the server', () => {
  const old = { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '0', 'ratelimit-reset': '12' };
  assert.deepEqual(limitsSaidBy(old, NOW), { limits: [{ max: 100, perSeconds: 60 }], left: 0, resetAt: NOW + 12_000 });
  const server = NOW - 3 * 3_600_000;
  const dates = {
    date: new Date(server).toUTCString(),
    'ratelimit-remaining': '3',
    'ratelimit-reset': new Date(server + 40_000).toUTCString(),
  };
  assert.deepEqual(limitsSaidBy(dates, NOW), { limits: [], left: 3, resetAt: NOW + 40_000 });
  const seconds = { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(NOW / 1000 + 5) };
  assert.deepEqual(limitsSaidBy(seconds, NOW), { limits: [], left: 1, resetAt: NOW + 5000 });
});

test('of several the tightest holds; a marketplace has names of its own', () => {
  const said = limitsSaidBy(
    {
      'x-ratelimit-requests-limit': '600',
      'x-ratelimit-requests-remaining': '2',
      'x-ratelimit-requests-reset': '86400',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '1',
    },
    NOW,
  );
  // Further ahead than is believed.
  assert.deepEqual(said, { limits: [], left: 2, resetAt: NOW + 6 * 3_600_000 });
});

test('what cannot be is left out', () => {
  for (const headers of [
    {},
    { 'ratelimit-remaining': '5' },
    { 'ratelimit-remaining': '-1', 'ratelimit-reset': '5' },
    { 'ratelimit-remaining': 'many', 'ratelimit-reset': '5' },
    { 'ratelimit-limit': '100' },
    { 'ratelimit-policy': '"none";q=0;w=60, "x";q=5;w=0, "y";q=5;w=99999999' },
    { ratelimit: '"default"' },
  ] as Record<string, string>[])
    assert.equal(limitsSaidBy(headers, NOW), undefined, JSON.stringify(headers));
});

test('whatever stands there: it neither throws nor stops an account for long', () => {
  const name = fc.constantFrom(
    'ratelimit',
    'ratelimit-policy',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'date',
  );
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9";=qrtw, .-]{0,40}$/));
  fc.assert(
    fc.property(fc.dictionary(name, text), (headers) => {
      const said = limitsSaidBy(headers, NOW);
      for (const { max, perSeconds } of said?.limits ?? []) assert.ok(max >= 1 && perSeconds >= 1);
      if (said?.resetAt !== undefined)
        assert.ok(said.resetAt >= NOW + 1000 && said.resetAt <= NOW + 6 * 3_600_000 && said.left! >= 0);
    }),
  );
});
