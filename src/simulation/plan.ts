import type { Rng } from '../sandbox/random.ts';
import { HOUR, MINUTE } from '../sandbox/scenario/types.ts';
import type { Streams } from './streams.ts';

/** A stretch of virtual time, from the start of the run, ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Something that befalls one node at one moment, ms from the start. */
export interface NodeMoment {
  readonly at: number;
  readonly node: number;
}

/** A node stands still for so long, ms of virtual time. */
export interface NodePause extends NodeMoment {
  readonly ms: number;
}

/** Everything about a run that its seed decides beforehand. Rates are chances in [0, 1] for each occasion. */
export interface Plan {
  readonly seed: number;
  readonly hours: number;
  readonly speed: number;
  readonly travellers: number;
  readonly flights: number;
  /** Who is sent webhooks: one for all travellers, or also one of the first. */
  readonly endpoints: 1 | 2;
  readonly broker: 'memory' | 'sql';
  /**
   * Events that everybody is done with go when they are so old, ms; undefined: they stay, and the books are not kept (by
   * which it is known what everybody is done with; they put back what is lost, which would hide other faults).
   */
  readonly keepMs: number | undefined;
  /** Processes at work at the same time, on one store. */
  readonly nodes: number;
  /** Parts that the log is divided into. */
  readonly shards: number;
  /** How old an answer of the provider may get. */
  readonly freshSeconds: number;
  /** A rule of the first traveller that keeps mails of one company unread. */
  readonly rule: boolean;
  readonly store: {
    /** Refused before anything was done. */
    readonly busy: number;
    /** All was done, and undone. */
    readonly refused: number;
    /** The connection broke: it says that it failed, and it may be done or not. */
    readonly lost: number;
    /** Longest wait for an ordinary answer, ms, and the chance of a slow one. */
    readonly answerMsMax: number;
    readonly slow: number;
  };
  /** What nodes hear of each other's appends. */
  readonly notice: { readonly lost: number; readonly msMax: number };
  readonly delivery: { readonly duplicate: number; readonly loseAck: number; readonly reorderKeys: boolean };
  /** A node is killed at a call to the outside, before or after it: the chance for each call. */
  readonly crashAtCall: number;
  /** The call at which a node is killed, counted over the whole run: for trying each. */
  readonly crashAtPoint: number | undefined;
  /** Killed; stopped in good order; all at once, with what no disk has synced. Another life follows. */
  readonly crashes: readonly NodeMoment[];
  readonly restarts: readonly NodeMoment[];
  readonly powerLosses: readonly number[];
  readonly pauses: readonly NodePause[];
  /** The next life of a node has its name, as on one machine, or another, as a container has; the chance of the latter. */
  readonly newName: number;
  /** How wrong the wall clock of a life may be. */
  readonly skew: { readonly offsetMsMax: number; readonly driftPpmMax: number };
  readonly provider: {
    readonly walls: readonly Window[];
    readonly outages: readonly Window[];
    readonly slow: number;
    readonly fail: number;
    /** Answers about something else, as garbage, and with an older state. */
    readonly other: number;
    readonly garbage: number;
    readonly stale: number;
    /** Calls a minute before it says 429 by itself. */
    readonly callsPerMinuteMax: number;
  };
  readonly receiver: {
    readonly fail: number;
    readonly busy: number;
    readonly hang: number;
    /** Taken, but the answer never arrives. */
    readonly lost: number;
    readonly outages: readonly Window[];
  };
  readonly extractor: {
    readonly busy: number;
    readonly hang: number;
    readonly poison: number;
    /** A mail that ends the process which reads it. */
    readonly killer: number;
  };
  readonly mail: { readonly repeat: number; readonly late: number; readonly junk: number };
  /** Mailboxes at a mail server, which we go to; undefined: all mails are brought. */
  readonly mailboxes: MailboxPlan | undefined;
  /** The provider calls us when a flight changes; undefined: it does not. Lost, late, sent twice; when strangers call. */
  readonly pushes: PushPlan | undefined;
}

export interface PushPlan {
  readonly loss: number;
  readonly late: number;
  readonly twice: number;
  readonly forgeries: readonly number[];
}

/** What goes wrong at the mail server, and what travellers do there. */
export interface MailboxPlan {
  /** So many travellers have connected theirs. */
  readonly connected: number;
  /** Of their mails so many lie there; the others are forwarded. */
  readonly share: number;
  /** Mails that were there before, newest first; and ones of the day that are no travel. */
  readonly older: number;
  readonly news: number;
  /** An open session tells when something comes, the provider calls us where we asked it to, or only looks find it. */
  readonly push: 'live' | 'request' | 'none';
  /** Mails that came without anyone being told; told late, or twice. */
  readonly pushLoss: number;
  readonly pushLate: number;
  /** Pages that begin with what was listed before, that are short, that are slow; questions that are refused, or fail. */
  readonly repeats: number;
  readonly shortPages: number;
  readonly slow: number;
  readonly limited: number;
  readonly fail: number;
  /** Moved away between its listing and its fetch, some to come back; brought a second time. */
  readonly vanish: number;
  readonly again: number;
  /** UIDVALIDITY changes; all connections end; the server is away; the password holds no longer until its owner comes. */
  readonly resets: readonly number[];
  readonly drops: readonly number[];
  readonly outages: readonly Window[];
  readonly expiries: readonly Window[];
  /** Somebody says "check now". */
  readonly checks: readonly number[];
  /** With push `request`: how long a subscription lives, ms; when those of a mailbox end before; when strangers call. */
  readonly subscriptionMs: number;
  readonly lapses: readonly number[];
  readonly forgeries: readonly number[];
}

/** At work at the same time. */
const NODES = 3;
/**
 * How much faster than real the clock of a run is, as in the sandbox: intervals that count in real time (beats, leases,
 * deadlines, polls) are as many times longer, so a fast day has fewer of them between two mails and costs less.
 */
const SPEEDS = [
  [0.01, 120],
  [0.03, 240],
  [0.1, 480],
  [0.25, 960],
  [1, 1920],
] as const;
/**
 * Real ms: a beat costs a simulated day as much as an event does, and what it is there for does not depend on how many
 * there are in the length of a lease.
 */
export const BEAT_MS = 3000;
export const LEASE_MS = 10_000;
/** All travellers are told so long before a departure that check-in opens: within the day, so that the clock tells it. */
export const CHECK_IN_MINUTES = 5 * 60;
/** Length of the phase with faults, hours, where nothing else is asked for. */
const HOURS = 24;

export interface PlanOptions {
  /** Length of the phase with faults, at least 6. */
  readonly hours?: number;
}

/** Draws a plan. Each kind of fault is left out by half of the seeds, so that the others are seen without it. */
export function planOf(seed: number, streams: Streams, options: PlanOptions = {}): Plan {
  const draw = streams('plan');
  const hours = options.hours ?? HOURS;
  const length = hours * HOUR;
  const rate = (max: number): number => (draw.chance(0.5) ? draw.number() * max : 0);
  const windows = (count: number, minutes: number): readonly Window[] =>
    draw.chance(0.5) ? Array.from({ length: draw.int(1, count) }, () => windowOf(draw, length, minutes)) : [];
  const nodes = NODES;
  const some = <T>(count: number, make: () => T): readonly T[] =>
    draw.chance(0.5) ? Array.from({ length: draw.int(1, count) }, make) : [];
  const moment = (): number => Math.floor(draw.number() * length);
  const onNode = (): NodeMoment => ({ at: moment(), node: draw.int(0, nodes - 1) });
  const drawn = draw.number();
  const speed = SPEEDS.find(([below]) => drawn < below)?.[1] ?? 1920;
  const broker = draw.chance(0.7) ? 'sql' : 'memory';
  // The broker in memory leaves no trace in the store of what it has handed out.
  const keeping = streams('plan', 'retention');
  const keepMs = broker === 'sql' && keeping.chance(KEEPING_SHARE) ? keeping.pick(KEPT_MS) : undefined;
  return {
    seed,
    hours,
    speed,
    // Mostly few: more seeds of less traffic find more than the same time on fewer seeds.
    travellers: draw.pick([1, 1, 1, 1, 1, 1, 2, 3]),
    flights: draw.pick([1, 1, 1, 1, 1, 1, 2, 3]),
    endpoints: draw.pick([1, 1, 2]),
    broker,
    keepMs,
    nodes,
    shards: draw.pick([1, 1, 2, 2, 4]),
    freshSeconds: draw.pick([900, 1800, 3600, 7200, 7200]),
    rule: draw.chance(0.3),
    store: {
      busy: rate(0.05),
      refused: rate(0.05),
      lost: rate(0.05),
      answerMsMax: draw.pick([0, 20, 2000]),
      slow: rate(0.02),
    },
    notice: { lost: rate(0.5), msMax: draw.pick([1, 100, 60_000]) },
    delivery: { duplicate: rate(0.2), loseAck: rate(0.2), reorderKeys: draw.chance(0.5) },
    crashAtCall: rate(0.001),
    crashAtPoint: undefined,
    crashes: some(8, onNode),
    restarts: some(3, onNode),
    powerLosses: some(2, moment),
    // From a moment to several times as long as a lease.
    pauses: some(6, () => ({ ...onNode(), ms: Math.floor(draw.number() ** 2 * 5 * LEASE_MS * speed) })),
    newName: draw.pick([0, 0.5, 1]),
    skew: { offsetMsMax: rate(10 * MINUTE), driftPpmMax: rate(500) },
    provider: {
      walls: windows(3, 20),
      outages: windows(3, 30),
      slow: rate(0.1),
      fail: rate(0.1),
      other: rate(0.05),
      garbage: rate(0.05),
      stale: rate(0.05),
      callsPerMinuteMax: draw.pick([3, 30, 300]),
    },
    receiver: {
      fail: rate(0.3),
      busy: rate(0.2),
      hang: rate(0.1),
      lost: rate(0.2),
      outages: windows(2, 120),
    },
    extractor: { busy: rate(0.4), hang: rate(0.05), poison: rate(0.3), killer: draw.chance(0.2) ? 0.1 : 0 },
    mail: { repeat: rate(0.3), late: rate(0.3), junk: rate(0.2) },
    mailboxes: mailboxPlanOf(streams('plan', 'mailboxes'), length),
    pushes: pushPlanOf(streams('plan', 'pushes'), length),
  };
}

/** From "at once" to "most of the day". */
const KEPT_MS = [0, HOUR, 6 * HOUR] as const;
/** Looking after old events and the books asks the store half as often again. */
const KEEPING_SHARE = 0.25;

/** Share of seeds whose provider pushes. */
const PUSHED_SHARE = 0.5;

function pushPlanOf(draw: Rng, length: number): PushPlan | undefined {
  if (!draw.chance(PUSHED_SHARE)) return undefined;
  const rate = (max: number): number => (draw.chance(0.5) ? draw.number() * max : 0);
  const forgeries = Array.from({ length: draw.int(0, 3) }, () => Math.floor(draw.number() * length));
  return { loss: rate(0.5), late: rate(0.5), twice: rate(0.5), forgeries };
}

/** Real and virtual ms: from a push to the answers for which it was sent, where nothing keeps a process from asking. */
const PUSH_REAL_MS = 10_000;
const PUSH_MS = 2 * MINUTE;

export function pushBoundMs({ speed }: Plan): number {
  return PUSH_REAL_MS * speed + PUSH_MS;
}

/** One seed in three has mailboxes: they cost more than mails that are brought. */
function mailboxPlanOf(draw: Rng, length: number): MailboxPlan | undefined {
  if (!draw.chance(1 / 3)) return undefined;
  const rate = (max: number): number => (draw.chance(0.5) ? draw.number() * max : 0);
  const some = <T>(count: number, make: () => T): readonly T[] =>
    draw.chance(0.5) ? Array.from({ length: draw.int(1, count) }, make) : [];
  const moment = (): number => Math.floor(draw.number() * length);
  return {
    connected: draw.int(1, 2),
    share: draw.pick([0.5, 1]),
    older: draw.int(0, 6),
    news: draw.int(0, 6),
    push: pushOf(draw.number()),
    pushLoss: rate(1),
    pushLate: rate(1),
    repeats: rate(0.5),
    shortPages: rate(0.5),
    slow: rate(0.1),
    limited: rate(0.1),
    fail: rate(0.1),
    vanish: rate(0.3),
    again: rate(0.3),
    resets: some(3, moment),
    drops: some(4, moment),
    outages: some(2, () => windowOf(draw, length, 120)),
    expiries: some(2, () => windowOf(draw, length, 240)),
    checks: some(3, moment),
    subscriptionMs: draw.pick([1, 2, 4]) * HOUR,
    lapses: some(4, moment),
    forgeries: some(8, moment),
  };
}

function pushOf(drawn: number): MailboxPlan['push'] {
  if (drawn < 0.4) return 'live';
  return drawn < 0.75 ? 'request' : 'none';
}

/** Connected, and nothing goes wrong there. */
export const CALM_MAILBOXES: MailboxPlan = {
  ...{ connected: 1, share: 0.5, older: 2, news: 1, push: 'live' },
  ...{ pushLoss: 0, pushLate: 0, repeats: 0, shortPages: 0, slow: 0, limited: 0, fail: 0, vanish: 0, again: 0 },
  ...{ resets: [], drops: [], outages: [], expiries: [], checks: [] },
  ...{ subscriptionMs: 2 * HOUR, lapses: [], forgeries: [] },
};

function windowOf(draw: Rng, length: number, minutesMax: number): Window {
  const from = Math.floor(draw.number() * length);
  return { from, to: Math.min(length, from + draw.int(1, minutesMax) * MINUTE) };
}

export function inside(windows: readonly Window[], at: number): boolean {
  return windows.some((window) => at >= window.from && at < window.to);
}

/** The faults of a plan in a few words, for a person who looks at a failing seed. */
export function describePlan(plan: Plan): string {
  const said: string[] = [`broker ${plan.broker}`, `speed ${plan.speed}`, `${plan.hours} h`];
  if (plan.keepMs !== undefined) said.push(`events kept ${plan.keepMs / MINUTE} min`);
  for (const [part, values] of Object.entries(plan)) {
    if (typeof values !== 'object') continue;
    for (const [name, value] of Object.entries(Array.isArray(values) ? { times: values } : values)) {
      if (value === 0 || value === false || value === undefined || (Array.isArray(value) && value.length === 0))
        continue;
      const shown = Array.isArray(value)
        ? `×${value.length}`
        : typeof value === 'number'
          ? Number(value.toFixed(3))
          : value;
      said.push(`${part}.${name} ${shown}`);
    }
  }
  return said.join(', ');
}
