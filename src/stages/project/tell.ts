import type { AnyNewEvent } from '../../contracts/event.ts';
import { type Alert, NOTHING_TOLD } from '../../domain/alerts/alert.ts';
import { decideAlerts, isOver, joinedTold, needsWords } from '../../domain/alerts/decide.ts';
import type { Word } from '../../domain/alerts/grounds.ts';
import { phrasingOf } from '../../domain/alerts/phrase.ts';
import { rulesFor } from '../../domain/alerts/rules.ts';
import type { ReservationId } from '../../domain/ids.ts';
import { spanOf } from '../../domain/leg-points.ts';
import type { Change, ChangeType, Reservation } from '../../domain/reservation.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { ReadTx, Tx } from '../../ports/store.ts';

/** Reservations that begin or end so near to another, ms, may be what it leads to; so many of them are looked at. */
const BESIDE_MS = 18 * 3_600_000;
const BESIDE_MAX = 24;

/** Changes that can matter to what comes after. */
const MOVING: ReadonlySet<ChangeType> = new Set([
  'created',
  'leg-added',
  'delay',
  'schedule',
  'cancellation',
  'reinstated',
  'diversion',
  'terminal',
  'place',
  'status',
  'restored',
  'merged',
]);

/** Which accounts are at one vendor: two of them are one voice. */
export type VendorOf = (account: string) => string;

export interface Telling {
  readonly now: number;
  readonly vendorOf: VendorOf;
  /** What brought it about; absent: the clock. */
  readonly changes?: readonly Change[];
}

/**
 * What the traveller is told of a reservation as it stands now: decides, and writes the records, in the caller's
 * transaction. A version that comes after a later one tells nothing.
 */
export async function tellOf(tx: Tx, reservation: Reservation, telling: Telling): Promise<readonly Alert[]> {
  const { now, changes, vendorOf } = telling;
  const { tenant, traveller, id } = reservation;
  if (isOver(reservation, now)) {
    if (changes === undefined) await endLooking(tx, reservation);
    return [];
  }
  const near = changes?.some(({ type }) => MOVING.has(type)) === true ? await besides(tx, reservation) : [];
  const swallowed = (changes ?? []).flatMap(({ type, from }) => (type === 'merged' ? [from as ReservationId] : []));
  const records = await tx.alerts.told(tenant, traveller, [id, ...near.map((one) => one.id), ...swallowed]);
  const before = records.get(id) ?? NOTHING_TOLD;
  if (changes !== undefined && before.version >= reservation.version) return [];
  const told = joinedTold(
    before,
    swallowed.flatMap((one) => records.get(one) ?? []),
  );
  const preferences = await tx.alerts.preferences(tenant, traveller);
  if (preferences === undefined) return [];
  const needed = changes === undefined || needsWords(reservation, told);
  const decision = decideAlerts({
    reservation,
    told,
    beside: near.map((one) => ({ reservation: one, told: records.get(one.id) ?? NOTHING_TOLD })),
    rules: rulesFor(preferences.settings),
    words: needed ? await wordsOf(tx, reservation, now, vendorOf) : [],
    language: phrasingOf(preferences.locale),
    homeZone: preferences.zone,
    now,
  });
  for (const [one, record] of decision.told) {
    // Of others only what was told changes, not when they are looked at.
    const dueAt = one === id ? (decision.dueAt ?? null) : undefined;
    await tx.alerts.put(tenant, traveller, one, record, dueAt);
  }
  for (const one of swallowed) await tx.alerts.remove(tenant, one);
  return decision.alerts;
}

async function endLooking(tx: Tx, { tenant, traveller, id }: Reservation): Promise<void> {
  const told = (await tx.alerts.told(tenant, traveller, [id])).get(id);
  if (told !== undefined) await tx.alerts.put(tenant, traveller, id, told, null);
}

/** The traveller's other reservations that may be what this one leads to, or what leads to it. */
async function besides(tx: ReadTx, reservation: Reservation): Promise<readonly Reservation[]> {
  const { startsAt, endsAt } = spanOf(reservation.legs);
  if (startsAt === undefined) return [];
  const rows = await tx.itineraries.list(reservation.tenant, {
    traveller: reservation.traveller,
    fromAt: startsAt - BESIDE_MS,
    toAt: (endsAt ?? startsAt) + BESIDE_MS,
    limit: BESIDE_MAX,
  });
  const near = rows.filter((row) => row.reservation !== reservation.id && !row.cancelled && !row.removed);
  const found: Reservation[] = [];
  for (const row of near) {
    const one = await tx.reservations.get(reservation.tenant, row.reservation);
    if (one !== undefined && one.id === row.reservation) found.push(one);
  }
  return found;
}

/** What those who are asked about a reservation say now. */
async function wordsOf(
  tx: ReadTx,
  reservation: Reservation,
  now: number,
  vendorOf: VendorOf,
): Promise<readonly Word[]> {
  const subjects = await tx.subjects.followedBy(reservation.tenant, reservation.id);
  const away = await accountsAway(
    tx,
    subjects.map(({ account }) => account),
    now,
  );
  return subjects.map((one) => wordOf(one, now, vendorOf, away));
}

/** Accounts that answer nobody at present. */
export async function accountsAway(tx: ReadTx, accounts: readonly string[], now: number): Promise<ReadonlySet<string>> {
  const away = new Set<string>();
  for (const account of new Set(accounts)) {
    const state = await tx.providerState.get(account);
    if (state === undefined) continue;
    if ((state.wallUntil ?? 0) > now || Object.keys(state.breakers).length > 0) away.add(account);
  }
  return away;
}

function wordOf(subject: Subject, now: number, vendorOf: VendorOf, away: ReadonlySet<string>): Word {
  const { account, answer, spec, state, failingSince, checkedAt } = subject;
  return {
    account,
    thing: spec.id,
    vendor: vendorOf(account),
    own: answer === undefined ? false : answer.authority === 'booking',
    checkedAt,
    failing: failingSince !== undefined || away.has(account),
    asked: state === 'active' && spec.everyMs === undefined && spec.fromAt <= now && now <= spec.endAt,
    // The contract's optional members may be undefined, the domain's are absent.
    facts: (answer?.facts ?? {}) as Word['facts'],
    legs: (answer?.legs ?? []) as Word['legs'],
  };
}

/** The alerts as the event carries them: lists that may be written to. */
export function alertsData(
  alerts: readonly Alert[],
): NonNullable<Extract<AnyNewEvent, { readonly topic: 'itinerary.updated' }>['data']['alerts']> {
  return alerts.map((alert) => ({ ...alert, facts: alert.facts.map((fact) => ({ ...fact })) }));
}
