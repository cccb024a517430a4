import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadResult, SubjectSpec } from '../../src/ports/provider.ts';
import { FakeProvider, openTrackRig, type TrackRig } from './track.testing.ts';

/** A feed that mixes up its zones moves every plan at once; delays and gates change by the hundred on an ordinary day. */
const INTERVAL = 270_000;
const SUBJECTS = 100;

class Timetable extends FakeProvider {
  hour: (id: string) => number = () => 10;

  override answerOn(subject: SubjectSpec): ReadResult {
    const found = super.answerOn(subject);
    assert.ok(found.kind === 'found');
    const [leg] = found.answer.legs;
    const value = `2026-12-01T${this.hour(subject.id)}:05:00+01:00[Europe/Berlin]`;
    leg!.facts['start.scheduled'] = { value, evidence: { where: 'time' } };
    return { ...found, digest: `${found.digest} ${value}` };
  }
}

async function check(run: (rig: TrackRig, provider: Timetable, told: () => Promise<number>) => Promise<void>) {
  const rig = await openTrackRig({}, {}, (clock) => new Timetable(clock));
  try {
    await rig.changed(
      'ana',
      Array.from({ length: SUBJECTS }, (_, i) => `lh${700 + i}`),
    );
    await rig.advance(1.6 * INTERVAL);
    const before = (await rig.events('subject.observed')).length;
    const told = async () => (await rig.events('subject.observed')).length - before;
    assert.equal(await told(), 0);
    await run(rig, rig.provider as Timetable, told);
  } finally {
    await rig.close();
  }
}

test('plans that all move at once are held: a lie is not told, what stays is told after the third look', () =>
  check(async (rig, provider, told) => {
    provider.hour = () => 11;
    await rig.advance(80_000);
    const [status] = rig.tracker.status();
    assert.ok(status!.held > 5, `${status!.held} held`);
    assert.ok((await told()) <= 20, `${await told()} told`);
    provider.hour = () => 10;
    await rig.advance(2 * INTERVAL);
    assert.equal(rig.tracker.status()[0]!.held, 0);
    const lied = await told();
    assert.ok(lied <= 40, `${lied} told: the first twenty, and that they are back`);
    provider.hour = () => 12;
    await rig.advance(INTERVAL + 120_000);
    assert.equal((await told()) - lied, SUBJECTS);
  }));

test('gates that all change at once are told in their round', () =>
  check(async (rig, provider, told) => {
    provider.says = () => 'B22';
    await rig.advance(INTERVAL + 5000);
    assert.equal(await told(), SUBJECTS);
    assert.equal(rig.tracker.status()[0]!.held, 0);
  }));
