import type { Config } from '../../contracts/config.ts';
import type {
  FreshnessView,
  HistoryView,
  LegView,
  PointView,
  ReservationSummary,
  ReservationView,
} from '../../contracts/http/views.ts';
import type { Told } from '../../domain/alerts/alert.ts';
import {
  legCancelled,
  legTitle,
  pointOf,
  reservationCancelled,
  reservationRemoved,
  reservationTitle,
  spanOf,
  textOf,
} from '../../domain/leg-points.ts';
import type { Attribution, Field, Fields, Leg, Reservation } from '../../domain/reservation.ts';
import { describeChanges } from '../../domain/reservation-view.ts';
import { nextLookBy } from '../../domain/schedule/next-look.ts';
import { lostSince, standsBy, unverifiedSince, type Verified } from '../../domain/verification.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { ReadTx } from '../../ports/store.ts';

/** What every view needs besides the store: the time, and how accounts are called and how fresh they promise to be. */
export interface ViewContext {
  /** Epoch ms. */
  readonly now: number;
  readonly providers: Config['providers'];
}

export function pointView(leg: Leg, side: 'start' | 'end'): PointView {
  const point = pointOf(leg, side);
  const text = (name: string) => textOf(leg.fields, `${side}.${name}`);
  return defined({
    time: point.time,
    scheduled: point.scheduled,
    at: point.at === undefined ? undefined : isoInstant(point.at),
    zone: point.zone,
    basis: point.basis,
    lateMinutes: point.basis === 'scheduled' ? undefined : point.lateMinutes,
    code: point.code,
    name: point.name,
    city: point.city,
    address: text('address'),
    terminal: text('terminal'),
    gate: text('gate'),
    platform: text('platform'),
    desk: text('desk'),
    belt: text('belt'),
  });
}

export function legView(leg: Leg): LegView {
  return {
    id: leg.id,
    kind: leg.kind,
    title: legTitle(leg),
    state: legCancelled(leg)
      ? 'cancelled'
      : (textOf(leg.fields, 'operation') ?? textOf(leg.fields, 'status') ?? 'unknown'),
    cancelled: legCancelled(leg),
    start: pointView(leg, 'start'),
    end: pointView(leg, 'end'),
    passengers: passengers(leg.fields),
    ...besideOf(leg.fields),
  };
}

/** What another source newly says of a field, so that a reader sees the doubt without opening the leg. */
function besideOf(fields: Fields): Pick<LegView, 'beside'> {
  const beside = Object.entries(fields).flatMap(([path, field]) =>
    field.beside === undefined
      ? []
      : [{ path, shown: field.value, value: field.beside.value, label: field.beside.by.source.label }],
  );
  return beside.length === 0 ? {} : { beside };
}

function passengers(fields: Fields): LegView['passengers'] {
  const people = new Map<string, { name: string; seat?: string; class?: string }>();
  for (const path of Object.keys(fields)) {
    const match = /^passenger\.(.+)\.(name|seat|class)$/.exec(path);
    const value = match === null ? undefined : textOf(fields, path);
    if (match === null || value === undefined) continue;
    const person = people.get(match[1]!) ?? { name: match[1]! };
    people.set(match[1]!, { ...person, [match[2]!]: value });
  }
  return [...people.values()];
}

/** A list row: no attributions. */
export function reservationSummary(reservation: Reservation, updatedAt?: number): ReservationSummary {
  const { startsAt, endsAt } = spanOf(reservation.legs);
  const cancelled = reservationCancelled(reservation);
  return defined({
    id: reservation.id,
    traveller: reservation.traveller,
    version: reservation.version,
    title: reservationTitle(reservation),
    kind: reservation.legs[0]?.kind,
    status: cancelled ? 'cancelled' : (textOf(reservation.fields, 'status') ?? 'unknown'),
    cancelled,
    removed: reservationRemoved(reservation),
    reference: textOf(reservation.fields, 'reference'),
    provider: textOf(reservation.fields, 'provider.name') ?? textOf(reservation.fields, 'provider.code'),
    startsAt: startsAt === undefined ? undefined : isoInstant(startsAt),
    endsAt: endsAt === undefined ? undefined : isoInstant(endsAt),
    updatedAt: updatedAt === undefined ? undefined : isoInstant(updatedAt),
    legs: reservation.legs.map(legView),
  }) as ReservationSummary;
}

/** Everything known about it: each field with who says so, and how fresh it is. */
export async function reservationView(
  tx: ReadTx,
  reservation: Reservation,
  context: ViewContext,
): Promise<ReservationView> {
  const subjects = await tx.subjects.followedBy(reservation.tenant, reservation.id);
  const { tenant, traveller, id } = reservation;
  const told = (await tx.alerts.told(tenant, traveller, [id])).get(id);
  const summary = reservationSummary(reservation);
  return {
    ...summary,
    fields: fieldViews(reservation.fields),
    legs: reservation.legs.map((leg) => ({ ...legView(leg), keys: [...leg.keys], fields: fieldViews(leg.fields) })),
    freshness: freshnessViews(subjects, context, await listedAccounts(tx, subjects)),
    ...unverifiedOf(subjects),
    ...alertsOf(told),
    observations: [...reservation.observations],
    ...unprovenOf(reservation),
  };
}

function alertsOf(told: Told | undefined): Pick<ReservationView, 'alerts'> {
  if (told === undefined || told.alerts.length === 0) return {};
  return {
    alerts: told.alerts.map(({ at, facts, ...alert }) => ({
      ...alert,
      facts: facts.map((fact) => ({ ...fact })),
      at: isoInstant(at),
    })),
  };
}

function unprovenOf({ unproven = [] }: Reservation): Pick<ReservationView, 'unproven'> {
  if (unproven.length === 0) return {};
  return {
    unproven: unproven.map(({ by, said }) => ({
      label: by.source.label,
      ref: by.source.ref,
      observedAt: by.observedAt,
      said: said.map((one) => ({ ...one })),
    })),
  };
}

/** Of all that a reservation follows, or of one leg: who confirms it, and who stands by. */
export function freshnessViews(
  subjects: readonly Subject[],
  context: ViewContext,
  listed: ReadonlySet<string>,
): FreshnessView[] {
  const all = subjects.map(verifiedOf);
  return subjects.map((subject, index) => {
    const account = context.providers.find((one) => one.account === subject.account);
    const freshMs = (account?.freshSeconds ?? 300) * 1000;
    return freshnessView(subject, context, standsBy(all[index]!, all, freshMs), listed.has(subject.account));
  });
}

/** Of the accounts of these subjects, those whose provider lists what has changed. */
export async function listedAccounts(tx: ReadTx, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const listed = new Set<string>();
  for (const account of new Set(subjects.map((one) => one.account)))
    if ((await tx.providerState.get(account))?.list !== undefined) listed.add(account);
  return listed;
}

function unverifiedOf(subjects: readonly Subject[]): Pick<ReservationView, 'unverifiedSince'> {
  const since = unverifiedSince(subjects.map(verifiedOf));
  return since === undefined ? {} : { unverifiedSince: isoInstant(since) };
}

function verifiedOf({ spec, state, checkedAt, failingSince }: Subject): Verified {
  return { thing: spec.id, ended: state === 'ended', checkedAt, failingSince };
}

function freshnessView(subject: Subject, context: ViewContext, resting: boolean, isListed: boolean): FreshnessView {
  const account = context.providers.find((one) => one.account === subject.account);
  const { checkedAt, failingSince } = subject;
  const lost = lostSince(subject);
  const state =
    subject.state === 'ended'
      ? 'ended'
      : failingSince !== undefined
        ? 'unverified-since'
        : resting
          ? 'stands-by'
          : checkedAt === undefined
            ? 'not-checked-yet'
            : 'ok';
  // What failed is asked again as soon as the provider lets us; nobody knows when that is.
  const isPlanned = state === 'ok' || state === 'not-checked-yet';
  const due = isPlanned ? nextLookBy(subject, account?.freshSeconds ?? 300, isListed, context.now) : undefined;
  const lateSeconds = due === undefined ? 0 : Math.round((context.now - due) / 1000);
  return defined({
    subject: subject.id,
    account: subject.account,
    label: account === undefined ? subject.account : (account.label ?? account.connector),
    about: subject.spec.label,
    checkedAt: checkedAt === undefined ? undefined : isoInstant(checkedAt),
    ageSeconds: checkedAt === undefined ? undefined : Math.max(0, Math.round((context.now - checkedAt) / 1000)),
    changedAt: subject.changedAt === undefined ? undefined : isoInstant(subject.changedAt),
    state,
    unverifiedSince: lost === undefined ? undefined : isoInstant(lost),
    reason: failingSince === undefined ? undefined : subject.failure,
    due: due === undefined ? undefined : isoInstant(due),
    lateSeconds: lateSeconds > 0 ? lateSeconds : undefined,
  }) as FreshnessView;
}

/** Every version with its changes, oldest first. */
export async function historyView(tx: ReadTx, reservation: Reservation): Promise<HistoryView> {
  const versions = await tx.reservations.history(reservation.tenant, reservation.id);
  return {
    reservation: reservation.id,
    versions: versions.map((version) => ({
      version: version.version,
      at: isoInstant(version.at),
      sentences: describeChanges(version.changes, reservation),
      changes: [...version.changes] as HistoryView['versions'][number]['changes'],
    })),
  };
}

function fieldViews(fields: Fields): ReservationView['fields'] {
  return Object.fromEntries(Object.entries(fields).map(([path, field]) => [path, fieldView(field)]));
}

function fieldView(field: Field): ReservationView['fields'][string] {
  return {
    value: field.value,
    by: attributionView(field.by),
    ...(field.beside === undefined
      ? {}
      : { beside: { value: field.beside.value, by: attributionView(field.beside.by) } }),
  };
}

function attributionView(by: Attribution): ReservationView['fields'][string]['by'] {
  return {
    observation: by.observation,
    source: by.source.kind,
    ref: by.source.ref,
    label: by.source.label,
    authority: by.authority,
    assertedAt: by.assertedAt,
    observedAt: by.observedAt,
    ...(by.evidence === undefined ? {} : { evidence: by.evidence }),
  };
}

/** Without the members that are undefined: absent on the wire, and equal to what a reader parses. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
