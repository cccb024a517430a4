import { segmentStatus } from '../booking/segment-status.ts';
import type { TravelportFlight, TravelportOffer, TravelportReceipt, TravelportSegment } from './schema.ts';

/** Which of an answer's receipts speak of what, and what they say. */

/** The host that a core stands for: Galileo, Apollo, Worldspan. */
export const CORES = ['1G', '1V', '1P'] as const;
export type Core = (typeof CORES)[number];

/** Words of stays and cars; flights have codes. */
const WORDS: Readonly<Record<string, string>> = {
  confirmed: 'confirmed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  pending: 'pending',
  waitlisted: 'pending',
};

export interface Locator {
  readonly value: string;
  readonly source: string;
  /** Of the reservation itself, not of a supplier in it. */
  readonly isOwn: boolean;
  readonly receipt: TravelportReceipt;
}

export function locatorsOf(receipts: readonly TravelportReceipt[]): readonly Locator[] {
  return receipts.flatMap((receipt) => {
    const { value, source, sourceContext } = (receipt.Confirmation ?? receipt.Cancellation)?.Locator ?? {};
    if (!value) return [];
    const isCore = (CORES as readonly string[]).includes(source?.toUpperCase() ?? '');
    const isOwn = isCore || (!source && /^travelport$/i.test(sourceContext ?? ''));
    return [{ value: value.toUpperCase(), source: source?.toUpperCase() ?? '', isOwn, receipt }];
  });
}

export function isCancellation(receipt: TravelportReceipt): boolean {
  return receipt['@type'] === 'ReceiptCancellation';
}

/** Receipts that name the offer. */
function naming(receipts: readonly TravelportReceipt[], offer: TravelportOffer): readonly TravelportReceipt[] {
  const id = offer.id?.toLowerCase();
  return id ? receipts.filter((one) => one.OfferRef?.some((ref) => ref.toLowerCase() === id)) : [];
}

/** A cancellation of this offer by name, or of the locator that its supplier gave. */
export function cancels(receipts: readonly TravelportReceipt[], offer: TravelportOffer): boolean {
  const own = naming(receipts, offer);
  if (own.some(isCancellation)) return true;
  const given = new Set(locatorsOf(own).flatMap(({ value, isOwn }) => (isOwn ? [] : [value])));
  return locatorsOf(receipts.filter(isCancellation)).some(({ value, isOwn }) => !isOwn && given.has(value));
}

/** The supplier's own number of a stay or a car. */
export function supplierLocators(receipts: readonly TravelportReceipt[], offer: TravelportOffer): readonly string[] {
  return locatorsOf(naming(receipts, offer)).flatMap(({ value, isOwn }) => (isOwn ? [] : [value]));
}

/** `type`: `OfferStatusHospitality`, `OfferStatusVehicle`. Undefined: nothing that we may repeat. */
export function statusByWord(
  receipts: readonly TravelportReceipt[],
  offer: TravelportOffer,
  type: string,
): { readonly status: string | undefined; readonly raw: string } | undefined {
  const said = naming(receipts, offer).flatMap((one) => {
    const { '@type': is, Status } = (one.Confirmation ?? one.Cancellation)?.OfferStatus ?? {};
    return Status && (is ?? type) === type ? [Status] : [];
  });
  const statuses = new Set(said.map((word) => wordOf(word)));
  if (said.length === 0 || statuses.size > 1) return undefined;
  return { status: [...statuses][0], raw: said[0]! };
}

/** Segment status codes stand beside references to flights; without references they hold for all. */
export function statusByCode(
  receipts: readonly TravelportReceipt[],
  flight: TravelportFlight,
  segment: TravelportSegment,
): { readonly status: string | undefined; readonly raw: string } | undefined {
  const all = receipts.flatMap((one) => one.Confirmation?.OfferStatus?.StatusAir ?? []);
  const mine = all.filter((one) => one.flightRefs?.some((ref) => refers(ref, flight, segment)));
  const said = mine.length > 0 ? mine : all.filter((one) => !one.flightRefs?.length);
  const statuses = new Set(said.map(({ code, value }) => segmentStatus(code) ?? wordOf(value)));
  if (said.length === 0 || statuses.size > 1) return undefined;
  return { status: [...statuses][0], raw: said[0]!.code ?? said[0]!.value ?? '' };
}

function wordOf(word: string | null | undefined): string | undefined {
  const known = word?.trim().toLowerCase() ?? '';
  return Object.hasOwn(WORDS, known) ? WORDS[known] : undefined;
}

/** By id; where segments have none, by the number at the end of the reference, which is the segment's place. */
function refers(ref: string, flight: TravelportFlight, segment: TravelportSegment): boolean {
  const ids = [flight.id, flight.FlightRef, segment.FlightRef, segment.id].filter(Boolean);
  if (ids.includes(ref)) return true;
  const place = /(\d+)$/.exec(ref)?.[1];
  return ids.length === 0 && place !== undefined && Number(place) === Number(segment.sequence ?? Number.NaN);
}
