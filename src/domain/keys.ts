import { type FactValue, fold, type Kind } from './facts.ts';

/**
 * Keys say when two sources speak of the same thing. Booking keys join observations into a reservation; leg keys join
 * claims into a leg. A key is `<type>:<parts>`; equal keys mean the same thing within one traveller.
 */

const FAMILY: Readonly<Record<Kind, string>> = {
  flight: 'air',
  train: 'rail',
  bus: 'road',
  boat: 'sea',
  stay: 'stay',
  rental: 'rental',
  event: 'event',
  restaurant: 'table',
  taxi: 'taxi',
};

/** A reference this short (many hotels print `1234`) says little by itself: the provider's name joins the key. */
const SHORT_REFERENCE_LENGTH = 5;

/**
 * Booking key of a printed reference. The issuer is left out for long references, because mail, agency and GDS name it
 * differently for one and the same locator.
 */
export function referenceKey(kind: Kind, reference: string, provider = ''): string | undefined {
  const folded = fold(reference);
  if (folded === '') return undefined;
  return folded.length < SHORT_REFERENCE_LENGTH
    ? `ref:${FAMILY[kind]}:${folded}:${fold(provider)}`
    : `ref:${FAMILY[kind]}:${folded}`;
}

/** Booking key of a provider's own id, e.g. `id:duffel:ord_0001`. */
export function providerBookingKey(account: string, id: string): string {
  return `id:${account}:${id}`;
}

/** Day part (local, scheduled) of a time fact in any of its three forms. */
export function localDay(time: FactValue | undefined): string | undefined {
  return typeof time === 'string' && /^\d{4}-\d{2}-\d{2}/.test(time) ? time.slice(0, 10) : undefined;
}

export interface LegIdentity {
  readonly kind: Kind;
  readonly carrier?: string | undefined;
  readonly number?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly name?: string | undefined;
  readonly start?: string | undefined;
}

/**
 * Leg keys. A flight is carrier + number + scheduled local day of departure + origin (the departure may slip past
 * midnight; the number may fly twice a day from two airports). Trains and buses without a number are identified by
 * where and when they leave. Stays, rentals and events are identified by place and first day.
 *
 * Returns no key when too little is known; such a claim can only live inside a booking that has a single leg of its kind.
 */
export function legKeys(leg: LegIdentity): readonly string[] {
  const day = localDay(leg.start);
  if (day === undefined) return [];
  switch (leg.kind) {
    case 'flight': {
      const carrier = fold(leg.carrier ?? '');
      const number = (leg.number ?? '').replace(/\D/g, '').replace(/^0+/, '');
      if (carrier === '' || number === '') {
        const from = fold(leg.from ?? '');
        const to = fold(leg.to ?? '');
        return from && to ? [`leg:flight:${from}-${to}:${leg.start?.slice(0, 16)}`] : [];
      }
      return [flightKey(carrier, number, day, leg.from)];
    }
    case 'train':
    case 'bus':
    case 'boat': {
      const from = fold(leg.from ?? '');
      const number = fold(leg.number ?? '');
      if (number !== '') return [`leg:${leg.kind}:${number}:${day}:${from}`];
      return from === '' ? [] : [`leg:${leg.kind}:${from}-${fold(leg.to ?? '')}:${leg.start?.slice(0, 16)}`];
    }
    default: {
      const place = fold(leg.name ?? leg.from ?? '');
      return place === '' ? [] : [`leg:${leg.kind}:${place}:${day}`];
    }
  }
}

/** `leg:flight:lh400:2026-12-01:fra`; the origin is empty where a source does not say it. */
export function flightKey(carrier: string, number: string | number, day: string, origin?: string): string {
  return `leg:flight:${fold(carrier)}${String(number).replace(/^0+/, '')}:${day}:${fold(origin ?? '')}`;
}
