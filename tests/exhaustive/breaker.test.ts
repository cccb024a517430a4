import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  admit,
  type Breaker,
  type BreakerPolicy,
  CLOSED,
  failed,
  restored,
  succeeded,
} from '../../src/domain/schedule/breaker.ts';
import { explore } from './explore.ts';

/** Small times, so that all states can be visited: waits of 1, 2 and 3 units, a probe is given up after 2. */
const POLICY: BreakerPolicy = { failuresMax: 2, openMsFirst: 1, openMsMax: 3, probeMsMax: 2 };
const ASKERS = 4;

interface World {
  readonly breaker: Breaker;
  /** Questions that are out, each with when it began; at most `ASKERS`. */
  readonly out: readonly number[];
  readonly now: number;
}

/** Times count from now on; what lies further back makes no difference. Rounds above the third wait as long as it. */
function keyOf({ breaker, out, now }: World): string {
  const ages = out.map((at) => Math.min(4, now - at)).sort();
  if (breaker.state === 'closed') return `closed ${breaker.failures} ${ages}`;
  const round = Math.min(3, breaker.round);
  if (breaker.state === 'open') return `open ${Math.max(-1, breaker.until - now)} ${round} ${ages}`;
  return `probing ${Math.min(3, now - breaker.since)} ${round} ${ages}`;
}

const steps: Readonly<Record<string, (world: World) => World | undefined>> = {
  ask: (world) => {
    if (world.out.length === ASKERS) return undefined;
    const { admitted, breaker } = admit(world.breaker, world.now, POLICY);
    return { ...world, breaker, out: admitted ? [...world.out, world.now] : world.out };
  },
  answer: (world) =>
    world.out.length === 0 ? undefined : { ...world, breaker: succeeded(world.breaker), out: world.out.slice(1) },
  fail: (world) =>
    world.out.length === 0
      ? undefined
      : { ...world, breaker: failed(world.breaker, world.now, 0, POLICY), out: world.out.slice(1) },
  'be lost': (world) => (world.out.length === 0 ? undefined : { ...world, out: world.out.slice(1) }),
  wait: (world) => ({ ...world, now: world.now + 1 }),
  restart: (world) => ({ ...world, breaker: restored(world.breaker, world.now), out: [] }),
};

test('every state of the breaker with four askers: one probe at a time, and each state is left by time alone', () => {
  const { states, transitions, isWhole } = explore<World>({
    first: { breaker: CLOSED, out: [], now: 0 },
    steps,
    keyOf,
    depthMax: 60,
    check: (world, before, step) => {
      if (before === undefined || step !== 'ask' || world.out.length === before.out.length) return;
      // While it is not closed, a question is let through only as the one probe.
      if (before.breaker.state !== 'closed') assert.equal(world.breaker.state, 'probing');
      if (before.breaker.state === 'probing') assert.ok(world.now - before.breaker.since >= POLICY.probeMsMax);
    },
  });
  console.log(`  ${states.length} states, ${transitions} transitions`);
  assert.ok(isWhole, 'all of them were visited');
  for (const state of states) {
    // No timer, no answer, nothing but time: within the longest wait a question goes out, and its success closes it.
    let now = state.now;
    let { breaker } = state;
    for (let admitted = false; !admitted; now++) {
      assert.ok(now - state.now <= POLICY.openMsMax + POLICY.probeMsMax, JSON.stringify(state));
      ({ admitted, breaker } = admit(breaker, now, POLICY));
    }
    assert.equal(succeeded(breaker).state, 'closed');
  }
});

test('a breaker that could not be left would be found', () => {
  const stuck = (world: World): World | undefined =>
    world.breaker.state === 'open' ? { ...world, out: world.out } : steps.ask!(world);
  const { states } = explore<World>({
    first: { breaker: CLOSED, out: [], now: 0 },
    steps: { ...steps, ask: stuck },
    keyOf,
    depthMax: 40,
    check: () => {},
  });
  assert.ok(states.some(({ breaker }) => breaker.state === 'open'));
  assert.ok(!states.some(({ breaker }) => breaker.state === 'probing'));
});
