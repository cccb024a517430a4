import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runEngine } from './run.ts';
import { createSubjects } from './subjects.ts';

test('the engine benchmark runs: every subject in its round, within the bytes it may have', async () => {
  const figures = await runEngine({
    subjects: 200_000,
    intervalSeconds: 2,
    seconds: 1,
    order: 'random',
    restart: true,
  });
  assert.ok(figures.perSecond > 0.5 * figures.perSecondWanted, `${figures.perSecond} a second`);
  assert.equal(figures.changes, 0);
  assert.ok(figures.restarted!.toFullSpeedSeconds < 60);
});

test('on virtual time: each is asked once a round, never early; 24 bytes a subject', () => {
  let now = 1_800_000_000_000;
  const count = 400_000;
  const subjects = createSubjects({ count, intervalMs: 300_000, order: 'due', now, clock: () => now });
  const rounds = 3;
  for (let i = 0; i < (rounds * 300_000) / 2; i++) {
    now += 2;
    subjects.turn(now);
  }
  assert.ok(Math.abs(subjects.asked - rounds * count) <= 1, `${subjects.asked}`);
  assert.equal(
    subjects.lateness.slice(3).reduce((sum, one) => sum + one),
    0,
  );
  // The ring and the last, half-filled chunks are shared by more subjects than these.
  const ring = 2 ** Math.ceil(Math.log2((300_000 * 1.2) / 4));
  assert.ok((subjects.bytes - ring * (9 + 256)) / count <= 24, `${subjects.bytes / count} bytes`);
});
