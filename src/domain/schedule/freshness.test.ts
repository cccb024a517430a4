import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  askIntervalMs,
  FRESHNESS_CLASSES,
  faultsOfClasses,
  freshnessClassOf,
  isImminent,
  listedIntervalMs,
  needMs,
} from './freshness.ts';
import { firstDue, nextDue, phaseOf, secondDue } from './phase.ts';

const HOUR = 3_600_000;

test('the table of classes is sound, and a wrong one would be found', () => {
  assert.deepEqual(faultsOfClasses(FRESHNESS_CLASSES), []);
  assert.equal(faultsOfClasses([]).length, 1);
  const [first, second] = FRESHNESS_CLASSES;
  assert.ok(faultsOfClasses([second, { ...first, bearable: 0 }]).length >= 3);
});

test('the nearer the start, the fresher; what runs is imminent', () => {
  const name = (startAt: number) => FRESHNESS_CLASSES[freshnessClassOf({ startAt }, 0)]!.name;
  assert.equal(name(-5 * HOUR), 'imminent');
  assert.equal(name(4 * HOUR), 'imminent');
  assert.equal(name(5 * HOUR), 'today');
  assert.equal(name(71 * HOUR), 'soon');
  assert.equal(name(700 * HOUR), 'this-month');
  assert.equal(name(9000 * HOUR), 'later');
  const subject = { fromAt: 0, startAt: 100 * HOUR, endAt: 200 * HOUR };
  assert.equal(needMs(subject, 300, 99 * HOUR), 300_000);
  assert.ok(needMs(subject, 300, 0) > 300_000);
  assert.ok(needMs(subject, 300, 0, true) > needMs(subject, 300, 0), 'pushed ones can wait longer');
  assert.ok(isImminent(subject, 99 * HOUR));
  assert.equal(isImminent({ ...subject, everyMs: HOUR }, 99 * HOUR), false);
});

test('asks early enough to publish within the promise, and no more often than makes sense', () => {
  assert.equal(askIntervalMs({}, 300), 270_000);
  assert.equal(askIntervalMs({ everyMs: 24 * HOUR }, 300), 24 * HOUR);
});

test('phases spread evenly over the interval', () => {
  const counts = new Array<number>(20).fill(0);
  for (let i = 0; i < 20_000; i++) counts[Math.floor(phaseOf(`sub_${i}`) * 20)]!++;
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`);
});

test('the first question: at once when new, on time when known, spread when overdue', () => {
  const base = { phase: 0.5, intervalMs: 260_000, fromAt: 0, now: 1_000_000 };
  assert.equal(firstDue({ ...base, checkedAt: undefined }), 1_000_000);
  assert.equal(firstDue({ ...base, checkedAt: 900_000 }), 1_160_000);
  assert.equal(firstDue({ ...base, checkedAt: 1_000_000 - 262_000 }), 1_001_000);
  assert.equal(firstDue({ ...base, checkedAt: 0 }), 1_000_000 + 0.5 * 65_000);
  // After a restart of a minute the promise (300 s of an interval of 270 s) can still be kept.
  assert.equal(firstDue({ ...base, checkedAt: 1_000_000 - 260_000 - 60_000 }), 1_000_000 + 0.5 * 5200);
  assert.equal(firstDue({ ...base, fromAt: 5_000_000, checkedAt: undefined }), 5_030_000);
  assert.equal(firstDue({ ...base, checkedAt: 9_999_999 }), 1_260_000);
});

test('the next question is at most one interval away, at least half of one, and keeps its phase when on time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: -1e6, max: 1e6 }), (dueAt, late) => {
      const now = dueAt + late;
      const next = nextDue(dueAt, 260_000, now);
      assert.ok(next - now <= 260_000 && next - now >= 130_000);
      if (late >= 0 && late <= 130_000) assert.equal(next, dueAt + 260_000);
    }),
  );
});

test('what began together parts, and is never asked later than a round', () => {
  const due = Array.from({ length: 100 }, (_, i) => secondDue(phaseOf(`sub_${i}`), 260_000, 0));
  assert.ok(due.every((at) => at >= 130_000 && at <= 260_000));
  for (let from = 130_000; from < 260_000; from += 26_000)
    assert.ok(due.filter((at) => at >= from && at < from + 26_000).length < 35);
});

test('what a list of changes covers is asked as ever when it is near, and the further the more seldom', () => {
  const every = (hours: number, everyMs?: number) =>
    listedIntervalMs({ startAt: hours * HOUR, ...(everyMs === undefined ? {} : { everyMs }) }, 300, 0);
  assert.equal(every(3), askIntervalMs({}, 300));
  assert.equal(every(20), askIntervalMs({}, 300));
  const far = [48, 300, 3000].map((hours) => every(hours));
  assert.ok(far[0]! > askIntervalMs({}, 300) && far[1]! > far[0]! && far[2]! > far[1]!);
  assert.equal(every(3, 6 * HOUR), 6 * HOUR);
  const [first, second] = FRESHNESS_CLASSES;
  assert.equal(
    faultsOfClasses([first, { ...second, everyListed: 0 }, { ...second, name: 'z', beforeStartMs: 1 / 0 }]).length,
    2,
  );
});
