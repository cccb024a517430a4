import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Reservation } from '../../src/domain/reservation.ts';
import type { ReadResult, SubjectSpec } from '../../src/ports/provider.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import type { ManualClock } from '../contract/broker/manual-clock.ts';
import { FakeProvider, MINUTE, openTrackRig } from './track.testing.ts';

const INTERVAL = 270_000;

/** One of two providers: each is asked about the bookings of its own letters. */
class Half extends FakeProvider {
  readonly #letters: string;
  constructor(clock: ManualClock, letters: string) {
    super(clock);
    this.#letters = letters;
  }
  override subjectsOf(one: Reservation): readonly SubjectSpec[] {
    return super.subjectsOf(one).filter(({ id }) => id.startsWith(this.#letters));
  }
}

test('an outage of 30 minutes: hardly a question is asked twice, the return is no herd, others notice nothing', async () => {
  const limits = [{ max: 100, perSeconds: 1 }];
  let other!: FakeProvider;
  const rig = await openTrackRig(
    {},
    undefined,
    (clock) => new Half(clock, 'lh'),
    (clock) => {
      other = new Half(clock, 'ba');
      return [{ account: 'other', connector: other, limits, freshSeconds: 300 }];
    },
  );
  try {
    const ids = Array.from({ length: 200 }, (_, i) => `lh${1000 + i}`);
    const others = Array.from({ length: 20 }, (_, i) => `ba${1000 + i}`);
    await rig.changed('ana', [...ids, ...others]);
    await rig.advance(2 * INTERVAL);
    const steady = (ids.length * MINUTE) / INTERVAL;
    const from = rig.provider.calls.length;
    const downAt = rig.clock.now();
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
    await rig.advance(5 * MINUTE);
    const backAt = rig.provider.calls[healed]!.at;
    const minute = rig.provider.calls.slice(healed).filter((call) => call.at < backAt + MINUTE).length;
    const subjects = await Promise.all(
      ids.map((id) => rig.store.read((tx) => tx.subjects.get(subjectIdOf('fake', id)))),
    );
    const told = (await rig.events('subject.observed')).filter(
      ({ data, time }) => data.account === 'fake' && Temporal.Instant.from(time).epochMilliseconds > healedAt,
    );
    const lastToldMs = Math.max(...told.map(({ time }) => Temporal.Instant.from(time).epochMilliseconds)) - healedAt;
    const asked = other.calls.filter(({ at }) => at > downAt);
    const wanted = (others.length * (rig.clock.now() - downAt)) / INTERVAL;
    const gapMs = Math.max(
      ...others.flatMap((id) => other.callsFor(id).map((at, i, all) => at - (all[i - 1] ?? at))),
      ...others.map((id) => rig.clock.now() - other.callsFor(id).at(-1)!),
    );
    console.log(
      `  attempts ${(during.length / first).toFixed(3)} × first ones (${during.length} of ${first}); ` +
        `first minute back ${(minute / steady).toFixed(2)} × steady (${minute} calls); ` +
        `${told.length} changes, the last published ${(lastToldMs / 1000).toFixed(0)} s after recovery; ` +
        `others ${(asked.length / wanted).toFixed(2)} × their calls, at most ${(gapMs / 1000).toFixed(0)} s apart`,
    );
    assert.ok(during.length <= 1.1 * first, `${during.length} attempts, ${first} first`);
    assert.ok(minute <= 1.2 * steady, `${minute} calls in the first minute, steady ${steady}`);
    assert.equal(told.length, ids.length, 'every change is published');
    assert.ok(lastToldMs <= 5 * MINUTE, `${lastToldMs} ms after recovery`);
    assert.ok(subjects.every((one) => one!.failure === undefined));
    assert.ok(gapMs <= INTERVAL + 5000, `others waited ${gapMs} ms`);
    assert.ok(asked.length >= 0.9 * wanted && asked.length <= 1.1 * wanted, `${asked.length} of ${wanted}`);
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

test('403 that names its end is obeyed, and the end outlives a restart', async () => {
  const rig = await openTrackRig();
  try {
    await rig.changed('ana', ['lh400']);
    const wallEnds = rig.clock.now() + 45 * MINUTE;
    const details = { status: 403 };
    rig.provider.says = () =>
      new TripwatchError('unauthorised', 'provider-unauthorised', 'made for the test', { details, retryAt: wallEnds });
    await rig.advance(INTERVAL + 5000);
    const refused = rig.provider.calls.length;
    await rig.restart();
    rig.provider.says = () => 'A1';
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

test('a question that took two calls pays for both: the limit holds for calls, not for questions', async () => {
  class AsksTwice extends FakeProvider {
    override async readOne(subject: SubjectSpec): Promise<ReadResult> {
      const result = await super.readOne(subject);
      return { ...result, calls: 2 };
    }
  }
  const limits = [{ max: 10, perSeconds: 60 }];
  const rig = await openTrackRig({ limits }, {}, (clock) => new AsksTwice(clock));
  try {
    await rig.changed(
      'ana',
      Array.from({ length: 30 }, (_, i) => `f${i}`),
    );
    const from = rig.clock.now();
    await rig.advance(5 * MINUTE);
    const asked = rig.provider.calls.filter(({ at }) => at >= from).map(({ at }) => at);
    const inMinute = (at: number) => asked.filter((other) => other >= at && other < at + MINUTE).length;
    const most = Math.max(...asked.map(inMinute));
    // Those that are out together are charged when they are answered, so the last ones may go over by their second calls.
    assert.ok(most <= 10 && asked.length >= 10, `${most} questions in a minute`);
    assert.ok(asked.length <= 36, `${asked.length} questions in five minutes, of two calls each; fifty without it`);
  } finally {
    await rig.close();
  }
});
