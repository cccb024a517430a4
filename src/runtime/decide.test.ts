import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_KINDS, type ErrorKind, TripwatchError } from '../domain/errors.ts';
import { UNAUTHORISED_WAIT_MS } from '../domain/limits.ts';
import { decide, isStoreFault, toTripwatchError } from './decide.ts';

const policy = { attemptsMax: 3, firstDelayMs: 100, factor: 2, delayMsMax: 1000, ageMsMax: 10_000 };
const now = 1_000_000;
const failed = { attempt: 1, firstAt: now, now, history: [] };
const error = (kind: ErrorKind, retryAt?: number) =>
  new TripwatchError(kind, 'code', 'message', retryAt === undefined ? {} : { retryAt });
const record = (kind: string) => ({ at: now, kind, code: 'code', message: 'message' });

test('each kind has its way', () => {
  const ways = Object.keys(ERROR_KINDS).map((kind) => [kind, decide(error(kind as ErrorKind), failed, policy, 0.5)]);
  assert.deepEqual(Object.fromEntries(ways), {
    transient: { kind: 'retry', at: now + 51, counts: true },
    'rate-limited': { kind: 'retry', at: now + 51, counts: false },
    unauthorised: { kind: 'retry', at: now + UNAUTHORISED_WAIT_MS, counts: false },
    permanent: { kind: 'dead' },
    poison: { kind: 'dead' },
    stale: { kind: 'retry', at: now + 51, counts: true },
    cancelled: { kind: 'retry', at: now + 51, counts: true },
    defect: { kind: 'retry', at: now + 51, counts: true },
  });
});

test('the last attempt of a transient error is a dead letter that says how many there were', () => {
  assert.equal(decide(error('transient'), { ...failed, attempt: 2 }, policy, 0).kind, 'retry');
  assert.deepEqual(decide(error('transient'), { ...failed, attempt: 3 }, policy, 0), {
    kind: 'dead',
    why: 'gave up after 3 attempts',
  });
});

test('a hint later than the backoff is obeyed, an earlier one does not shorten it', () => {
  assert.deepEqual(decide(error('transient', now + 9000), failed, policy, 0), {
    kind: 'retry',
    at: now + 9000,
    counts: true,
  });
  assert.deepEqual(decide(error('transient', now - 9000), failed, policy, 0), {
    kind: 'retry',
    at: now + 1,
    counts: true,
  });
});

test('rate limits wait for their time, however many attempts, up to an age', () => {
  const many = { ...failed, attempt: 99, history: Array(99).fill(record('rate-limited')) };
  assert.deepEqual(decide(error('rate-limited', now + 7000), many, policy, 0), {
    kind: 'retry',
    at: now + 7000,
    counts: false,
  });
  assert.equal(decide(error('rate-limited'), { ...failed, firstAt: now - 9999 }, policy, 0).kind, 'retry');
  assert.equal(decide(error('rate-limited'), { ...failed, firstAt: now - 10_000 }, policy, 0).kind, 'dead');
  assert.equal(decide(error('unauthorised'), { ...failed, firstAt: now - 10_000 }, policy, 0).kind, 'dead');
});

test('a time in the past is never the time of the next attempt', () => {
  const decision = decide(error('rate-limited', now - 5000), failed, policy, 0);
  assert.ok(decision.kind === 'retry' && decision.at > now);
});

test('an event that breaks an assertion twice is poison', () => {
  const again = { ...failed, attempt: 2, history: [record('defect')] };
  assert.equal(decide(error('defect'), again, policy, 0).kind, 'dead');
  assert.equal(decide(error('defect'), { ...again, history: [record('transient')] }, policy, 0).kind, 'retry');
});

test('what is not our error is transient; an abort is cancelled; ours stay', () => {
  assert.equal(toTripwatchError(new RangeError('x')).kind, 'transient');
  assert.equal(toTripwatchError('thrown text').message, 'thrown text');
  assert.equal(toTripwatchError(new DOMException('x', 'AbortError')).kind, 'cancelled');
  const ours = error('poison');
  assert.equal(toTripwatchError(ours), ours);
});

test("the store's own trouble is told apart from an event's", () => {
  assert.equal(isStoreFault(new TripwatchError('transient', 'store-disk-full', '')), true);
  assert.equal(isStoreFault(new TripwatchError('defect', 'store-constraint', '')), false);
  assert.equal(isStoreFault(error('transient')), false);
});
