import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import { FakeProvider, MINUTE, openTrackRig, type TrackRig } from './track.testing.ts';

const INTERVAL = 270_000;
const down = () => new TripwatchError('transient', 'provider-failed', 'made for the test');

/** Two accounts that answer the same: `fake`, which is asked first, and `second` behind it. */
async function withTwo(run: (rig: TrackRig, second: FakeProvider) => Promise<void>, limit = 100): Promise<void> {
  let second: FakeProvider | undefined;
  const rig = await openTrackRig(
    { beside: ['second'], limits: [{ max: limit, perSeconds: limit < 100 ? 60 : 1 }] },
    undefined,
    undefined,
    (clock) => {
      second = new FakeProvider(clock);
      const limits = [{ max: 100, perSeconds: 1 }];
      return [{ account: 'second', connector: second, limits, freshSeconds: 300, behind: ['fake'], beside: ['fake'] }];
    },
  );
  try {
    await run(rig, second!);
  } finally {
    await rig.close();
  }
}
const stored = (rig: TrackRig, account: string, id: string) =>
  rig.store.read((tx) => tx.subjects.get(subjectIdOf(account, id)));

test('while the first answers, the second is asked nothing', async () => {
  await withTwo(async (rig, second) => {
    await rig.changed('ana', ['lh400', 'lh401']);
    await rig.advance(60 * MINUTE);
    assert.ok(rig.provider.calls.length >= 24);
    assert.equal(second.calls.length, 0);
    const [, status] = rig.tracker.status();
    assert.equal(status!.resting, 2);
    assert.equal(status!.freshSecondsP99, undefined);
    assert.equal(status!.shortfallSeconds, 0);
  });
});

test('the first is down: the second takes over within the promise, and rests again when the first is back', async () => {
  await withTwo(async (rig, second) => {
    await rig.changed('ana', ['lh400', 'lh401']);
    await rig.advance(2 * INTERVAL);
    rig.provider.says = down;
    second.says = () => 'B22';
    const downAt = rig.clock.now();
    await rig.advance(300_000);
    for (const id of ['lh400', 'lh401']) assert.equal((await stored(rig, 'second', id))!.answerDigest, 'B22', id);
    await rig.advance(20 * MINUTE);
    const newest = (await stored(rig, 'second', 'lh400'))!.checkedAt!;
    assert.ok(rig.clock.now() - newest <= 300_000 && newest > downAt);
    rig.provider.says = () => 'B22';
    await rig.advance(10 * MINUTE);
    const calls = second.calls.length;
    await rig.advance(20 * MINUTE);
    assert.equal(second.calls.length, calls);
  });
});

test('a paused first account is stood in for', async () => {
  const pauses = new Set<string>();
  let changed = (): void => {};
  const paused = {
    account: (name: string) => (pauses.has(name) ? {} : undefined),
    onChange: (listener: () => void) => {
      changed = listener;
      return () => {};
    },
  };
  let second: FakeProvider | undefined;
  const rig = await openTrackRig({ beside: ['second'] }, { paused }, undefined, (clock) => {
    second = new FakeProvider(clock);
    const limits = [{ max: 100, perSeconds: 1 }];
    return [{ account: 'second', connector: second, limits, freshSeconds: 300, behind: ['fake'], beside: ['fake'] }];
  });
  try {
    await rig.changed('ana', ['lh400']);
    await rig.advance(INTERVAL);
    pauses.add('fake');
    changed();
    await rig.advance(300_000);
    assert.ok(second!.calls.length >= 1);
  } finally {
    await rig.close();
  }
});

test('the first at its limit: what it does not get to is asked of the second', async () => {
  await withTwo(async (rig, second) => {
    // Four a minute are eighteen in a round.
    const ids = Array.from({ length: 40 }, (_, i) => `lh${i}`);
    await rig.changed('ana', ids);
    await rig.advance(30 * MINUTE);
    let fresh = 0;
    for (const id of ids) {
      const checked = [await stored(rig, 'fake', id), await stored(rig, 'second', id)].map(
        (one) => one?.checkedAt ?? 0,
      );
      if (rig.clock.now() - Math.max(...checked) <= 300_000) fresh++;
    }
    console.log(
      `  40 flights, first account 4 calls a minute: ${fresh} within five minutes, second asked ${second.calls.length}`,
    );
    assert.ok(fresh >= 38, `${fresh} of 40`);
  }, 4);
});

test('"cancelled" by one: the other is asked at once, for an opinion', async () => {
  await withTwo(async (rig, second) => {
    await rig.changed('ana', ['lh400']);
    await rig.advance(INTERVAL);
    assert.equal(second.calls.length, 0);
    rig.provider.says = () => 'cancelled';
    second.says = () => 'cancelled';
    await rig.advance(INTERVAL + 4000);
    const [asked] = second.calls;
    const first = (await stored(rig, 'fake', 'lh400'))!;
    assert.ok(asked !== undefined && asked.at - first.changedAt! <= 2000, 'asked within two seconds');
    assert.equal((await stored(rig, 'second', 'lh400'))!.answerDigest, 'cancelled');
  });
});

test('an account that does not know the flight is stood in for', async () => {
  await withTwo(async (rig, second) => {
    rig.provider.says = () => 'absent';
    await rig.changed('ana', ['lh400']);
    await rig.advance(300_000);
    assert.ok(second.calls.length >= 1);
    assert.equal((await stored(rig, 'second', 'lh400'))!.answerDigest, 'A1');
  });
});
