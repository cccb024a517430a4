import type { Fact } from '../facts.ts';
import { instantOf } from '../time/printed-time.ts';
import { type Draft, FactWriter, type LegDraft, type Warnings } from './draft.ts';
import { isObject, type JsonObject } from './json-repair.ts';
import { readLeg, readPassengers } from './legs.ts';
import { readMoney } from './money.ts';
import { evidence, firstText, httpsUrl, list, nameOf, text, typesOf } from './node.ts';
import type { ReservationNode } from './reservation-nodes.ts';
import { statedTime } from './times.ts';

const STATUSES: readonly (readonly [RegExp, string])[] = [
  [/cancel|annul|storn/i, 'cancelled'],
  [/pending|request|wait/i, 'pending'],
  [/hold/i, 'hold'],
  [/confirm/i, 'confirmed'],
];

/** Drafts of one reservation node: one for each thing that is reserved. */
export function readDrafts(found: ReservationNode, warnings: Warnings): readonly Draft[] {
  const { node, where, kind } = found;
  const trips = list(node.reservationFor).map((trip) => (isObject(trip) ? trip : ({ name: text(trip) } as JsonObject)));
  const many = trips.length > 1;
  return (trips.length === 0 ? [{}] : trips.slice(0, TRIPS_MAX)).flatMap((trip, index) => {
    const at = many ? `${where}, reservationFor[${index}]` : where;
    return readDraft({ ...found, where: at, kind }, trip, where, warnings) ?? [];
  });
}
const TRIPS_MAX = 100;

function readDraft(found: ReservationNode, trip: JsonObject, unit: string, warnings: Warnings): Draft | undefined {
  const { kind, node, where } = found;
  const reference = firstText(node, 'reservationNumber', 'reservationId', 'confirmationNumber').slice(0, 100);
  const status = readStatus(node, where);
  const leg = readLeg({ kind, node, trip, where, warnings });
  const hasLeg = [
    'start.scheduled',
    'end.scheduled',
    'number',
    'start.name',
    'start.code',
    'name',
    'start.boarding',
  ].some((path) => leg.facts.facts[path] !== undefined);
  if (reference === '' && leg.keys.length === 0 && !hasStart(leg.facts.facts)) {
    warnings.add('reservation-incomplete', 'a reservation without number, time and place was passed over', where);
    return undefined;
  }
  const legDraft: LegDraft | undefined = hasLeg
    ? { kind, keys: leg.keys, facts: leg.facts.facts, passengers: readPassengers(node, trip, where).facts }
    : undefined;
  const modified = statedTime(node, ['modifiedTime', 'dateModified'], '', warnings, where);
  return {
    kind,
    extractor: found.extractor,
    where,
    unit,
    reference,
    providerName: nameOf(node.provider) || leg.providerName,
    status,
    modifiedAt: modified === undefined ? undefined : instantOf(modified.parsed),
    mailDate: found.mailDate,
    booking: readBooking(found, reference, leg.providerName, leg.providerCode, trip, warnings),
    leg: legDraft,
  };
}

function hasStart(facts: FactWriter['facts']): boolean {
  return facts['start.scheduled'] !== undefined || facts['start.boarding'] !== undefined;
}

function readStatus(node: JsonObject, where: string): Fact | undefined {
  const raw =
    text(node.reservationStatus) ||
    list(node.reservationStatus)
      .filter(isObject)
      .map((one) => text(one['@id']) || typesOf(one).join(' '))
      .join(' ');
  const status = STATUSES.find(([pattern]) => pattern.test(raw))?.[1];
  return status === undefined ? undefined : { value: status, evidence: evidence(`${where}, reservationStatus`, raw) };
}

function readBooking(
  found: ReservationNode,
  reference: string,
  providerName: string,
  providerCode: string,
  trip: JsonObject,
  warnings: Warnings,
): FactWriter['facts'] {
  const { node, where } = found;
  const facts = new FactWriter(where);
  facts.set('reference', reference, 'reservationNumber');
  const own = nameOf(node.provider);
  facts.set('provider.name', own || providerName, own === '' ? 'reservationFor' : 'provider.name');
  facts.set('provider.code', own === '' || own === providerName ? providerCode : '', 'reservationFor');
  const agent = nameOf(node.bookingAgent) || nameOf(node.broker);
  facts.set('agent.name', agent, 'bookingAgent.name');
  const ticket = list(node.reservedTicket).find(isObject);
  const currency = firstText(node, 'priceCurrency') || (ticket === undefined ? '' : text(ticket.priceCurrency));
  const price =
    readMoney(node.totalPrice, currency) ??
    readMoney(node.price, currency) ??
    (ticket === undefined ? undefined : readMoney(ticket.totalPrice, currency));
  if (price !== undefined) {
    facts.set('price.amount', price.amount, 'totalPrice', text(node.totalPrice ?? node.price));
    facts.set('price.currency', price.currency, 'priceCurrency');
  }
  const booked = statedTime(node, ['bookingTime', 'bookingDate'], '', warnings, where);
  if (booked?.parsed.offset !== undefined) facts.set('bookedAt', instantOf(booked.parsed), booked.property, booked.raw);
  facts.set(
    'url.manage',
    httpsUrl(node.modifyReservationUrl) || actionUrl(node, /^(?:Edit|Update|Modify)/) || httpsUrl(node.url),
    'modifyReservationUrl',
  );
  facts.set(
    'url.checkin',
    httpsUrl(node.checkinUrl) || actionUrl(node, /^CheckIn/) || httpsUrl(trip.webCheckinUrl),
    'checkinUrl',
  );
  return facts.facts;
}

function actionUrl(node: JsonObject, type: RegExp): string {
  for (const action of [...list(node.potentialAction), ...list(node.action)]) {
    if (!isObject(action) || !typesOf(action).some((name) => type.test(name))) continue;
    const url = httpsUrl(action.target) || httpsUrl(action.url);
    if (url !== '') return url;
  }
  return '';
}
