import { allowedCalls, type ExpectedBooking, expectBookings, settledBy } from './expect.ts';
import type { Witness } from './folder.ts';
import { judgeReceipts, judgeSink, taken } from './judge-handed.ts';
import type { JudgeInput, KnownReservation, Report, Stats } from './judge-input.ts';
import { judgeState } from './judge-state.ts';
import { byReservation, judgeRepeats, judgeTold } from './judge-told.ts';
import type { ProviderName, Scenario } from './scenario/types.ts';
import { toldEvents } from './told.ts';
import { CALL_RATIO_MAX, type CallFigures, type FaultKind, type Finding, type Verdict } from './verdict.ts';

/** Compares, without asking anyone. */
export function judge(input: JudgeInput): Verdict {
  const { scenario, witness, reservations, now } = input;
  const findings: Finding[] = [];
  const report: Report = (finding) => findings.push(finding);
  const expected = expectBookings(scenario, witness);
  const streamed = toldEvents(witness.said);
  const events = streamed.filter((event) => !event.byClock);
  const personOf = new Map(witness.people.map((one) => [one.index, one.traveller]));
  const told = byReservation(events);
  const stats: Stats = { scenario, now, downtime: witness.downtime, legs: 0, fields: 0, news: 0, latencies: [] };
  const matched = new Set<string>();
  const booked = new Set(
    scenario.bookings.flatMap((one) => one.owners.map((owner) => `${personOf.get(owner)}/${one.reference}`)),
  );
  /** Handed over after the moment of comparison, while the reservations were being read. */
  const comesLater = (one: KnownReservation): boolean =>
    (one.readAt ?? now) > now && booked.has(`${one.traveller}/${one.reference}`);
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
    judgeState(one, reservation, reservation.readAt ?? now, stats, spot);
    judgeTold(one, reservation, told.get(reservation.id) ?? [], now, stats, spot);
  }
  for (const reservation of reservations) {
    if (matched.has(reservation.id) || reservation.removed || comesLater(reservation)) continue;
    report({
      kind: 'wrong',
      what: `a reservation that nobody booked (${reservation.reference ?? 'without reference'})`,
      traveller: reservation.traveller,
      reservation: reservation.id,
    });
  }
  judgeRepeats(events, report);
  judgeSink(streamed, witness, now, report);
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

function judgeCalls(
  scenario: Scenario,
  expected: readonly ExpectedBooking[],
  witness: Witness,
  now: number,
  report: Report,
): Verdict['calls'] {
  const allowed = allowedCalls(scenario, expected, witness, now);
  const figures = (provider: ProviderName): CallFigures => {
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

function quantiles(values: readonly number[]): Verdict['latency'] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
