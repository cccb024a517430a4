import type { Answer } from '../../../contracts/topics.ts';
import { fold, type Kind, personKey } from '../../../domain/facts.ts';
import { airportByCode, zoneOfCountry } from '../../../domain/geo/airports.ts';
import { legKeys, providerBookingKey, referenceKey } from '../../../domain/keys.ts';
import type { ReadResult } from '../../../ports/provider.ts';
import { answerDigest, type FactWriter } from '../answer.ts';
import { validZone } from '../flight-status/zone.ts';

/** From what a booking system says to an answer: keys, times, people. */

export interface SaidBooking {
  readonly account: string;
  /** At the vendor. */
  readonly id: string;
  /** Of the booking, for the key of a printed reference. */
  readonly kind: Kind;
  /** References that others may know it by. */
  readonly references: readonly (string | null | undefined)[];
  /** ISO instant. */
  readonly assertedAt: string;
  readonly facts: FactWriter;
  readonly legs: readonly SaidLeg[];
}
export interface SaidLeg {
  readonly kind: Kind;
  readonly out: FactWriter;
}

/** Legs of which too little is known to identify them are left out. */
export function bookingAnswer(said: SaidBooking): Answer {
  const company = textIn(said.facts, 'provider.name');
  const references = said.references.flatMap((one) => (one ? (referenceKey(said.kind, one, company) ?? []) : []));
  return {
    authority: 'booking',
    assertedAt: said.assertedAt,
    bookingKeys: [...new Set([providerBookingKey(said.account, said.id), ...references])],
    facts: said.facts.facts,
    legs: said.legs.flatMap(({ kind, out }) => {
      const keys = legKeys({
        kind,
        carrier: textIn(out, 'carrier.code'),
        number: textIn(out, 'number'),
        from: textIn(out, 'start.code') ?? textIn(out, 'start.name'),
        to: textIn(out, 'end.code') ?? textIn(out, 'end.name'),
        name: textIn(out, 'name'),
        start: textIn(out, 'start.scheduled'),
      });
      return keys.length === 0 ? [] : [{ kind, keys: [...keys], facts: out.facts }];
    }),
  };
}

function textIn(out: FactWriter, path: string): string | undefined {
  const value = out.facts[path]?.value;
  return typeof value === 'string' ? value : undefined;
}

/** `now`: epoch ms. A cancelled booking whose time is over stays as it is. */
export function foundBooking(answer: Answer, now: number, token?: string): Extract<ReadResult, { kind: 'found' }> {
  const ends = answer.legs.flatMap((leg) => {
    const day = String(leg.facts['end.scheduled']?.value ?? leg.facts['start.scheduled']?.value ?? '').slice(0, 10);
    return /^\d{4}-\d\d-\d\d$/.test(day) ? [Date.parse(`${day}T00:00:00Z`) + 48 * 3_600_000] : [];
  });
  const final = answer.facts.status?.value === 'cancelled' && ends.length > 0 && ends.every((at) => at < now);
  const found = { kind: 'found', digest: answerDigest(answer), answer, final } as const;
  return token === undefined ? found : { ...found, token };
}

/** Whatever vendors write as a time: an instant, one with an offset, a local one, a day; in the zone where one is known. */
export function timeSaid(text: string | null | undefined, zone?: string | undefined): string | undefined {
  const clean = text?.trim().replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T');
  if (!clean) return undefined;
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(clean)) return Temporal.PlainDate.from(clean).toString();
    if (/\[.+\]$/.test(clean)) return Temporal.ZonedDateTime.from(clean).toString({ smallestUnit: 'second' });
    const offset = /([+-]\d\d:?\d\d|Z)$/i.exec(clean)?.[1];
    if (offset === undefined) {
      const plain = Temporal.PlainDateTime.from(clean);
      const at = zone === undefined ? plain : plain.toZonedDateTime(zone);
      return at.toString({ smallestUnit: 'second' });
    }
    const instant = Temporal.Instant.from(clean);
    if (zone !== undefined) return instant.toZonedDateTimeISO(zone).toString({ smallestUnit: 'second' });
    return instant.toZonedDateTimeISO(offset.toUpperCase() === 'Z' ? 'UTC' : offset).toString({
      smallestUnit: 'second',
      timeZoneName: 'never',
    });
  } catch {
    return undefined;
  }
}

/** A day and, where it is known, the local time there: `2026-12-01`, `15:00` or `15:00:00`. */
export function dayAndTime(
  day: string | null | undefined,
  time: string | null | undefined,
  zone?: string | undefined,
): string | undefined {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  return (time ? timeSaid(`${day}T${time}`, zone) : undefined) ?? timeSaid(day);
}

/** Zone of a place by what is said of it, the surest first. */
export function zoneFor(place: {
  readonly zone?: string | null | undefined;
  readonly airport?: string | null | undefined;
  readonly country?: string | null | undefined;
}): string | undefined {
  const airport = place.airport ? airportByCode(place.airport.toUpperCase())?.zone : undefined;
  return airport ?? validZone(place.zone ?? undefined) ?? (place.country ? zoneOfCountry(place.country) : undefined);
}

export interface SaidPerson {
  readonly given?: string | null | undefined;
  readonly family?: string | null | undefined;
  readonly seat?: string | null | undefined;
  readonly ticket?: string | null | undefined;
}

/** Nothing is put of a person without a name. */
export function putPerson(out: FactWriter, person: SaidPerson, where: string): void {
  const name = [person.given, person.family].filter(Boolean).join(' ').trim();
  if (name === '') return;
  const path = `passenger.${personKey(name)}`;
  out.put(`${path}.name`, name, where);
  out.put(`${path}.seat`, person.seat ?? undefined, where);
  out.put(`${path}.ticket`, person.ticket ?? undefined, where);
}

/** Same reference whatever case and punctuation. */
export function sameId(a: string | null | undefined, b: string): boolean {
  return a !== null && a !== undefined && a !== '' && fold(a) === fold(b);
}
