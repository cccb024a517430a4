import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Reservation } from '../../src/domain/reservation.ts';
import { isoInstant } from '../../src/ports/clock.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import { settle } from '../contract/broker/manual-clock.ts';
import { HOUR, MINUTE, NOW, openTrackRig, type TrackRig } from './track.testing.ts';

const INTERVAL = 270_000;
const failure = (kind: 'transient' | 'rate-limited' | 'unauthorised' | 'permanent', code: string, retryAt?: number) =>
  new TripwatchError(kind, code, 'made for the test', retryAt === undefined ? {} : { retryAt });

function check(
  what: string,
  run: (rig: TrackRig) => Promise<void>,
  account: Parameters<typeof openTrackRig>[0] = {},
): void {
  test(what, async () => {
    const rig = await openTrackRig(account);
    try {
      await run(rig);
    } finally {
      await rig.close();
    }
  });
}
const subjectOf = (rig: TrackRig, id: string) => rig.store.read((tx) => tx.subjects.get(subjectIdOf('fake', id)));
const status = (rig: TrackRig) => rig.tracker.status()[0]!;

check('however many follow: one question a round, one answer told, one observation each', async (rig) => {
  const followers = 450;
  for (let i = 0; i < followers; i++) await rig.changed(`t${String(i).padStart(3, '0')}`, ['lh400']);
  const before = rig.provider.calls.length;
  const from = rig.clock.now();
  await rig.advance(HOUR);
  const rounds = (rig.clock.now() - from) / INTERVAL;
  const calls = rig.provider.calls.length - before;
  console.log(
    `  ${followers} followers, one hour: ${calls} calls, ${rounds.toFixed(1)} rounds of ${INTERVAL / 1000} s`,
  );
  assert.ok(Math.abs(calls - rounds) <= 1, `${calls} calls in ${rounds} rounds`);
  rig.provider.says = () => 'B22';
  await rig.advance(INTERVAL + 1000);
  const told = await rig.events('subject.observed');
  const changes = told.filter((event) => event.data.only === undefined);
  assert.equal(changes.length, 2);
  const observations = await rig.fanOut(changes[1]!);
  assert.equal(observations.length, followers);
  assert.equal(new Set(observations.map((event) => event.data.observation.id)).size, followers);
  assert.equal(new Set(observations.map((event) => event.travellerid)).size, followers);
  const [first] = observations;
  assert.equal(first?.data.observation.source.kind, 'provider');
  assert.equal(first?.data.observation.authority, 'status');
  const again = await rig.fanOut(changes[1]!);
  assert.deepEqual(
    again.map((event) => event.id),
    observations.map((event) => event.id),
  );
});

check('a change is told within the promise; while nothing changes, only freshness is written', async (rig) => {
  await rig.changed('ana', ['lh400']);
  await rig.advance(20 * MINUTE);
  assert.equal((await rig.events('subject.observed')).length, 1);
  const quietly = await subjectOf(rig, 'lh400');
  assert.ok(quietly!.checkedAt! > quietly!.changedAt!);
  assert.ok(rig.clock.now() - quietly!.checkedAt! <= INTERVAL + 2000);
  rig.provider.says = () => 'B22';
  const changedAt = rig.clock.now();
  await rig.advance(300_000);
  const [, told] = await rig.events('subject.observed');
  assert.ok(Date.parse(told!.time) - changedAt <= 300_000);
  assert.equal(told!.data.answer.legs[0]!.facts['start.gate']?.value, 'B22');
});

check('there, away, and there again are three things said, each outranking the one before', async (rig) => {
  // The provider's stamp is too coarse to tell them apart.
  rig.provider.saidAt = () => NOW;
  await rig.changed('ana', ['lh400']);
  for (const gate of ['B22', 'A1']) {
    rig.provider.says = () => gate;
    await rig.advance(INTERVAL + 1000);
  }
  const told = await rig.events('subject.observed');
  assert.deepEqual(
    told.map((event) => event.data.answer.legs[0]!.facts['start.gate']?.value),
    ['A1', 'B22', 'A1'],
  );
  const asserted = told.map((event) => Date.parse(event.data.answer.assertedAt));
  assert.ok(asserted[0]! < asserted[1]! && asserted[1]! < asserted[2]!);
  const ids = await Promise.all(told.map(async (event) => (await rig.fanOut(event))[0]!.data.observation.id));
  assert.equal(new Set(ids).size, 3);
});

check('a push asks at once; repeated, forged and unknown ones ask nothing', async (rig) => {
  await rig.changed('ana', ['lh400']);
  const calls = () => rig.provider.calls.length;
  const push = async (text: string) => {
    const answer = await rig.push(text);
    await rig.advance(500);
    return answer?.kind;
  };
  assert.equal(calls(), 1);
  assert.equal(await push('evt1 lh400'), 'accepted');
  assert.equal(calls(), 2);
  assert.equal(await push('evt1 lh400'), 'accepted');
  assert.equal(await push('evt2 unknown'), 'accepted');
  assert.equal(await push(''), 'refused');
  assert.equal(calls(), 2);
  assert.equal(await rig.push('x', 'nobody'), undefined);
});

test('who is not sure to be the one that asks, asks nothing until it is', async () => {
  let sure = true;
  const rig = await openTrackRig({}, { isOurs: () => sure });
  try {
    await rig.changed('ana', ['lh400', 'lh401']);
    assert.equal(rig.provider.calls.length, 2);
    sure = false;
    await rig.advance(3 * INTERVAL);
    await rig.changed('ben', ['lh402']);
    assert.equal(rig.provider.calls.length, 2);
    sure = true;
    await rig.advance(1000);
    assert.equal(rig.provider.calls.length, 5);
  } finally {
    await rig.close();
  }
});

check('429: nobody is asked before the time named; nothing counts as failed; then it goes on', async (rig) => {
  await rig.changed('ana', ['lh400', 'lh401', 'lh402']);
  const wallEnds = rig.clock.now() + 20 * MINUTE;
  rig.provider.says = () => failure('rate-limited', 'provider-rate-limited', wallEnds);
  await rig.advance(INTERVAL + 2000);
  const refused = rig.provider.calls.length;
  assert.equal(status(rig).paused, 'limited');
  rig.provider.says = () => 'A1';
  await rig.advance(wallEnds - rig.clock.now() - 1000);
  assert.equal(rig.provider.calls.length, refused);
  await rig.advance(10_000);
  assert.equal(rig.provider.calls.length, refused + 3);
  assert.equal(status(rig).paused, undefined);
  assert.ok(status(rig).pace < 1);
  assert.equal((await subjectOf(rig, 'lh400'))?.failure, undefined);
});

check(
  'an outage: single probes, "unverified since" the first failure, all verified again within the promise',
  async (rig) => {
    const ids = Array.from({ length: 40 }, (_, i) => `lh${500 + i}`);
    await rig.changed('ana', ids);
    await rig.advance(INTERVAL);
    rig.provider.says = () => failure('transient', 'provider-failed');
    const from = rig.provider.calls.length;
    const outageAt = rig.clock.now();
    await rig.advance(30 * MINUTE);
    const during = rig.provider.calls.length - from;
    assert.equal(status(rig).circuit === 'closed', false);
    assert.ok(during < 140, `${during} calls in half an hour of outage`);
    const failing = await subjectOf(rig, rig.provider.calls[from]!.id);
    assert.equal(failing?.failure, 'provider-failed');
    assert.ok(failing!.failingSince! - outageAt < INTERVAL + 5000);
    rig.provider.says = () => 'B22';
    const healedAt = rig.clock.now();
    await rig.advance(300_000);
    const fresh = await Promise.all(ids.map((id) => subjectOf(rig, id)));
    assert.ok(
      fresh.every((one) => one!.changedAt! > healedAt && one!.failure === undefined),
      'all verified within the promise',
    );
    assert.equal(status(rig).circuit, 'closed');
  },
);

check('a refused key rests the account and is no secret', async (rig) => {
  await rig.changed('ana', ['lh400']);
  rig.provider.says = () => failure('unauthorised', 'provider-unauthorised');
  await rig.advance(INTERVAL + 1000);
  const calls = rig.provider.calls.length;
  assert.equal(status(rig).paused, 'unauthorised');
  await rig.advance(11 * MINUTE);
  assert.equal(rig.provider.calls.length, calls);
  assert.equal((await subjectOf(rig, 'lh400'))?.failure, 'provider-unauthorised');
  rig.provider.says = () => 'A1';
  await rig.advance(5 * MINUTE);
  assert.equal((await subjectOf(rig, 'lh400'))?.failure, undefined);
});

check('an answer about something else leaves the last one standing, marked as unverified', async (rig) => {
  await rig.changed('ana', ['lh400']);
  rig.provider.says = () => failure('permanent', 'provider-answered-other');
  await rig.advance(30 * MINUTE);
  const subject = await subjectOf(rig, 'lh400');
  assert.equal(subject?.failure, 'provider-answered-other');
  assert.equal(subject?.answerDigest, 'A1');
  assert.equal(status(rig).circuit, 'closed');
  assert.equal(status(rig).failing, 1);
  rig.provider.says = () => 'absent';
  await rig.advance(40 * MINUTE);
  assert.equal((await subjectOf(rig, 'lh400'))?.failure, 'provider-not-found');
  assert.equal((await rig.events('subject.observed')).length, 1);
});

check('an older copy is not taken, unless the provider insists', async (rig) => {
  await rig.changed('ana', ['lh400']);
  await rig.advance(10 * MINUTE);
  rig.provider.saidAt = () => NOW - HOUR;
  rig.provider.says = () => 'Z9';
  for (let i = 0; i < 30 && status(rig).failing === 0; i++) await rig.advance(10_000);
  assert.equal((await rig.events('subject.observed')).length, 1);
  assert.equal((await subjectOf(rig, 'lh400'))?.failure, 'provider-answered-older');
  await rig.advance(3 * MINUTE);
  assert.equal((await rig.events('subject.observed')).length, 2);
});

check('whoever comes later gets the answer that is known, alone', async (rig) => {
  await rig.changed('ana', ['lh400']);
  const told = await rig.changed('ben', ['lh400']);
  assert.equal(told.length, 1);
  const [event] = told as [Awaited<ReturnType<typeof rig.events<'subject.observed'>>>[number]];
  assert.equal(event.data.only?.traveller, 'trv_ben');
  const observations = await rig.fanOut(event);
  assert.deepEqual(
    observations.map((one) => one.travellerid),
    ['trv_ben'],
  );
  // By both ways the same observation.
  const [first] = await rig.events('subject.observed');
  const all = await rig.fanOut(first!);
  assert.equal(
    all.find((one) => one.travellerid === 'trv_ben')?.data.observation.id,
    observations[0]!.data.observation.id,
  );
  assert.equal(rig.provider.calls.length, 1);
  assert.equal((await rig.changed('ben', ['lh400'])).length, 0, 'only once');
});

check('the last follower gone, it ends; taken up again, it is asked again', async (rig) => {
  await rig.changed('ana', ['lh400']);
  await rig.changed('ben', ['lh400']);
  await rig.changed('ana', []);
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'active');
  await rig.changed('ben', ['lh400'], { fields: { removed: { value: true, by: {} as never } } });
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'ended');
  assert.equal(status(rig).subjects, 0);
  const calls = rig.provider.calls.length;
  await rig.advance(HOUR);
  assert.equal(rig.provider.calls.length, calls);
  await rig.changed('ben', ['lh400']);
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'active');
  await rig.advance(1000);
  assert.equal(rig.provider.calls.length, calls + 1);
  await rig.changed('ben', ['lh400'], {}, { mergedInto: 'rsv_other' });
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'ended');
});

check('final answers and passed times end it; a corrected time does not bring it back', async (rig) => {
  rig.provider.final = () => true;
  await rig.changed('ana', ['lh400']);
  await rig.advance(1000);
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'ended');
  assert.equal((await subjectOf(rig, 'lh400'))?.answerDigest, 'A1');
  rig.provider.startsIn = () => 3.5;
  await rig.changed('ana', ['lh400']);
  assert.equal((await subjectOf(rig, 'lh400'))?.state, 'ended');
  rig.provider.final = () => false;
  await rig.changed('cleo', ['lh555']);
  await rig.advance(10 * HOUR, MINUTE);
  assert.equal((await subjectOf(rig, 'lh555'))?.state, 'ended');
  assert.equal(status(rig).subjects, 0);
});

check('nothing is asked before its time', async (rig) => {
  rig.provider.startsIn = () => 80;
  await rig.changed('ana', ['lh400']);
  await rig.advance(7 * HOUR, MINUTE);
  assert.equal(rig.provider.calls.length, 0);
  await rig.advance(2 * HOUR, MINUTE);
  assert.ok(rig.provider.calls.length > 5);
});

check('after a restart: what is fresh keeps its place, what is overdue comes back spread', async (rig) => {
  const ids = Array.from({ length: 200 }, (_, i) => `lh${600 + i}`);
  await rig.changed('ana', ids);
  await rig.advance(INTERVAL + 10_000);
  await rig.tracker.stop();
  const before = rig.provider.calls.length;
  await rig.restart();
  await rig.advance(1000);
  assert.ok(rig.provider.calls.length - before <= 60, 'fresh ones wait for their turn');
  await rig.tracker.stop();
  await rig.advance(HOUR);
  const down = rig.provider.calls.length;
  await rig.restart();
  await rig.advance(1000);
  const herd = rig.provider.calls.length - down;
  assert.ok(herd < 20, `${herd} questions in the first second`);
  await rig.advance(INTERVAL);
  assert.equal(new Set(rig.provider.calls.slice(down).map((call) => call.id)).size, 200);
});

check('many cancellations at once are looked at three times, then told; a lie is not', async (rig) => {
  const ids = Array.from({ length: 100 }, (_, i) => `lh${700 + i}`);
  await rig.changed('ana', ids);
  await rig.advance(1.6 * INTERVAL);
  const told = async () =>
    (await rig.events('subject.observed')).filter(
      (event) => event.data.answer.legs[0]!.facts.status?.value === 'cancelled',
    ).length;
  rig.provider.says = () => 'cancelled';
  await rig.advance(80_000);
  assert.ok(status(rig).held > 5);
  assert.ok((await told()) <= 20, `${await told()} told`);
  rig.provider.says = () => 'A1';
  await rig.advance(2 * INTERVAL);
  assert.ok((await told()) <= 20);
  assert.equal(status(rig).held, 0);
  rig.provider.says = () => 'cancelled';
  const lies = await told();
  await rig.advance(INTERVAL + 2 * MINUTE);
  assert.equal((await told()) - lies, 100);
});

check(
  'too few calls: the limit holds, the nearest departures stay fresh, the rest is asked in turn, the gap is a figure',
  async (rig) => {
    const near = Array.from({ length: 20 }, (_, i) => `near${i}`);
    const far = Array.from({ length: 200 }, (_, i) => `far${i}`);
    rig.provider.startsIn = (id) => (id.startsWith('near') ? 5 : 60);
    await rig.changed('ana', [...near, ...far]);
    await rig.advance(2 * HOUR);
    const { calls } = rig.provider;
    for (let i = 0; i + 10 < calls.length; i++) assert.ok(calls[i + 10]!.at - calls[i]!.at >= MINUTE, 'ten a minute');
    const gap = (id: string) => {
      const at = [...rig.provider.callsFor(id).filter((one) => one > NOW + HOUR), rig.clock.now()];
      return Math.max(...at.map((one, i) => one - (at[i - 1] ?? NOW + HOUR)));
    };
    const worst = (ids: readonly string[]) => Math.max(...ids.map(gap)) / MINUTE;
    console.log(`  longest gap, minutes: near ${worst(near).toFixed(1)}, far ${worst(far).toFixed(1)}`);
    assert.ok(worst(near) < worst(far) / 2);
    assert.ok(
      far.every((id) => rig.provider.callsFor(id).length > 1),
      'nobody starves',
    );
    assert.ok(status(rig).shortfallSeconds > 300);
    assert.ok(status(rig).freshSecondsP99! > 300);
  },
  { limits: [{ max: 10, perSeconds: 60 }] },
);

check('a claimed cancellation asks the provider now, not at the next round', async (rig) => {
  await rig.changed('ana', ['lh400']);
  const by = { source: { kind: 'mail' } } as never;
  const fields = {
    status: { value: 'confirmed', by, beside: { value: 'cancelled', by } },
  } satisfies Reservation['fields'];
  const changes = [{ type: 'details', path: 'status', to: 'cancelled', besidePerson: true }];
  await rig.advance(10_000);
  await rig.changed('ana', ['lh400'], { fields }, { changes });
  assert.equal(rig.provider.calls.length, 2);
  await rig.changed('ana', ['lh400'], { fields }, { changes: [] });
  assert.equal(rig.provider.calls.length, 2);
});

check('what is announced and then rolled back is not asked; what was never announced is found', async (rig) => {
  const id = subjectIdOf('fake', 'ghost');
  rig.tracker.refresh(new Map([[id, '{}']]));
  await rig.advance(10_000);
  assert.equal(rig.provider.calls.length, 0);
  const spec = { id: 'quiet', label: 'quiet', query: {}, fromAt: 0, startAt: NOW + HOUR, endAt: NOW + 5 * HOUR };
  await rig.store.transact((tx) => tx.subjects.put(subjectIdOf('fake', 'quiet'), 'fake', spec));
  await rig.advance(11 * MINUTE);
  assert.ok(rig.provider.callsFor('quiet').length >= 1);
});

check('a store that refuses for a while: nothing is lost, the provider is not blamed', async (rig) => {
  await rig.changed('ana', ['lh400']);
  const real = rig.store.transact;
  rig.provider.says = () => 'B22';
  Object.assign(rig.store, { transact: () => Promise.reject(failure('transient', 'store-busy')) });
  await rig.advance(INTERVAL + 5000);
  assert.equal(status(rig).circuit, 'closed');
  Object.assign(rig.store, { transact: real });
  await rig.advance(20_000);
  await settle();
  const told = await rig.events('subject.observed');
  assert.equal(told.length, 2);
  assert.equal(told[1]!.data.fetchedAt <= isoInstant(rig.clock.now()), true);
});

test('a paused account is asked nothing, however much is due, and goes on within two seconds', async () => {
  const listeners = new Set<() => void>();
  let paused: string | undefined;
  const rig = await openTrackRig(
    {},
    {
      paused: {
        account: (name) => (name === paused ? 'looking' : undefined),
        onChange: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
    },
  );
  const set = (name: string | undefined) => {
    paused = name;
    for (const listener of listeners) listener();
  };
  try {
    await rig.changed('ana', ['lh400', 'lh401']);
    await rig.advance(10_000);
    const asked = rig.provider.calls.length;
    assert.equal(asked, 2);
    set('fake');
    await rig.changed('ben', ['lh402']);
    rig.tracker.wake('fake', ['lh400']);
    await rig.advance(3 * INTERVAL);
    assert.equal(rig.provider.calls.length, asked);
    set(undefined);
    await rig.advance(2000);
    for (const id of ['lh400', 'lh401', 'lh402'])
      assert.ok(
        rig.provider.callsFor(id).some((at) => at >= rig.clock.now() - 2000),
        id,
      );
    set('other');
    await rig.advance(INTERVAL);
    assert.ok(rig.provider.calls.length > asked + 3, 'another account is paused, not this one');
  } finally {
    await rig.close();
  }
  assert.equal(listeners.size, 0);
});
