import { personKey } from '../domain/facts.ts';
import {
  allowedCalls,
  awayMs,
  type ExpectedBooking,
  type ExpectedLeg,
  type ExpectedValue,
  expectBookings,
  GRACE_MS,
  type Interval,
  LATE_MS,
  settledBy,
} from './expect.ts';
import type { Witness } from './folder.ts';
import { composeMail } from './mail/compose.ts';
import type { CallRecord } from './providers/fake.ts';
import { zoned } from './scenario/time.ts';
import { MINUTE, type Scenario } from './scenario/types.ts';
import { type ToldChange, type ToldEvent, toldEvents } from './told.ts';
import { CALL_RATIO_MAX, type CallFigures, type FaultKind, type Finding, type Verdict } from './verdict.ts';

/** A reservation as the API shows it, as far as it is judged. */
export interface KnownReservation {
  readonly id: string;
  readonly traveller: string;
  readonly reference?: string;
  readonly removed: boolean;
  readonly fields: Readonly<Record<string, KnownField>>;
  readonly legs: readonly {
    readonly id: string;
    readonly kind: string;
    readonly fields: Readonly<Record<string, KnownField>>;
  }[];
}
interface KnownField {
  readonly value: string | number | boolean | null;
}

export interface KnownReceipt {
  readonly traveller: string;
  readonly subject: string;
  readonly disposition: string;
  readonly reason: string;
}

export interface JudgeInput {
  readonly scenario: Scenario;
  readonly witness: Witness;
  readonly reservations: readonly KnownReservation[];
  readonly receipts: readonly KnownReceipt[];
  /** Sandbox instant of the comparison. */
  readonly now: number;
}

type Report = (finding: Finding) => void;

/** Compares, without asking anyone. */
export function judge(input: JudgeInput): Verdict {
  const { scenario, witness, reservations, now } = input;
  const findings: Finding[] = [];
  const report: Report = (finding) => findings.push(finding);
  const expected = expectBookings(scenario, witness);
  const events = toldEvents(witness.said);
  const personOf = new Map(witness.people.map((one) => [one.index, one.traveller]));
  const told = byReservation(events);
  const stats: Stats = { scenario, now, downtime: witness.downtime, legs: 0, fields: 0, news: 0, latencies: [] };
  const matched = new Set<string>();
  const index = new Map<string, KnownReservation[]>();
  for (const one of reservations) {
    const key = `${one.traveller}/${(one.reference ?? '').toUpperCase()}`;
    index.set(key, [...(index.get(key) ?? []), one]);
  }

  for (const one of expected) {
    const traveller = personOf.get(one.owner) ?? '';
    const where = { booking: one.booking.reference, traveller };
    const found = index.get(`${traveller}/${one.booking.reference.toUpperCase()}`) ?? [];
    for (const reservation of found) matched.add(reservation.id);
    if (found.length === 0) {
      if (one.knownAt < settledBy(scenario, now))
        report({ kind: 'missing', what: 'the booking is not there', ...where });
      continue;
    }
    if (found.length > 1) {
      report({ kind: 'doubled', what: `one booking stands as ${found.length} reservations`, ...where });
    }
    const reservation = found[0]!;
    const spot = (finding: Finding): void => report({ ...where, reservation: reservation.id, ...finding });
    judgeState(one, reservation, now, stats, spot);
    judgeTold(one, reservation, told.get(reservation.id) ?? [], now, stats, spot);
  }
  for (const reservation of reservations) {
    if (matched.has(reservation.id) || reservation.removed) continue;
    report({
      kind: 'wrong',
      what: `a reservation that nobody booked (${reservation.reference ?? 'without reference'})`,
      traveller: reservation.traveller,
      reservation: reservation.id,
    });
  }
  judgeRepeats(events, report);
  judgeSink(events, witness, now, report);
  judgeReceipts(input, report);
  const calls = judgeCalls(scenario, expected, witness, now, report);

  const counts = { missing: 0, wrong: 0, doubled: 0, late: 0, 'too-many-calls': 0 } satisfies Record<FaultKind, number>;
  for (const one of findings) counts[one.kind]++;
  return {
    ok: findings.length === 0,
    at: Temporal.Instant.fromEpochMilliseconds(Math.trunc(now)).toString(),
    findings,
    counts,
    checked: {
      bookings: expected.length,
      legs: stats.legs,
      fields: stats.fields,
      news: stats.news,
      events: events.length,
      deliveries: new Set(witness.sink.filter(taken).map((entry) => entry.webhookId)).size,
      mails: witness.mails.length,
    },
    latency: quantiles(stats.latencies),
    downtime: {
      times: witness.downtime.length,
      ms: witness.downtime.reduce((sum, one) => sum + one.to - one.from, 0),
    },
    calls,
  };
}

interface Stats {
  readonly scenario: Scenario;
  readonly now: number;
  readonly downtime: Witness['downtime'];
  legs: number;
  fields: number;
  news: number;
  readonly latencies: number[];
}

/** What stands in the reservation against what a source shows, or showed within the promise. */
function judgeState(one: ExpectedBooking, got: KnownReservation, now: number, stats: Stats, report: Report): void {
  const settled = settledBy(stats.scenario, now);
  const cancelled = isCancelled(got);
  if (one.booking.cancelledAt === undefined || now < one.booking.cancelledAt) {
    if (cancelled) report({ kind: 'wrong', what: 'shown as cancelled, which it is not' });
  } else if (one.cancelledFrom !== undefined && one.cancelledFrom <= settled && !cancelled) {
    report({
      kind: 'wrong',
      what: 'the cancellation is not shown',
      expected: 'cancelled',
      got: String(got.fields.status?.value),
    });
  }
  if (one.knownAt > settled) return;
  const left = new Set(got.legs.map((leg) => leg.id));
  for (const leg of one.legs) {
    const found = got.legs.filter((candidate) => isLeg(leg, candidate));
    for (const candidate of found) left.delete(candidate.id);
    if (found.length === 0) report({ kind: 'missing', what: `the leg ${leg.label} is not there` });
    if (found.length > 1) report({ kind: 'doubled', what: `the leg ${leg.label} is there ${found.length} times` });
    if (found.length !== 1) continue;
    stats.legs++;
    const { fields } = found[0]!;
    // Nobody follows a flight for a booking that is cancelled.
    if (one.cancelledFrom === undefined) judgeFields(leg, fields, settled, now, stats, report);
    if (one.names) judgeNames(one, leg, fields, report);
  }
  for (const id of left) report({ kind: 'wrong', what: 'a leg that nobody booked', got: id });
}

function judgeFields(
  leg: ExpectedLeg,
  fields: Readonly<Record<string, KnownField>>,
  settled: number,
  now: number,
  stats: Stats,
  report: Report,
): void {
  for (const { path, intervals } of leg.fields) {
    stats.fields++;
    const possible = intervals.filter((interval) => interval.from <= now && interval.until > settled);
    const value = fields[path]?.value ?? undefined;
    if (possible.some((interval) => matches(interval.value, value))) continue;
    const expected = words(possible.at(-1)?.value);
    const got = value === undefined ? undefined : String(value);
    const kind = got === undefined ? 'missing' : 'wrong';
    report({ kind, what: `${path} of ${leg.label}`, path, expected, ...(got === undefined ? {} : { got }) });
  }
}

function judgeNames(
  one: ExpectedBooking,
  leg: ExpectedLeg,
  fields: Readonly<Record<string, KnownField>>,
  report: Report,
): void {
  const there = new Set(
    Object.entries(fields).flatMap(([path, field]) =>
      /^passenger\..*\.name$/.test(path) && typeof field.value === 'string' ? [personKey(field.value)] : [],
    ),
  );
  if (leg.kind !== 'flight') return;
  for (const { given, family } of one.booking.passengers) {
    if (there.has(personKey(`${given} ${family}`))) continue;
    report({
      kind: 'missing',
      what: `a passenger of ${leg.label}`,
      path: 'passenger',
      expected: 'a name',
      got: `${there.size} others`,
    });
  }
}

/** What was said: every change that is news once and in time; nothing that was not so. */
function judgeTold(
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
function judgeRepeats(events: readonly ToldEvent[], report: Report): void {
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

const taken = (entry: Witness['sink'][number]): boolean => entry.answered >= 200 && entry.answered < 300;

/** Each event at the webhook, with a good signature; the retry after a failure comes within some minutes. */
function judgeSink(events: readonly ToldEvent[], witness: Witness, now: number, report: Report): void {
  const arrived = new Set(witness.sink.filter(taken).map((entry) => entry.webhookId));
  const streamed = new Set(events.map((event) => event.id));
  for (const event of events) {
    if (event.publishedAt > now - 10 * MINUTE || arrived.has(event.id)) continue;
    report({
      kind: 'missing',
      what: 'an event of the stream never came to the webhook',
      reservation: event.reservation,
    });
  }
  for (const id of arrived)
    if (!streamed.has(id)) report({ kind: 'missing', what: `the webhook's event ${id} never came on the stream` });
  const forged = witness.sink.filter((entry) => !entry.genuine).length;
  if (forged > 0) report({ kind: 'wrong', what: `${forged} deliveries with a signature that does not verify` });
}

/** Every mail that was taken has one receipt, in a state that ends; advertisements are no trips. */
function judgeReceipts({ scenario, witness, receipts, now }: JudgeInput, report: Report): void {
  const plans = new Map(scenario.mails.map((plan) => [plan.id, plan]));
  const personOf = new Map(witness.people.map((one) => [one.index, one.traveller]));
  const open = new Map<string, KnownReceipt[]>();
  for (const one of receipts) {
    const key = `${one.traveller}/${one.subject}`;
    open.set(key, [...(open.get(key) ?? []), one]);
  }
  const counted = new Set<string>();
  for (const played of witness.mails) {
    const plan = plans.get(played.mail);
    if (plan === undefined) continue;
    const traveller = personOf.get(plan.to) ?? '';
    const where = { traveller, booking: plan.booking ?? 'none' };
    if (played.refused !== undefined) {
      report({ kind: 'missing', what: `a mail was refused: ${played.refused}`, ...where });
      continue;
    }
    const original = plan.sameAs ?? plan.id;
    // The mail again, or sent again because the answer to the first time was lost: one receipt for equal bytes.
    if (counted.has(original) || played.at > now - GRACE_MS) continue;
    counted.add(original);
    const mine = open.get(`${traveller}/${composeMail(scenario, plan).subject}`) ?? [];
    const travel = plan.purpose !== 'promo';
    const at = mine.findIndex((one) => (one.disposition === 'imported') === travel);
    const receipt = mine.splice(Math.max(0, at), 1)[0];
    if (receipt === undefined) report({ kind: 'missing', what: `no receipt for a mail (${plan.purpose})`, ...where });
    else if (
      ['seen', 'collected', 'failed'].includes(receipt.disposition) ||
      travel !== (receipt.disposition === 'imported')
    ) {
      report({
        kind: 'wrong',
        what: `a ${plan.purpose} (${plan.format}) ended as ${receipt.disposition}: ${receipt.reason}`,
        ...where,
      });
    }
  }
  for (const rest of open.values()) {
    for (const one of rest)
      report({ kind: 'doubled', what: `a receipt without a mail: ${one.disposition}`, traveller: one.traveller });
  }
}

function judgeCalls(
  scenario: Scenario,
  expected: readonly ExpectedBooking[],
  witness: Witness,
  now: number,
  report: Report,
): Verdict['calls'] {
  const allowed = allowedCalls(scenario, expected, witness, now);
  const figures = (provider: CallRecord['provider']): CallFigures => {
    const made = witness.calls.filter((call) => call.provider === provider && call.at <= now);
    const refused = made.filter((call) => call.status === 0 || call.status >= 400).length;
    return {
      made: made.length,
      refused,
      allowed: allowed[provider],
      ratio: made.length / Math.max(1, allowed[provider]),
    };
  };
  const calls = { aerodatabox: figures('aerodatabox'), duffel: figures('duffel') };
  const ratio = (calls.aerodatabox.made + calls.duffel.made) / Math.max(1, allowed.aerodatabox + allowed.duffel);
  if (ratio > CALL_RATIO_MAX) {
    report({
      kind: 'too-many-calls',
      what: `${ratio.toFixed(2)} times the calls that coalescing allows`,
      expected: `at most ${CALL_RATIO_MAX}`,
      got: ratio.toFixed(2),
    });
  }
  return { ...calls, ratio };
}

/** Events by the reservation that they are about now, through merges. */
function byReservation(events: readonly ToldEvent[]): ReadonlyMap<string, readonly ToldEvent[]> {
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

function isCancelled(got: KnownReservation): boolean {
  if (got.fields.status?.value === 'cancelled') return true;
  return got.legs.length > 0 && got.legs.every((leg) => leg.fields.status?.value === 'cancelled');
}

function isLeg(expected: ExpectedLeg, got: KnownReservation['legs'][number]): boolean {
  if (got.kind !== expected.kind) return false;
  if (expected.kind !== 'flight') return true;
  const number = String(got.fields.number?.value ?? '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  const from = got.fields['start.code']?.value;
  return (
    got.fields['carrier.code']?.value === expected.carrier &&
    number === expected.number &&
    (from === undefined || from === null || from === expected.from)
  );
}

/** Times may be given less precisely (a day, no zone) but not differently. */
function matches(expected: ExpectedValue | undefined, got: unknown): boolean {
  if (expected === undefined) return got === undefined || got === null;
  if (typeof got !== 'string') return false;
  if (expected.kind === 'text') return got === expected.value;
  const there = zoned(expected.at, expected.zone);
  if (/^\d{4}-\d{2}-\d{2}$/.test(got)) return got === there.toPlainDate().toString();
  try {
    if (!/(Z|[+-]\d{2}:?\d{2})(\[|$)/.test(got)) {
      return Temporal.PlainDateTime.from(got).equals(there.toPlainDateTime());
    }
    const instant = Temporal.Instant.from(got);
    const zone = /\[([^\]]+)\]$/.exec(got)?.[1];
    const wall =
      zone === undefined || instant.toZonedDateTimeISO(zone).toPlainDateTime().equals(there.toPlainDateTime());
    return instant.epochMilliseconds === expected.at && wall;
  } catch {
    return false;
  }
}

function words(value: ExpectedValue | undefined): string {
  if (value === undefined) return 'nothing';
  return value.kind === 'text' ? value.value : zoned(value.at, value.zone).toString({ smallestUnit: 'second' });
}

function quantiles(values: readonly number[]): Verdict['latency'] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
