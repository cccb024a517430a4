import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awayMs, type ExpectedLeg, expectBookings, settledBy, visibleAt } from './expect.ts';
import type { SaidEvent, Witness } from './folder.ts';
import { judge } from './judge.ts';
import type { JudgeInput, KnownReservation } from './judge-input.ts';
import { composeMail } from './mail/compose.ts';
import { makeDay } from './scenario/day.ts';
import { zoned } from './scenario/time.ts';
import { DAY, MINUTE } from './scenario/types.ts';
import type { FaultKind, Verdict } from './verdict.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Spoilable = Mutable<Omit<JudgeInput, 'witness'>> & { witness: Mutable<Witness> };

/** A service that knows and says everything right: built from the expectation, then spoilt in one place a test. */
function perfect(seed = 3): Spoilable {
  const scenario = makeDay({ seed, travellers: 30, flights: 30 });
  const now = scenario.options.startAt + 2 * DAY;
  const handed = {
    people: scenario.people.map(({ index }) => ({ index, traveller: `trv_${index}`, address: '' })),
    mails: scenario.mails.map((plan) => ({ mail: plan.id, at: plan.at })),
    registered: scenario.bookings.flatMap((one) =>
      one.registeredAt === undefined
        ? []
        : one.owners.map((owner) => ({ booking: one.id, owner, at: one.registeredAt! })),
    ),
    said: [],
    sink: [],
    calls: [],
    pushes: [],
    downtime: [],
  };
  const said: SaidEvent[] = [];
  const reservations = expectBookings(scenario, handed).map((one): KnownReservation => {
    const id = `rsv_${one.booking.id}_${one.owner}`;
    const changes: { at: number; change: object }[] = [{ at: one.knownAt, change: { type: 'created' } }];
    const cancelled = one.cancelledFrom === undefined ? {} : { status: { value: 'cancelled' } };
    if (one.cancelledFrom !== undefined && one.cancelledFrom > one.knownAt) {
      changes.push({ at: one.cancelledFrom, change: { type: 'cancellation', path: 'status', to: 'cancelled' } });
    }
    const legs = one.legs.map((leg, place) => {
      for (const { path, intervals } of leg.fields) {
        for (const { from, told, value } of intervals) {
          if (!told || from <= one.knownAt || from > (one.cancelledFrom ?? Infinity)) continue;
          changes.push({ at: from, change: { type: 'status', leg: `${id}_${place}`, path, to: shown(value) } });
        }
      }
      return {
        id: `${id}_${place}`,
        kind: leg.kind,
        fields: { ...fieldsOf(leg, now), ...namesOf(one.booking.passengers) },
      };
    });
    changes
      .sort((a, b) => a.at - b.at)
      .forEach(({ at, change }, version) => {
        const event = {
          data: { reservationId: id, version: version + 1, publishedAt: instant(at + MINUTE), changes: [change] },
        };
        said.push({ seq: said.length + 1, at: at + MINUTE, id: `evt_${said.length}`, event });
      });
    return {
      id,
      traveller: `trv_${one.owner}`,
      reference: one.booking.reference,
      removed: false,
      fields: cancelled,
      legs,
    };
  });
  const receipts = scenario.mails
    .filter((plan) => plan.sameAs === undefined)
    .map((plan) => ({
      traveller: `trv_${plan.to}`,
      subject: composeMail(scenario, plan).subject,
      disposition: plan.purpose === 'promo' ? 'skipped' : 'imported',
      reason: '',
    }));
  const sink = said.map((one) => ({ at: one.at, webhookId: one.id, genuine: true, answered: 204, body: null }));
  return { scenario, reservations, receipts, now, witness: { ...handed, said, sink } };
}

function shown(value: ReturnType<typeof valueAt>): string | null {
  if (value === undefined) return null;
  return value.kind === 'text' ? value.value : zoned(value.at, value.zone).toString();
}
function valueAt(leg: ExpectedLeg, path: string, at: number) {
  return leg.fields.find((one) => one.path === path)?.intervals.find((one) => one.from <= at && one.until > at)?.value;
}
function fieldsOf(leg: ExpectedLeg, at: number) {
  const identity =
    leg.kind === 'flight' ? { 'carrier.code': leg.carrier!, number: leg.number!, 'start.code': leg.from! } : {};
  const values = Object.fromEntries(leg.fields.map(({ path }) => [path, shown(valueAt(leg, path, at))]));
  return Object.fromEntries(Object.entries({ ...values, ...identity }).map(([path, value]) => [path, { value }]));
}
function namesOf(people: readonly { given: string; family: string }[]) {
  return Object.fromEntries(
    people.map((one, at) => [`passenger.p${at}.name`, { value: `${one.family}/${one.given} MR` }]),
  );
}
const instant = (at: number): string => Temporal.Instant.fromEpochMilliseconds(at).toString();

function kinds(verdict: Verdict): readonly FaultKind[] {
  return (Object.keys(verdict.counts) as FaultKind[]).filter((kind) => verdict.counts[kind] > 0);
}

/** An event that tells a gate, and its place among the events. */
function gateEvent(input: JudgeInput): {
  event: SaidEvent;
  data: { publishedAt: string; changes: { path?: string; to?: unknown }[] };
} {
  const event = input.witness.said.find((one) => JSON.stringify(one.event).includes('"start.gate"'))!;
  return { event, data: (event.event as { data: never }).data };
}

test('a service that is right passes, and there was much to be right about', () => {
  const verdict = judge(perfect());
  assert.deepEqual(verdict.findings, []);
  assert.ok(verdict.ok && verdict.checked.news > 100 && verdict.checked.fields > 200 && verdict.checked.mails > 30);
  assert.ok(verdict.latency.p50 > 0 && verdict.latency.max <= 60_000);
});

test('planted: a reservation is missing', () => {
  const input = perfect();
  input.reservations = input.reservations.slice(1);
  assert.deepEqual(kinds(judge(input)), ['missing']);
});

test('planted: a gate is wrong, a gate is missing', () => {
  for (const [value, kind] of [
    ['Z99', 'wrong'],
    [null, 'missing'],
  ] as const) {
    const input = perfect();
    const at = input.reservations.findIndex((one) =>
      one.legs.some((leg) => leg.fields['start.gate']?.value && one.fields.status === undefined),
    );
    const spoilt = structuredClone(input.reservations[at]!) as unknown as {
      legs: { fields: Record<string, { value: unknown }> }[];
    };
    spoilt.legs.find((leg) => leg.fields['start.gate'] !== undefined)!.fields['start.gate'] = { value };
    input.reservations = input.reservations.with(at, spoilt as never);
    assert.deepEqual(kinds(judge(input)), [kind]);
  }
});

test('planted: a cancellation is not shown; another is shown that never was', () => {
  const input = perfect();
  const cancelled = input.reservations.findIndex((one) => one.fields.status?.value === 'cancelled');
  input.reservations = input.reservations.with(cancelled, { ...input.reservations[cancelled]!, fields: {} });
  assert.deepEqual(kinds(judge(input)), ['wrong']);
  const other = perfect();
  const fine = other.reservations.findIndex((one) => one.fields.status === undefined);
  other.reservations = other.reservations.with(fine, {
    ...other.reservations[fine]!,
    fields: { status: { value: 'cancelled' } },
  });
  assert.deepEqual(kinds(judge(other)), ['wrong']);
});

test('planted: one booking as two reservations', () => {
  const input = perfect();
  input.reservations = [...input.reservations, { ...input.reservations[0]!, id: 'rsv_twin' }];
  assert.deepEqual(kinds(judge(input)), ['doubled']);
});

test('planted: a reservation that nobody booked', () => {
  const input = perfect();
  input.reservations = [...input.reservations, { ...input.reservations[0]!, id: 'rsv_x', reference: 'NOBODY' }];
  assert.deepEqual(kinds(judge(input)), ['wrong']);
});

test('planted: a change told twice, and one event told as two', () => {
  const input = perfect();
  const { event } = gateEvent(input);
  const again = structuredClone(event) as { seq: number; id: string; event: { data: { version: number } } };
  again.id = 'evt_again';
  again.event.data.version += 0.5;
  const sink = { at: event.at, webhookId: again.id, genuine: true, answered: 204, body: null };
  input.witness.said = [...input.witness.said, again as SaidEvent];
  input.witness.sink = [...input.witness.sink, sink];
  assert.deepEqual(kinds(judge(input)), ['doubled']);
  again.event.data.version -= 0.5;
  assert.deepEqual(kinds(judge(input)), ['doubled']);
});

test('the same event again after a reconnection is one event', () => {
  const input = perfect();
  input.witness.said = [...input.witness.said, ...input.witness.said.slice(0, 50)];
  assert.ok(judge(input).ok);
});

test('planted: a change is told late, or not at all, or is not so', () => {
  const late = perfect();
  const told = gateEvent(late);
  told.data.publishedAt = instant(told.event.at + 5 * MINUTE);
  assert.deepEqual(kinds(judge(late)), ['late']);
  assert.ok(judge(late).latency.max > 300_000);

  const silent = perfect();
  gateEvent(silent).data.changes = [];
  assert.deepEqual(kinds(judge(silent)), ['missing']);

  const false_ = perfect();
  gateEvent(false_).data.changes.push({ ...gateEvent(false_).data.changes[0]!, to: 'Q0' });
  assert.deepEqual(kinds(judge(false_)), ['wrong']);
});

test('what came late because the test had stopped the service is not late; the figures still say it', () => {
  const input = perfect();
  const told = gateEvent(input);
  told.data.publishedAt = instant(told.event.at + 5 * MINUTE);
  input.witness.downtime = [{ from: told.event.at, to: told.event.at + 2 * MINUTE }];
  const verdict = judge(input);
  assert.deepEqual(verdict.findings, []);
  assert.ok(verdict.latency.max > 300_000 && verdict.downtime.times === 1);
});

test('a provider that is away stops the clock of the promise', () => {
  const scenario = {
    ...makeDay(),
    faults: [{ provider: 'duffel', kind: 'wall', from: 1000, to: 5000, share: 1 }] as const,
  };
  assert.equal(awayMs(scenario, 'duffel', 0, 2000), 1000);
  assert.equal(awayMs(scenario, 'duffel', 2000, 9000), 3000);
  assert.equal(awayMs(scenario, 'aerodatabox', 0, 9000), 0);
  assert.equal(visibleAt(scenario, 'duffel', 1000), 5000);
  assert.equal(visibleAt(scenario, 'duffel', 5000), 5000);
  assert.equal(settledBy(scenario, 1_000_000), 1_000_000 - 360_000 - 4000);
});

test('planted: an event never comes to the webhook; a delivery is forged', () => {
  const input = perfect();
  input.witness.sink = input.witness.sink.slice(1);
  assert.deepEqual(kinds(judge(input)), ['missing']);
  const forged = perfect();
  forged.witness.sink = [...forged.witness.sink, { at: 0, webhookId: 'x', genuine: false, answered: 401, body: null }];
  assert.deepEqual(kinds(judge(forged)), ['wrong']);
});

test('planted: a mail without a receipt; an advertisement taken for a trip; a mail still under way', () => {
  const lost = perfect();
  lost.receipts = lost.receipts.slice(1);
  assert.deepEqual(kinds(judge(lost)), ['missing']);
  for (const [from, to] of [
    ['skipped', 'imported'],
    ['imported', 'collected'],
  ]) {
    const input = perfect();
    const at = input.receipts.findIndex((one) => one.disposition === from);
    input.receipts = input.receipts.with(at, { ...input.receipts[at]!, disposition: to! });
    assert.deepEqual(kinds(judge(input)), ['wrong']);
  }
});

test('planted: more calls than coalescing allows', () => {
  const input = perfect();
  const { allowed } = judge(input).calls.aerodatabox;
  assert.ok(allowed > 1000);
  const call = { at: 1, provider: 'aerodatabox', endpoint: '', identifier: '', status: 200 } as const;
  const total = allowed + judge(input).calls.duffel.allowed;
  input.witness.calls = Array<typeof call>(Math.floor(total * 1.19)).fill(call);
  assert.deepEqual(kinds(judge(input)), []);
  input.witness.calls = Array<typeof call>(Math.ceil(total * 1.21)).fill(call);
  assert.deepEqual(kinds(judge(input)), ['too-many-calls']);
});
