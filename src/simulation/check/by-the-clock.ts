import type { Event } from '../../contracts/event.ts';
import { cancelledBy } from '../../domain/alerts/grounds.ts';
import { pointOf } from '../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../domain/reservation.ts';
import type { History } from '../history.ts';
import { CHECK_IN_MINUTES, LEASE_MS, type Plan } from '../plan.ts';
import type { Tables } from '../tables.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** What is told although nothing has changed: it is told in time, and only while it holds. */

const MINUTE = 60_000;
/** So short before departure it is no news any more that check-in has opened. */
const CHECK_IN_LATE_MS = 90 * MINUTE;
/** Real ms: so long after a process began, ended or stood still, work has found its holder; … */
const SETTLED_REAL_MS = 2 * LEASE_MS;
/** … and so soon after it is due, then, it is told. */
const TOLD_REAL_MS = 6_000;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A state of a reservation, and between which times the processes knew of it and of no later one. */
interface Stood extends Span {
  readonly reservation: Reservation;
}

/** I23: that check-in has opened is told in time, where nothing keeps the processes from it and nobody takes it back. */
export const checkClockTells: Checker = ({ tables, history, plan }) => {
  const told = new Map<string, number>();
  for (const event of updates(tables).toReversed())
    for (const { fact } of factsOf(event)) told.set(fact, Date.parse(event.time));
  const boundMs = TOLD_REAL_MS * plan.speed;
  const calm = calmSpans(history, plan);
  const found: Violation[] = [];
  for (const { reservation, from, to } of stood(tables, history)) {
    const free = without(calm, heldSpans(reservation.id, tables));
    for (const leg of reservation.legs) {
      const fact = `${leg.id}/check-in`;
      const open = openSpan(reservation, leg);
      if (open === undefined) continue;
      const saidAt = told.get(fact) ?? Number.POSITIVE_INFINITY;
      const wrong = clockError(plan);
      const due = { from: Math.max(from, open.from) + wrong, to: Math.min(to, open.to, saidAt) - wrong };
      if (!free.some((span) => Math.min(span.to, due.to) - Math.max(span.from, due.from) >= boundMs)) continue;
      const when = Number.isFinite(saidAt) ? `only at ${at(saidAt)}` : 'never';
      found.push(violation('I23', `${fact} was told ${when}, and it was due since ${at(Math.max(from, open.from))}`));
    }
  }
  return found;
};

/** I23: what the clock tells is of the state that stands; check-in is not said to open before it does, or of what is off. */
export const checkClockHolds: Checker = ({ tables, plan }) => {
  const found: Violation[] = [];
  const standing = new Map<string, { readonly version: number; readonly reservation: Reservation }>();
  const states = new Map<string, Reservation>();
  for (const { event } of tables.log) {
    if (event.topic === 'reservation.changed') {
      const reservation = event.data.reservation as Reservation;
      states.set(event.id, reservation);
      standing.set(reservation.id, { version: reservation.version, reservation });
    }
    if (event.topic !== 'itinerary.updated' || event.data.alerts === undefined) continue;
    const stands = standing.get(event.data.reservationId);
    const byClock = event.data.changes.length === 0;
    if (byClock && stands?.version !== event.data.version)
      found.push(
        violation('I23', `${event.id} tells of version ${event.data.version} while ${stands?.version} stands`),
      );
    const state = byClock ? stands?.reservation : states.get(event.causationid ?? '');
    for (const { fact } of factsOf(event)) {
      const leg = state?.legs.find(({ id }) => fact === `${id}/check-in`);
      if (state === undefined || leg === undefined) continue;
      const open = openSpan(state, leg);
      const saidAt = Date.parse(event.time);
      const isSaid = leg.fields.operation?.value === 'check-in';
      const isEarly = open !== undefined && !isSaid && saidAt < open.from - clockError(plan);
      if (open !== undefined && !isEarly && saidAt <= open.to + clockError(plan)) continue;
      const why = open === undefined ? 'it is off' : `it opens ${at(open.from)} and leaves after ${at(open.to)}`;
      found.push(violation('I23', `${event.id} tells ${fact} at ${event.time}: ${why}`));
    }
  }
  return found;
};

/** Between when check-in is news of a leg; undefined: never, as it stands. */
function openSpan(reservation: Reservation, leg: Leg): Span | undefined {
  const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
  if (leg.kind !== 'flight' || start.at === undefined) return undefined;
  if (start.basis === 'actual' || end.basis === 'actual') return undefined;
  const isOff = [reservation.fields, leg.fields].some((fields) => cancelledBy(fields).state === 'yes');
  if (isOff || cancelledBy(reservation.fields).state !== 'no' || reservation.fields.removed?.value === true)
    return undefined;
  return { from: start.at - CHECK_IN_MINUTES * MINUTE, to: start.at - CHECK_IN_LATE_MS };
}

/** Each version from when it was published until the next one was known, or the run ended. */
function stood(tables: Tables, history: History): readonly Stood[] {
  const published = new Map<string, number>();
  for (const { time, data } of updates(tables))
    if (data.changes.length > 0) published.set(`${data.reservationId} ${data.version}`, Date.parse(time));
  const last = new Map<string, Stood>();
  const all: Stood[] = [];
  const close = (id: string, to: number): void => {
    const open = last.get(id);
    if (open !== undefined) all.push({ ...open, to });
    last.delete(id);
  };
  for (const { event } of tables.log) {
    if (event.topic !== 'reservation.changed') continue;
    const reservation = event.data.reservation as Reservation;
    close(reservation.id, Date.parse(event.time));
    const from = published.get(`${reservation.id} ${reservation.version}`);
    if (from !== undefined && event.data.mergedInto === undefined)
      last.set(reservation.id, { reservation, from, to: Number.POSITIVE_INFINITY });
  }
  for (const id of [...last.keys()]) close(id, history.quietAt ?? history.healedAt);
  return all;
}

/** Between the times at which a process begins, ends or stands still, when work has found its holder. */
export function calmSpans({ disturbed, quietAt, healedAt }: History, { speed }: Plan): readonly Span[] {
  const calm: Span[] = [];
  let since = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...disturbed].sort((a, b) => a.from - b.from)) {
    if (from > since && Number.isFinite(since)) calm.push({ from: since, to: from });
    since = Math.max(since, to + SETTLED_REAL_MS * speed);
  }
  return [...calm, { from: since, to: quietAt ?? healedAt }];
}

/** While it was said that nobody answers, and news were held. */
function heldSpans(reservation: string, tables: Tables): readonly Span[] {
  const spans: Span[] = [];
  let since: number | undefined;
  for (const event of updates(tables)) {
    for (const { about, fact, value } of factsOf(event)) {
      if (about !== reservation || fact !== 'booking/unverified') continue;
      if (value === false && since !== undefined) spans.push({ from: since, to: Date.parse(event.time) });
      since = value === false ? undefined : Date.parse(event.time);
    }
  }
  return since === undefined ? spans : [...spans, { from: since, to: Number.POSITIVE_INFINITY }];
}

export function without(spans: readonly Span[], cuts: readonly Span[]): readonly Span[] {
  return cuts.reduce<readonly Span[]>(
    (left, cut) =>
      left.flatMap((span) =>
        [
          { from: span.from, to: Math.min(span.to, cut.from) },
          { from: Math.max(span.from, cut.to), to: span.to },
        ].filter(({ from, to }) => from < to),
      ),
    spans,
  );
}

function factsOf({ data }: Event<'itinerary.updated'>) {
  return (data.alerts ?? []).flatMap(({ facts, reservation }) => facts.map((one) => ({ ...one, about: reservation })));
}

function updates({ log }: Tables): readonly Event<'itinerary.updated'>[] {
  return log.flatMap(({ event }) => (event.topic === 'itinerary.updated' ? [event] : []));
}

/** How wrong the clock of a process may be, ms. */
function clockError({ skew, hours }: Plan): number {
  return skew.offsetMsMax + skew.driftPpmMax * hours * 3.6 + MINUTE;
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
