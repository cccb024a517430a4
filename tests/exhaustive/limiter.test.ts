import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIERS } from '../../src/domain/schedule/ready-queue.ts';
import { AccountHealth } from '../../src/stages/track/health.ts';

/**
 * All courses of six steps of everything that holds an account back, together: two calls a second, refusals with and
 * without a time, failures, 403, a restart from what is stored. The provider's word and the limit hold in each, and from
 * wherever a course ends, time alone leads to a question that may be asked.
 */
const STEPS = ['ask', 'answer', 'refuse', 'refuse until', 'forbid', 'fail', 'wait', 'restart'] as const;
type Step = (typeof STEPS)[number];
const DEPTH = 6;
const LIMIT = { max: 2, perSeconds: 1 };
const START = 1_000_000;
const random = { number: () => 0, bytes: (length: number) => new Uint8Array(length) };
/** The longest that it may rest of its own accord: a wait that was named, doubts about 403, the key. */
const LONGEST_MS = 15 * 60_000 + 60_000;

class Account {
  health = made(START);
  now = START;
  out: number[] = [];
  begun: number[] = [];
  told = Number.NEGATIVE_INFINITY;

  step(step: Step): void {
    const beganAt = step === 'ask' || step === 'wait' || step === 'restart' ? undefined : this.out.shift();
    switch (step) {
      case 'wait':
        this.now += 400;
        return;
      case 'ask':
        if (!this.health.gate('readOne').enter(this.now, TIERS.urgent)) return;
        assert.ok(this.now >= this.told, 'nothing is asked before the time that was named');
        this.out.push(this.now);
        this.begun.push(this.now);
        assert.ok(this.begun.filter((at) => at > this.now - 1000).length <= LIMIT.max, 'the limit holds in any second');
        return;
      case 'restart': {
        // As by the tracker: a wall is stored when it is met.
        const state = this.health.snapshot(this.now);
        this.health = made(this.now);
        this.health.restore(JSON.parse(JSON.stringify(state)), this.now);
        this.out = [];
        // What short windows hold is over before a process is back.
        this.now += 1000;
        return;
      }
    }
    if (beganAt === undefined) return;
    if (step === 'answer') this.health.answered(this.now, 'readOne', beganAt);
    else if (step === 'refuse') this.health.limited(this.now, 'readOne', beganAt, undefined);
    else if (step === 'refuse until') {
      this.told = Math.max(this.told, this.now + 5000);
      this.health.limited(this.now, 'readOne', beganAt, this.now + 5000);
    } else if (step === 'forbid') this.health.unauthorised(this.now, 'readOne', beganAt, undefined);
    else if (step === 'fail') this.health.broken(this.now, 'readOne', beganAt);
    this.health.inFlight--;
  }
}

function made(now: number): AccountHealth {
  return new AccountHealth({ limits: [LIMIT], random, now });
}

test('every course of six steps: limits and walls hold, and no state is for ever', () => {
  let courses = 0;
  const walk = (course: readonly Step[]): void => {
    if (course.length === DEPTH) {
      courses++;
      play(course);
      return;
    }
    for (const step of STEPS) walk([...course, step]);
  };
  walk(['ask']);
  console.log(`  ${courses} courses`);
  assert.equal(courses, STEPS.length ** (DEPTH - 1));
});

function play(course: readonly Step[]): void {
  const account = new Account();
  try {
    for (const step of course) account.step(step);
    // What is out comes to nothing, as by its deadline.
    while (account.out.length > 0) account.step('fail');
    const gate = account.health.gate('readOne');
    const from = account.now;
    for (let looks = 0; !gate.enter(account.now, TIERS.other); looks++) {
      const at = gate.entersAt(account.now, TIERS.other);
      assert.ok(at !== undefined && at > account.now, 'it says when, and then it is so');
      assert.ok(looks < 10 && at - from <= LONGEST_MS, `${at - from} ms`);
      account.now = at;
    }
    assert.ok(account.now >= account.told);
    account.health.answered(account.now, 'readOne', account.now);
    assert.equal(account.health.circuit, 'closed');
  } catch (error) {
    throw new Error(`${course.join(' → ')}: ${String(error)}`, { cause: error });
  }
}
