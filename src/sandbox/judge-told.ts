import {
  awayMs,
  type ExpectedBooking,
  type ExpectedLeg,
  GRACE_MS,
  type Interval,
  LATE_MS,
  settledBy,
} from './expect.ts';
import type { Witness } from './folder.ts';
import type { KnownReservation, Report, Stats } from './judge-input.ts';
import { isLeg, matches, words } from './matching.ts';
import type { Scenario } from './scenario/types.ts';
import type { ToldChange, ToldEvent } from './told.ts';

/** What was said: every change that is news once and in time; nothing that was not so. */
export function judgeTold(
  one: ExpectedBooking,
  got: KnownReservation,
  events: readonly ToldEvent[],
  now: number,
  stats: Stats,
  report: Report,
): void {
  const legOf = (id: string | undefined): ExpectedLeg | undefined => {
    const known = got.legs.find((leg) => leg.id === id);
    return known === undefined ? undefined : one.legs.find((leg) => isLeg(leg, known));
  };
  for (const leg of one.legs) {
    for (const { path, intervals } of leg.fields) {
      for (const interval of intervals) {
        if (!due(interval, one, leg, stats)) continue;
        stats.news++;
        judgeNews(leg, path, interval, one.knownAt, events, legOf, stats, report);
      }
    }
  }
  judgeCancellationTold(one, events, now, stats, report);
  for (const event of events) {
    for (const change of event.changes) {
      if (change.beside || change.path === undefined) continue;
      const lie = falsehood(one, change, event.publishedAt, legOf(change.leg), stats.scenario);
      if (lie !== undefined) {
        report({
          kind: 'wrong',
          what: `said ${change.path} = ${String(change.to)} ${lie}`,
          path: change.path,
          got: String(change.to),
        });
      }
    }
  }
}

/** News that was to be seen for long enough, about a booking known and alive. */
function due(interval: Interval, one: ExpectedBooking, leg: ExpectedLeg, { scenario, now, downtime }: Stats): boolean {
  const end = Math.min(interval.until, one.cancelledFrom ?? Number.POSITIVE_INFINITY);
  const shown = (to: number): number =>
    to - interval.from - awayMs(scenario, leg.by, interval.from, to) - downMs(downtime, interval.from, to);
  return (
    interval.told &&
    interval.from > one.knownAt &&
    shown(now) >= LATE_MS + GRACE_MS &&
    (end === Number.POSITIVE_INFINITY || shown(end) >= LATE_MS + GRACE_MS)
  );
}

/** Published times are in milliseconds, the feed's in minutes; nothing can be told before it is so. */
const EARLY_MS = 1000;

function judgeNews(
  leg: ExpectedLeg,
  path: string,
  interval: Interval,
  knownAt: number,
  events: readonly ToldEvent[],
  legOf: (id: string | undefined) => ExpectedLeg | undefined,
  stats: Stats,
  report: Report,
): void {
  const after = events.filter((event) => event.publishedAt >= interval.from - EARLY_MS);
  const tells = (change: ToldChange): boolean =>
    change.path === path && matches(interval.value, change.to) && (legOf(change.leg) ?? leg) === leg;
  const event = after.find((candidate) => candidate.changes.some(tells));
  if (event === undefined) {
    // A reservation that only now came about carries the value without a word of its own.
    const born = after.some((candidate) => candidate.changes.some((change) => BIRTHS.has(change.type)));
    if (!born)
      report({
        kind: 'missing',
        what: `nobody was told ${path} of ${leg.label}`,
        path,
        expected: words(interval.value),
      });
    return;
  }
  const from = Math.max(interval.from, knownAt);
  // While the source refuses or is down, the clock of the promise stands still.
  const latencyMs = Math.max(0, event.publishedAt - from - awayMs(stats.scenario, leg.by, from, event.publishedAt));
  stats.latencies.push(latencyMs);
  if (isLate(latencyMs, event, from, stats)) {
    report({
      kind: 'late',
      what: `${path} of ${leg.label} told after ${Math.round(latencyMs / 1000)} s`,
      path,
      latencyMs,
    });
  }
}
/** Not held against the service: that the test had stopped it. The figures of latency count it all the same. */
function isLate(latencyMs: number, event: ToldEvent, from: number, { downtime }: Stats): boolean {
  return latencyMs - downMs(downtime, from, event.publishedAt) > LATE_MS;
}

function downMs(downtime: Witness['downtime'], from: number, to: number): number {
  return downtime.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - Math.max(one.from, from)), 0);
}

const BIRTHS: ReadonlySet<string> = new Set(['created', 'leg-added', 'merged']);

function judgeCancellationTold(
  one: ExpectedBooking,
  events: readonly ToldEvent[],
  now: number,
  stats: Stats,
  report: Report,
): void {
  const { cancelledFrom, knownAt, booking } = one;
  if (cancelledFrom === undefined || knownAt >= cancelledFrom || cancelledFrom > settledBy(stats.scenario, now)) return;
  stats.news++;
  const event = events.find(
    (candidate) =>
      candidate.publishedAt >= booking.cancelledAt! - EARLY_MS &&
      candidate.changes.some((change) => change.path === 'status' && change.to === 'cancelled' && !change.beside),
  );
  if (event === undefined) {
    report({ kind: 'missing', what: 'nobody was told of the cancellation', path: 'status', expected: 'cancelled' });
    return;
  }
  const away = awayMs(stats.scenario, 'duffel', cancelledFrom, event.publishedAt);
  const latencyMs = Math.max(0, event.publishedAt - cancelledFrom - away);
  stats.latencies.push(latencyMs);
  if (isLate(latencyMs, event, cancelledFrom, stats))
    report({ kind: 'late', what: `cancellation told after ${Math.round(latencyMs / 1000)} s`, latencyMs });
}

/** Why what was said was not so; undefined when it was. */
function falsehood(
  one: ExpectedBooking,
  change: ToldChange,
  at: number,
  leg: ExpectedLeg | undefined,
  scenario: Scenario,
): string | undefined {
  const { cancelledAt } = one.booking;
  if (change.path === 'status') {
    if (change.to === 'cancelled' && (cancelledAt === undefined || at < cancelledAt - EARLY_MS))
      return 'when it was not cancelled';
    if (change.to === 'confirmed' && one.cancelledFrom !== undefined && at > one.cancelledFrom + LATE_MS)
      return 'after it was cancelled';
    return undefined;
  }
  const field = leg?.fields.find((candidate) => candidate.path === change.path);
  if (field === undefined) return undefined;
  const so = field.intervals.filter((interval) => matches(interval.value, change.to ?? undefined));
  if (so.length === 0) return 'which was never so';
  const timely = so.some((interval) => interval.from <= at + EARLY_MS && interval.until >= settledBy(scenario, at));
  return timely ? undefined : 'which was so at another time';
}

/** The same version twice, or the same value of a field twice in a row. */
export function judgeRepeats(events: readonly ToldEvent[], report: Report): void {
  const versions = new Map<string, string>();
  const last = new Map<string, unknown>();
  const inOrder = [...events].sort((a, b) => a.version - b.version);
  for (const event of inOrder) {
    const key = `${event.reservation}@${event.version}`;
    if (versions.has(key) && event.mergedInto === undefined) {
      report({
        kind: 'doubled',
        what: `version ${event.version} was told as two events`,
        reservation: event.reservation,
      });
    }
    versions.set(key, event.id);
    for (const change of event.changes) {
      if (change.path === undefined || change.beside || change.type === 'details') continue;
      const spot = `${event.reservation}/${change.leg ?? ''}/${change.path}`;
      if (last.has(spot) && last.get(spot) === change.to) {
        report({
          kind: 'doubled',
          what: `${change.path} = ${String(change.to)} was told twice in a row`,
          reservation: event.reservation,
          path: change.path,
        });
      }
      last.set(spot, change.to);
    }
  }
}

/** Events by the reservation that they are about now, through merges. */
export function byReservation(events: readonly ToldEvent[]): ReadonlyMap<string, readonly ToldEvent[]> {
  const into = new Map<string, string>();
  for (const event of events) if (event.mergedInto !== undefined) into.set(event.reservation, event.mergedInto);
  const lastOf = (id: string): string => {
    let at = id;
    for (let hops = 0; into.has(at) && hops < 20; hops++) at = into.get(at)!;
    return at;
  };
  const out = new Map<string, ToldEvent[]>();
  for (const event of events) {
    const id = lastOf(event.reservation);
    const held = out.get(id);
    if (held) held.push(event);
    else out.set(id, [event]);
  }
  for (const list of out.values()) list.sort((a, b) => a.publishedAt - b.publishedAt);
  return out;
}
