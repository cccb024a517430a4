import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import { MINUTE, openTrackRig } from './track.testing.ts';

const INTERVAL = 270_000;

test('an outage of 30 minutes: hardly a question is asked twice, and the return is no herd', async () => {
  const rig = await openTrackRig();
  try {
    const ids = Array.from({ length: 200 }, (_, i) => `lh${1000 + i}`);
    await rig.changed('ana', ids);
    await rig.advance(2 * INTERVAL);
    const steady = (ids.length * MINUTE) / INTERVAL;
    const from = rig.provider.calls.length;
    rig.provider.says = () => new TripwatchError('transient', 'provider-failed', 'made for the test');
    await rig.advance(30 * MINUTE);
    const during = rig.provider.calls.slice(from);
    const last = new Map(rig.provider.calls.slice(0, from).map((call) => [call.id, call.at]));
    let retries = 0;
    for (const { id, at } of during) {
      if (at - (last.get(id) ?? Number.NEGATIVE_INFINITY) < 0.9 * INTERVAL) retries++;
      last.set(id, at);
    }
    const first = during.length - retries;
    rig.provider.says = () => 'B22';
    const healedAt = rig.clock.now();
    const healed = rig.provider.calls.length;
    await rig.advance(35_000);
    const backAt = rig.provider.calls[healed]!.at;
    await rig.advance(5 * MINUTE + backAt - rig.clock.now());
    const minute = rig.provider.calls.slice(healed).filter((call) => call.at < backAt + MINUTE).length;
    console.log(
      `  ${during.length} attempts, ${first} first ones; back after ${(backAt - healedAt) / 1000} s, ` +
        `then ${minute} calls in a minute, steady ${steady.toFixed(1)}`,
    );
    assert.ok(during.length <= 1.1 * first, `${during.length} attempts, ${first} first`);
    assert.ok(minute <= 1.2 * steady, `${minute} calls in the first minute, steady ${steady}`);
    const subjects = await Promise.all(
      ids.map((id) => rig.store.read((tx) => tx.subjects.get(subjectIdOf('fake', id)))),
    );
    const late = subjects.filter((one) => !(one!.changedAt! > healedAt && one!.failure === undefined));
    assert.equal(late.length, 0, 'all verified within five minutes of the first answer');
  } finally {
    await rig.close();
  }
});

test('a wall outlives a restart; so does what the day has cost', async () => {
  const rig = await openTrackRig({ limits: [{ max: 500, perSeconds: 86_400 }] });
  try {
    await rig.changed('ana', ['lh400', 'lh401']);
    const wallEnds = rig.clock.now() + 40 * MINUTE;
    rig.provider.says = () =>
      new TripwatchError('rate-limited', 'provider-rate-limited', 'made for the test', { retryAt: wallEnds });
    await rig.advance(INTERVAL + 2000);
    const refused = rig.provider.calls.length;
    const left = rig.tracker.status()[0]!.budget[0]!.left;
    rig.provider.says = () => 'A1';
    await rig.restart();
    assert.equal(rig.tracker.status()[0]!.paused, 'limited');
    assert.equal(rig.tracker.status()[0]!.budget[0]!.left, left);
    await rig.advance(wallEnds - rig.clock.now() - 1000);
    assert.equal(rig.provider.calls.length, refused);
    await rig.advance(MINUTE);
    assert.ok(rig.provider.calls.length > refused);
  } finally {
    await rig.close();
  }
});

test('403 from a provider that has just answered is a quota; one that stays is our key', async () => {
  const rig = await openTrackRig();
  const forbidden = () =>
    new TripwatchError('unauthorised', 'provider-unauthorised', 'made for the test', { details: { status: 403 } });
  try {
    await rig.changed('ana', ['lh400']);
    rig.provider.says = forbidden;
    await rig.advance(INTERVAL + 5000);
    assert.equal(rig.tracker.status()[0]!.paused, 'limited');
    assert.equal(rig.tracker.status()[0]!.failing, 0);
    await rig.advance(20 * MINUTE);
    assert.equal(rig.tracker.status()[0]!.paused, 'unauthorised');
    assert.equal(rig.tracker.status()[0]!.failing, 1);
    rig.provider.says = () => 'A1';
    await rig.advance(20 * MINUTE);
    assert.equal(rig.tracker.status()[0]!.failing, 0);
  } finally {
    await rig.close();
  }
});
