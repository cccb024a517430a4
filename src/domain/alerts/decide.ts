import type { FactValue } from '../facts.ts';
import type { ReservationId } from '../ids.ts';
import { pointOf, reservationRemoved } from '../leg-points.ts';
import { known } from '../reconcile/fields.ts';
import type { Leg, Reservation } from '../reservation.ts';
import {
  ALERTS_AT_ONCE_MAX,
  ALERTS_KEPT_MAX,
  type Alert,
  type AlertFact,
  NOTHING_TOLD,
  severer,
  type Told,
  type ToldFact,
} from './alert.ts';
import { cancellationOf, ofBooking } from './cancellation.ts';
import { detailsOf } from './details.ts';
import { type Found, factOf, type Looking, type News, together, toldOf } from './found.ts';
import { cancelledBy, isOwnWord } from './grounds.ts';
import { onwardOf } from './onward.ts';
import { answeringFact, isHeld, LOOK_MS, SETTLE_MS, unverifiedFact, verificationOf } from './outage.ts';
import { bookingName, clockAt, legName, phrase } from './phrase.ts';
import { timesOf } from './times.ts';

/**
 * # What a traveller is told
 *
 * A function of a reservation's state, of what was told of it before, and of the time. It does not look at changes: what
 * differs from what was *told* by more than the rules ask for is told, and the record is brought up to it in the same
 * transaction. So no fact is told twice whatever is repeated, what crept below a threshold is told when it has crossed
 * it, and what was held back comes out as one message of what is left of it.
 *
 *  1. A leg seen for the first time is known to the traveller, who booked it: only what speaks against it is told.
 *  2. "Cancelled" and "leaves earlier" are certain by the provider's own word or by two who confirm it independently
 *     (grounds.ts). Before that they are told as not confirmed, and their certainty is told once.
 *  3. While nobody who could confirm a near journey answers, news by others than the provider itself are held; what is
 *     left of them at its end is one message (outage.ts).
 *  4. What a person set is nobody's news.
 */
export interface Situation extends Looking {
  /** The traveller's other reservations that are near in time, with their records; empty: what comes after is not looked at. */
  readonly beside: readonly { readonly reservation: Reservation; readonly told: Told }[];
  /** IANA zone of the traveller's home, for times without a place. */
  readonly homeZone: string;
}

export interface Decision {
  readonly alerts: readonly Alert[];
  /** Records that have changed. That of the reservation itself is always among them. */
  readonly told: ReadonlyMap<ReservationId, Told>;
  /** Epoch ms at which to look at it again without anything having changed. */
  readonly dueAt?: number;
}

/** A leg is no news any more so long after its end, ms. */
const OVER_MS = 3 * 3_600_000;
/** Without a known end a leg is taken to be over so long after its start. */
const LONGEST_MS = 24 * 3_600_000;

export function decideAlerts(situation: Situation): Decision {
  const { reservation, told, rules, words, language, now, homeZone } = situation;
  if (reservationRemoved(reservation))
    return { alerts: [], told: new Map([[reservation.id, { ...told, version: reservation.version }]]) };
  const found = lookAt(situation);
  const verification = verificationOf(reservation, told, words, rules.unverified.minutes ?? 10, now);
  const wanted = found.news.filter(({ kind }) => rules[kind].on);
  const onward = onwardNews(situation).filter(({ news }) => rules[news.kind].on);
  const isHolding = verification.state === 'held' || (verification.state === 'lost' && rules.unverified.on);
  const passes = ({ by }: News): boolean => !isHolding || isOwnWord(by);

  const records = new Records(situation);
  records.know(found.known);
  if (verification.state === 'held') records.know(answeringFact(told, verification.isAnswering && now));
  else records.know(answeringFact(told, false));
  const alerts: Alert[] = [];
  const dues = found.dueAt === undefined ? [] : [found.dueAt];
  const own = wanted.filter(passes).slice(0, ALERTS_AT_ONCE_MAX);
  for (const news of own) alerts.push(records.tell(reservation.id, news));
  for (const { reservation: id, news } of onward
    .filter(({ news }) => passes(news))
    .slice(0, ALERTS_AT_ONCE_MAX - own.length))
    alerts.push(records.tell(id, news));
  if (wanted.length + onward.length > alerts.length && !isHolding) dues.push(now + SETTLE_MS);
  if (isHolding) dues.push(now + (verification.state === 'held' && verification.isAnswering ? SETTLE_MS : LOOK_MS));

  let said: readonly Alert[] = alerts;
  const since = 'since' in verification ? verification.since : 0;
  if (verification.state === 'lost' && rules.unverified.on) {
    const time = clockAt(language, since, placeZone(reservation, verification, homeZone), now);
    const params = { leg: legName(language, verification.leg), time };
    const news: News = {
      ...OUTAGE,
      key: 'unverified',
      severity: 'warning',
      params,
      facts: [unverifiedFact(since)],
      leg: verification.leg.id,
    };
    said = [...alerts, records.tell(reservation.id, news)];
  }
  if (verification.state === 'back') {
    const time = clockAt(language, since, placeZone(reservation, verification, homeZone), now);
    const name =
      verification.leg === undefined ? bookingName(language, reservation) : legName(language, verification.leg);
    said =
      verification.leg === undefined ? records.close(alerts) : [records.fold(alerts, name, time, verification.leg)];
  }
  return {
    alerts: said,
    told: records.written(said, reservation.version),
    ...(dues.length === 0 ? {} : { dueAt: Math.min(...dues) }),
  };
}

const SENTENCE_CHARS_MAX = 1000;
const OUTAGE = { kind: 'unverified', certain: true, by: undefined } as const;

/** Whether deciding needs to know what those who are asked say now; else `words` may be left empty. */
export function needsWords(reservation: Reservation, told: Told): boolean {
  if (isHeld(told)) return true;
  const unsure = Object.values(told.facts).some(({ certain, value }) => !certain && value !== false);
  const grave = [reservation.fields, ...reservation.legs.map(({ fields }) => fields)].some((fields) => {
    const { state, by } = cancelledBy(fields);
    return state !== 'no' && !isOwnWord(by);
  });
  return unsure || grave || reservation.legs.some((leg) => isEarlier(leg, told));
}

function isEarlier(leg: Leg, told: Told): boolean {
  const start = pointOf(leg, 'start');
  if (start.basis === 'estimated' && (start.lateMinutes ?? 0) < 0) return true;
  const before = toldOf(told, factOf(leg, 'scheduled'))?.value;
  return typeof before === 'string' && start.scheduled !== undefined && start.scheduled !== before;
}

/** Whether nothing that happens to it is news any more. A reservation without times may still begin. */
export function isOver(reservation: Pick<Reservation, 'legs'>, now: number): boolean {
  return reservation.legs.length > 0 && reservation.legs.every((leg) => isLegOver(leg, now));
}

function isLegOver(leg: Leg, now: number): boolean {
  const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
  if (start.at === undefined && end.at === undefined) return false;
  const until = Math.max(end.at ?? 0, start.at === undefined || end.at !== undefined ? 0 : start.at + LONGEST_MS);
  return now > until + OVER_MS;
}

function lookAt(situation: Situation): Found {
  const { reservation, told, now } = situation;
  const whole = cancelledBy(reservation.fields).state;
  const found: Found[] = [];
  const open = reservation.legs.filter((leg) => !isLegOver(leg, now));
  if (open.length > 0 || reservation.legs.length === 0) {
    const ofWhole = cancellationOf(situation, undefined);
    found.push(ofWhole, { news: [], known: ofBooking(situation, whole) });
  }
  const silenced = new Set(found.flatMap(({ known }) => known.map(({ fact }) => fact)));
  for (const leg of open) {
    const isFirstLook = toldOf(told, factOf(leg, 'seen')) === undefined;
    if (isFirstLook) found.push({ news: [], known: [{ fact: factOf(leg, 'seen'), value: true }] });
    // Of a booking that may be gone as a whole, its legs are not told one by one.
    if (whole !== 'no' && cancelledBy(leg.fields).state !== 'yes') continue;
    if (!silenced.has(factOf(leg, 'cancelled'))) found.push(cancellationOf(situation, leg));
    if (whole === 'yes' || cancelledBy(leg.fields).state === 'yes') continue;
    found.push(timesOf(situation, leg, isFirstLook), detailsOf(situation, leg, isFirstLook));
  }
  return together(...found);
}

function onwardNews(situation: Situation) {
  const { reservation, told, beside, language, now } = situation;
  const tolds = new Map(beside.map((one) => [one.reservation.id, one.told]));
  tolds.set(reservation.id, told);
  const all = [reservation, ...beside.map((one) => one.reservation)];
  return onwardOf(all, (id) => tolds.get(id) ?? NOTHING_TOLD, language, now);
}

function placeZone(
  reservation: Reservation,
  verification: ReturnType<typeof verificationOf>,
  homeZone: string,
): string {
  const leg = 'leg' in verification ? verification.leg : reservation.legs[0];
  return (leg && (pointOf(leg, 'start').zone ?? textZone(leg))) ?? homeZone;
}

function textZone(leg: Leg): string | undefined {
  const zone = known(leg.fields, 'end.zone');
  return typeof zone === 'string' ? zone : undefined;
}

/** The records of what was told, as they grow. */
class Records {
  readonly #situation: Situation;
  readonly #facts = new Map<ReservationId, Record<string, ToldFact>>();

  constructor(situation: Situation) {
    this.#situation = situation;
  }

  know(known: Found['known']): void {
    for (const { fact, value, certain = true } of known)
      this.#put(this.#situation.reservation.id, fact, value, certain);
  }

  /** The alert of news, entered in the record. */
  tell(id: ReservationId, news: News): Alert {
    const { language } = this.#situation;
    const { kind, severity, certain, key, params, more, leg } = news;
    const before = this.#before(id);
    const facts = news.facts.map(({ fact, value }): AlertFact => {
      const held = toldOf(before, fact);
      return { fact, value, ...(held === undefined ? {} : { before: held.value }) };
    });
    for (const { fact, value } of news.facts) this.#put(id, fact, value, certain);
    const first = phrase(language, key, params);
    const sentence = more === undefined ? first : `${first} ${phrase(language, more.key, more.params)}`;
    // Names come from mails, and may be of any length.
    return {
      kind,
      severity,
      sentence: sentence.slice(0, SENTENCE_CHARS_MAX),
      certain,
      facts,
      reservation: id,
      ...(leg === undefined ? {} : { leg }),
    };
  }

  /** All that is told at the end of an outage, as one message. */
  fold(alerts: readonly Alert[], name: string, time: string, leg: Leg): Alert {
    const { reservation } = this.#situation;
    const news = alerts.map(({ sentence }) => sentence).join(' ');
    const end = this.tell(reservation.id, {
      ...OUTAGE,
      severity: alerts.reduce((worst, one) => severer(worst, one.severity), 'info' as Alert['severity']),
      certain: alerts.every(({ certain }) => certain),
      key: alerts.length === 0 ? 'verified' : 'verifiedWith',
      params: { leg: name, time, news },
      facts: [unverifiedFact(false)],
      leg: leg.id,
    });
    return { ...end, facts: [...alerts.flatMap(({ facts }) => facts), ...end.facts] };
  }

  /** The outage ended because the journey is over: nothing is said of it. */
  close(alerts: readonly Alert[]): readonly Alert[] {
    const { fact, value } = unverifiedFact(false);
    this.#put(this.#situation.reservation.id, fact, value, true);
    return alerts;
  }

  written(alerts: readonly Alert[], version: number): ReadonlyMap<ReservationId, Told> {
    const { reservation, now } = this.#situation;
    const out = new Map<ReservationId, Told>();
    for (const id of new Set([reservation.id, ...this.#facts.keys()])) {
      const before = this.#before(id);
      const mine = alerts.filter((one) => one.reservation === id).map((one) => ({ ...one, at: now }));
      out.set(id, {
        version: id === reservation.id ? version : before.version,
        facts: { ...before.facts, ...this.#facts.get(id) },
        alerts: [...mine, ...before.alerts].slice(0, ALERTS_KEPT_MAX),
      });
    }
    return out;
  }

  #before(id: ReservationId): Told {
    const { reservation, told, beside } = this.#situation;
    if (id === reservation.id) return told;
    return beside.find((one) => one.reservation.id === id)?.told ?? NOTHING_TOLD;
  }

  #put(id: ReservationId, fact: string, value: FactValue, certain: boolean): void {
    const facts = this.#facts.get(id) ?? {};
    this.#facts.set(id, facts);
    const held = toldOf(this.#before(id), fact);
    if (held?.value === value && held.certain === certain) return;
    facts[fact] = { value, certain, at: this.#situation.now };
  }
}

/** The record of a reservation that has swallowed others: what was told of any of them was told. */
export function joinedTold(told: Told, others: readonly Told[]): Told {
  const facts = Object.assign({}, ...others.map((one) => one.facts), told.facts) as Told['facts'];
  const alerts = [told, ...others].flatMap((one) => one.alerts).sort((a, b) => b.at - a.at);
  return { version: told.version, facts, alerts: alerts.slice(0, ALERTS_KEPT_MAX) };
}
