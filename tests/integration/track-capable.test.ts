import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { PushState } from '../../src/ports/provider.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import type { TrackedAccount } from '../../src/stages/track/tracker.ts';
import { MINUTE, openTrackRig, type TrackRig } from './track.testing.ts';
import { CapableProvider } from './track-capable.testing.ts';

const INTERVAL = 270_000;
const error = (kind: 'transient' | 'permanent' | 'unauthorised' | 'rate-limited', code: string, retryAt?: number) =>
  new TripwatchError(kind, code, 'made for the test', retryAt === undefined ? {} : { retryAt });

type Can = ConstructorParameters<typeof CapableProvider>[1];
type CapableRig = TrackRig & { readonly provider: CapableProvider };

function check(
  what: string,
  can: Can,
  run: (rig: CapableRig) => Promise<void>,
  account: Partial<TrackedAccount> = {},
): void {
  test(what, async () => {
    const rig = await openTrackRig(account, {}, (clock) => new CapableProvider(clock, can));
    try {
      await run(rig as CapableRig);
    } finally {
      await rig.close();
    }
  });
}

const stored = (rig: TrackRig, id: string) => rig.store.read((tx) => tx.subjects.get(subjectIdOf('fake', id)));
const ids = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`);

check('one call for as many as the provider takes, within one unit of the budget', { readManyMax: 10 }, async (rig) => {
  await rig.changed('ana', ids('booking', 25));
  await rig.advance(2 * INTERVAL);
  const since = rig.clock.now();
  await rig.advance(4 * INTERVAL);
  const calls = rig.provider.counted('many', since);
  assert.ok(calls >= 10 && calls <= 13, `${calls} calls in four rounds of 25`);
  assert.equal(rig.provider.counted('one', since), 0);
  assert.ok(rig.provider.log.every(({ about }) => about.length <= 10));
  for (const id of ids('booking', 25))
    assert.ok(rig.clock.now() - (await stored(rig, id))!.checkedAt! <= INTERVAL + 3000);
});

check('only those of one batch are read together', { readManyMax: 10, batches: true }, async (rig) => {
  await rig.changed('ana', [...ids('stay', 5), ...ids('car', 3)]);
  await rig.advance(2 * INTERVAL);
  const since = rig.clock.now();
  await rig.advance(4 * INTERVAL);
  const many = rig.provider.log.filter(({ how, at }) => how === 'many' && at >= since);
  assert.ok(many.every(({ about }) => new Set(about.map((id) => id.split('-')[0])).size === 1));
  assert.ok(many.some(({ about }) => about.length === 5) && many.some(({ about }) => about.length === 3));
  for (const id of [...ids('stay', 5), ...ids('car', 3)])
    assert.ok(rig.clock.now() - (await stored(rig, id))!.checkedAt! <= INTERVAL + 3000);
});

check('a bad answer of a batch harms no other, and is asked about alone', { readManyMax: 10 }, async (rig) => {
  await rig.changed('ana', ids('booking', 6));
  await rig.advance(INTERVAL + 2000);
  rig.provider.says = (id) => (id === 'booking-3' ? error('permanent', 'provider-answered-other') : 'B22');
  await rig.advance(INTERVAL + 2000);
  assert.equal((await stored(rig, 'booking-3'))!.failure, 'provider-answered-other');
  assert.equal((await stored(rig, 'booking-2'))!.answerDigest, 'B22');
  assert.equal(rig.tracker.status()[0]!.failing, 1);
  assert.equal(rig.tracker.status()[0]!.circuit, 'closed');
  rig.provider.says = () => 'B22';
  const since = rig.clock.now();
  await rig.advance(15 * MINUTE);
  assert.equal(rig.tracker.status()[0]!.failing, 0);
  const [first] = rig.provider.log.filter(({ about, at }) => at >= since && about.includes('booking-3'));
  assert.equal(first!.how, 'one');
});

check('a batch that fails as a whole is repeated, then each is asked alone', { readManyMax: 10 }, async (rig) => {
  await rig.changed('ana', ids('booking', 6));
  await rig.advance(INTERVAL + 2000);
  rig.provider.fails = (how) => (how === 'many' ? error('transient', 'provider-failed') : undefined);
  await rig.advance(2 * INTERVAL);
  assert.ok(rig.provider.counted('one') > 6, 'asked one by one');
  assert.equal(rig.tracker.status()[0]!.failing, 0);
  for (const id of ids('booking', 6)) assert.ok(rig.clock.now() - (await stored(rig, id))!.checkedAt! <= 300_000, id);
});

check('a board is read where that is cheaper, and brings all that stand on it', { board: 2 }, async (rig) => {
  await rig.changed('ana', [...ids('fra', 12), ...ids('osl', 2)]);
  await rig.advance(2 * INTERVAL);
  const since = rig.clock.now();
  await rig.advance(4 * INTERVAL);
  const { provider } = rig;
  const boards = provider.counted('board', since);
  assert.ok(boards >= 3 && boards <= 5, `${boards} boards in four rounds`);
  assert.ok(
    provider.log.filter(({ how, at }) => how === 'board' && at >= since).every(({ about }) => about.length === 12),
  );
  // Two questions cost what the board does: asked one by one.
  const ones = provider.log.filter(({ how, at }) => how === 'one' && at >= since);
  assert.ok(ones.length >= 7 && ones.length <= 9 && ones.every(({ about }) => about[0]!.startsWith('osl')));
  assert.equal(rig.tracker.status()[0]!.budget[0]!.max, 100);
  provider.says = () => 'B22';
  await rig.advance(INTERVAL + 5000);
  for (const id of ids('fra', 12)) assert.equal((await stored(rig, id))!.answerDigest, 'B22');
});

check('who does not stand on the board is asked alone, and keeps its answer', { board: 1 }, async (rig) => {
  rig.provider.isMissing = (id) => id === 'fra-3';
  await rig.changed('ana', ids('fra', 8));
  await rig.advance(2 * INTERVAL);
  const since = rig.clock.now();
  await rig.advance(2 * INTERVAL);
  const about = rig.provider.log.filter(({ at }) => at >= since);
  assert.ok(about.filter(({ how }) => how === 'one').every((call) => call.about[0] === 'fra-3'));
  assert.ok(rig.clock.now() - (await stored(rig, 'fra-3'))!.checkedAt! <= 300_000);
  assert.equal(rig.tracker.status()[0]!.failing, 0);
});

check('boards that the plan does not include rest neither the account nor the flights', { board: 1 }, async (rig) => {
  rig.provider.fails = (how) => (how === 'board' ? error('unauthorised', 'provider-unauthorised') : undefined);
  await rig.changed('ana', ids('fra', 8));
  await rig.advance(3 * INTERVAL);
  assert.equal(rig.provider.counted('board'), 1);
  assert.equal(rig.tracker.status()[0]!.paused, undefined);
  for (const id of ids('fra', 8)) assert.ok(rig.clock.now() - (await stored(rig, id))!.checkedAt! <= 300_000, id);
});

check('a wall met by a board is the account’s; nothing counts as failed', { board: 1 }, async (rig) => {
  await rig.changed('ana', ids('fra', 8));
  await rig.advance(INTERVAL);
  const wallEnds = rig.clock.now() + 10 * MINUTE;
  rig.provider.fails = () => error('rate-limited', 'provider-rate-limited', wallEnds);
  await rig.advance(5 * MINUTE);
  const calls = rig.provider.log.length;
  rig.provider.fails = () => undefined;
  await rig.advance(wallEnds - rig.clock.now() - 1000);
  assert.equal(rig.provider.log.length, calls);
  assert.equal(rig.tracker.status()[0]!.failing, 0);
  await rig.advance(20_000);
  for (const id of ids('fra', 8)) assert.ok((await stored(rig, id))!.checkedAt! >= wallEnds, id);
});

check('an outage of boards and all: unverified at once, verified again by few calls', { board: 1 }, async (rig) => {
  await rig.changed('ana', ids('fra', 12));
  await rig.advance(INTERVAL);
  rig.provider.fails = () => error('transient', 'provider-failed');
  await rig.advance(20 * MINUTE);
  assert.equal(rig.tracker.status()[0]!.failing, 12);
  rig.provider.fails = () => undefined;
  const healedAt = rig.clock.now();
  await rig.advance(5 * MINUTE);
  for (const id of ids('fra', 12)) assert.ok((await stored(rig, id))!.checkedAt! >= healedAt, id);
  assert.equal(rig.tracker.status()[0]!.failing, 0);
});

check(
  'an answer that came before is asked for by its token, and read whole now and then',
  { token: true },
  async (rig) => {
    await rig.changed('ana', ['lh400']);
    await rig.advance(2 * 3_600_000);
    const { provider } = rig;
    assert.ok(provider.counted('one') >= 2 && provider.counted('one') <= 4, `${provider.counted('one')}`);
    assert.ok(provider.counted('if') >= 20);
    assert.ok(rig.clock.now() - (await stored(rig, 'lh400'))!.checkedAt! <= INTERVAL + 2000, 'unchanged is fresh');
    assert.equal((await rig.events('subject.observed')).length, 1);
    provider.says = () => 'B22';
    await rig.advance(INTERVAL + 2000);
    assert.equal((await rig.events('subject.observed')).length, 2);
  },
);

check('a token stands only for what was taken', { token: true }, async (rig) => {
  await rig.changed('ana', ['lh400']);
  await rig.advance(INTERVAL + 2000);
  // An older copy, held back; then the same older copy again must not count as unchanged.
  rig.provider.says = () => 'OLD';
  rig.provider.saidAt = () => rig.clock.now() - 10 * MINUTE;
  await rig.advance(INTERVAL + 2000);
  assert.equal((await stored(rig, 'lh400'))!.failure, 'provider-answered-older');
  await rig.advance(3 * MINUTE);
  assert.equal((await stored(rig, 'lh400'))!.answerDigest, 'OLD');
});

const LIST = { listEveryMs: 2 * MINUTE };

check('what a list names is asked at once; what it does not name near as ever, far more seldom', LIST, async (rig) => {
  rig.provider.startsIn = (id) => (id.startsWith('far') ? 60 : 3);
  await rig.changed('ana', [...ids('near', 1), ...ids('far', 4)]);
  await rig.advance(10 * MINUTE);
  const since = rig.clock.now();
  await rig.advance(60 * MINUTE);
  const asked = (id: string) => rig.provider.callsFor(id).filter((at) => at >= since).length;
  assert.ok(asked('near-0') >= 12, `${asked('near-0')} near`);
  assert.ok(asked('far-0') >= 2 && asked('far-0') <= 5, `${asked('far-0')} far`);
  assert.ok(rig.provider.counted('list', since) >= 28);
  rig.provider.says = () => 'B22';
  rig.provider.listed = ['far-1', 'unknown', 'far-2'];
  await rig.advance(2 * MINUTE + 4000);
  assert.equal((await stored(rig, 'far-1'))!.answerDigest, 'B22');
  assert.equal((await stored(rig, 'far-2'))!.answerDigest, 'B22');
});

check('a list that fails leaves the rounds as they are without it', LIST, async (rig) => {
  rig.provider.startsIn = () => 60;
  await rig.changed('ana', ids('far', 2));
  await rig.advance(10 * MINUTE);
  rig.provider.fails = (how) => (how === 'list' ? error('unauthorised', 'provider-unauthorised') : undefined);
  await rig.advance(30 * MINUTE);
  assert.equal(rig.tracker.status()[0]!.paused, undefined);
  const since = rig.clock.now();
  await rig.advance(30 * MINUTE);
  assert.ok(rig.provider.callsFor('far-0').filter((at) => at >= since).length >= 6);
});

check('where the list was read to, and what it named, outlive a restart', LIST, async (rig) => {
  rig.provider.startsIn = () => 60;
  await rig.changed('ana', ids('far', 3));
  await rig.advance(10 * MINUTE);
  rig.provider.fails = (how) => (how === 'one' ? error('transient', 'provider-failed') : undefined);
  rig.provider.listed = ['far-1'];
  await rig.advance(2 * MINUTE + 2000);
  const failed = rig.provider.counted('one');
  rig.provider.fails = () => undefined;
  rig.provider.says = () => 'B22';
  await rig.restart();
  await rig.advance(5000);
  assert.equal((await stored(rig, 'far-1'))!.answerDigest, 'B22');
  assert.ok(rig.provider.counted('one') > failed);
  const kept = await rig.store.read((tx) => tx.providerState.get('fake'));
  assert.equal(kept?.list?.cursor, '1');
});

check('a signed push is told within two seconds; one that comes too early is asked for again', {}, async (rig) => {
  await rig.changed('ana', ['lh400']);
  await rig.advance(60_000);
  const push = (text: string) => rig.push(text);
  rig.provider.says = () => 'B22';
  const changedAt = rig.clock.now();
  await push('evt1 lh400');
  await rig.advance(2000, 100);
  const [, told] = await rig.events('subject.observed');
  assert.ok(Date.parse(told!.time) - changedAt <= 2000);
  await rig.advance(60_000);
  await push('evt2 lh400');
  await rig.advance(2000);
  rig.provider.says = () => 'C33';
  await rig.advance(16_000);
  assert.equal((await rig.events('subject.observed')).length, 3);
});

test('whether the provider pushes is looked after as work of its own, and shown', async () => {
  const asked: { readonly url: string; readonly at: number }[] = [];
  let state: PushState = { kind: 'active' };
  const rig = await openTrackRig({ pushUrl: 'https://trips.example/push/fake' }, {}, (clock) => {
    const provider = new CapableProvider(clock, {});
    return Object.assign(provider, {
      renewPush: async (url: string) => {
        asked.push({ url, at: clock.now() });
        return state;
      },
    });
  });
  try {
    await rig.changed('ana', ['lh400']);
    await rig.advance(10 * MINUTE);
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['https://trips.example/push/fake'],
    );
    assert.deepEqual(rig.tracker.status()[0]!.push, { kind: 'active' });
    state = { kind: 'missing', reason: 'switched off' };
    await rig.advance(60 * MINUTE);
    assert.equal(asked.length, 2);
    assert.deepEqual(rig.tracker.status()[0]!.push, state);
    assert.ok(rig.tracker.status()[0]!.pushSeenAt! >= rig.clock.now() - 15 * MINUTE);
    // The rounds go on beside it.
    assert.ok(rig.provider.callsFor('lh400').length >= 14);
  } finally {
    await rig.close();
  }
});
