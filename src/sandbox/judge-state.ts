import { personKey } from '../domain/facts.ts';
import { type ExpectedBooking, type ExpectedLeg, settledBy } from './expect.ts';
import type { KnownField, KnownReservation, Report, Stats } from './judge-input.ts';
import { isCancelled, isLeg, matches, words } from './matching.ts';

/** What stands in the reservation against what a source shows, or showed within the promise. */
export function judgeState(
  one: ExpectedBooking,
  got: KnownReservation,
  now: number,
  stats: Stats,
  report: Report,
): void {
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
