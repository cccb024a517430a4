import { TripwatchError } from '../../src/domain/errors.ts';
import type { CallLimit } from '../../src/domain/schedule/call-budget.ts';
import { TIERS } from '../../src/domain/schedule/ready-queue.ts';
import { AccountHealth } from '../../src/stages/track/health.ts';
import { type Limited, LimitedProvider, type Reply } from './limited-provider.ts';

/** An account that always has something to ask, against a provider with a hidden limit; virtual time, one seed. */
export interface LimitsRun {
  readonly model: Limited;
  readonly seconds: number;
  readonly seed: number;
  /** What the operator configured; none: everything is learned. */
  readonly configured: readonly CallLimit[];
}

export interface LimitsFigures {
  readonly calls: number;
  readonly accepted: number;
  /** Of what the true limit allowed, outside the minute after each change of it. */
  readonly usedPercent: number;
  readonly refusedPercent: number;
  /** The longest time after a change of the limit until 85 % of it are used. */
  readonly convergedSeconds: number;
  /** Calls before an instant that was named by an answer that had arrived. */
  readonly early: number;
}

/** At least, at most, at most; and no call early. */
export const GOALS = { usedPercent: 85, refusedPercent: 1, convergedSeconds: 60 };

const START = 1_800_000_000_000;
const SETTLE_MS = 60_000;

export function runLimits({ model, seconds, seed, configured }: LimitsRun): LimitsFigures {
  const random = randomOf(seed);
  const provider = new LimitedProvider(model, START, random);
  const health = new AccountHealth({ limits: configured, random: { number: random, bytes: noBytes }, now: START });
  const gate = health.gate('readOne');
  const replies = new Replies();
  const end = START + seconds * 1000;
  /** By second: accepted. */
  const accepted = new Float64Array(seconds + 1);
  let now = START;
  let calls = 0;
  let refused = 0;
  while (now < end) {
    while (gate.enter(now, TIERS.other)) {
      calls++;
      replies.push({ beganAt: now, reply: provider.ask(now) });
    }
    const entersAt = gate.entersAt(now, TIERS.other) ?? Number.POSITIVE_INFINITY;
    now = Math.min(Math.max(entersAt, now + 0.01), replies.first?.reply.at ?? Number.POSITIVE_INFINITY);
    for (let next = replies.first; next !== undefined && next.reply.at <= now; next = replies.first) {
      replies.pop();
      const { beganAt, reply } = next;
      if (reply.kind === 'accepted') {
        if (reply.fields !== undefined) {
          const { max, perSeconds, left, resetAt } = reply.fields;
          health.said({ limits: [{ max, perSeconds }], left, resetAt }, now);
        }
        health.answered(now, 'readOne', beganAt);
        const second = Math.floor((now - START) / 1000);
        if (second < seconds) accepted[second]!++;
      } else if (reply.kind === 'timeout') health.broken(now, 'readOne', beganAt);
      else {
        refused++;
        if (reply.retryAt !== undefined) provider.toldToWaitTo = Math.max(provider.toldToWaitTo, reply.retryAt);
        if (model.says === '403') health.unauthorised(now, 'readOne', beganAt, forbidden());
        else health.limited(now, 'readOne', beganAt, reply.retryAt);
      }
      health.inFlight--;
    }
  }
  return {
    ...judged(model, provider, accepted, seconds),
    calls,
    refusedPercent: percent(refused, calls),
    early: provider.early,
  };
}

function judged(model: Limited, provider: LimitedProvider, accepted: Float64Array, seconds: number) {
  const changes = model.limits.map(({ fromMs }) => fromMs);
  let [used, allowed, all, convergedSeconds] = [0, 0, 0, 0];
  for (let second = 0; second < seconds; second++) {
    all += accepted[second]!;
    if (changes.some((at) => second * 1000 >= at && second * 1000 < at + SETTLE_MS)) continue;
    used += accepted[second]!;
    allowed += provider.perSecond(START + second * 1000);
  }
  for (const at of changes) {
    const from = Math.floor(at / 1000);
    const limit = provider.perSecond(START + at);
    // What began after the end of the run, or where the limit has moved again, was not looked at.
    const until = Math.min(seconds, ...changes.filter((other) => other > at).map((other) => other / 1000));
    if (from + SETTLE_MS / 1000 > seconds) continue;
    let found = Number.POSITIVE_INFINITY;
    for (let second = from; second + 5 <= until && found === Number.POSITIVE_INFINITY; second++) {
      let sum = 0;
      for (let i = 0; i < 5; i++) sum += accepted[second + i]!;
      if (sum > 0 && sum >= 0.85 * 5 * limit) found = second - from;
    }
    convergedSeconds = Math.max(convergedSeconds, found);
  }
  return { accepted: all, usedPercent: percent(used, allowed), convergedSeconds };
}

/** The limit as it moves: learned, halved, doubled, doubled again, and a quarter of it. */
export function moving(perSecond: number): Limited['limits'] {
  const steps = [1, 0.5, 1, 2, 0.5];
  return steps.map((share, i) => ({ fromMs: i * 240_000, perSecond: perSecond * share }));
}
export const MOVING_SECONDS = 5 * 240;

export const MODELS: Readonly<Record<string, Pick<Limited, 'kind' | 'says'>>> = {
  '429 without a hint': { kind: 'bucket', says: 'nothing' },
  '429 with Retry-After': { kind: 'bucket', says: 'retry-after' },
  '403 for a quota': { kind: 'bucket', says: '403' },
  'a window of ten seconds': { kind: 'window', says: 'nothing' },
  'a window of ten seconds, Retry-After': { kind: 'window', says: 'retry-after' },
  'RateLimit fields': { kind: 'fields', says: 'retry-after' },
  'slow without a word': { kind: 'queue', says: 'nothing' },
};

const forbidden = (): TripwatchError =>
  new TripwatchError('unauthorised', 'provider-unauthorised', 'Refused.', { details: { status: 403 } });

const noBytes = (length: number): Uint8Array => new Uint8Array(length);

function percent(part: number, whole: number): number {
  return Math.round((part / Math.max(1, whole)) * 10_000) / 100;
}

/** mulberry32 */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface Waiting {
  readonly beganAt: number;
  readonly reply: Reply;
}

/** In the order of their arrival; there are few at a time. */
class Replies {
  readonly #all: Waiting[] = [];
  get first(): Waiting | undefined {
    return this.#all[0];
  }
  push(one: Waiting): void {
    let at = this.#all.length;
    while (at > 0 && this.#all[at - 1]!.reply.at > one.reply.at) at--;
    this.#all.splice(at, 0, one);
  }
  pop(): void {
    this.#all.shift();
  }
}
