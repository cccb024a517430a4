import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOMBS } from './bombs.ts';
import { makeInput } from './mutate.ts';
import { Chance } from './random.ts';
import { run } from './targets.ts';

/** Of CPU, so that a busy machine changes nothing; the largest takes a tenth of it. */
const BOMB_CPU_MS_MAX = 1000;

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test('there are many bombs, each by one name, and small enough to be made at every run', () => {
  assert.ok(BOMBS.length >= 60, `${BOMBS.length}`);
  assert.equal(new Set(BOMBS.map(({ target, name }) => `${target} ${name}`)).size, BOMBS.length);
});

for (const { name, target, make } of BOMBS)
  test(`${target}: ${name}`, () => {
    const bytes = Buffer.from(make() as string);
    assert.ok(bytes.length < 2e6);
    const ms = cpuMs(() => run(target, bytes));
    assert.ok(ms < BOMB_CPU_MS_MAX, `took ${ms} ms of CPU`);
  });

test('a few hundred mutated documents: nothing breaks; an input is the same each time it is made', () => {
  for (let number = 0; number < 300; number++) {
    const { target, bytes } = makeInput(new Chance(number));
    run(target, bytes);
  }
  assert.deepEqual(makeInput(new Chance(42)), makeInput(new Chance(42)));
});
