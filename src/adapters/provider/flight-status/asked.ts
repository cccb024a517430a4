import { fold } from '../../../domain/facts.ts';
import { flightKey } from '../../../domain/keys.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { incomplete } from '../http/failed.ts';

/** A flight as it is asked about. */
export interface Asked {
  readonly carrier: string;
  readonly number: string;
  /** Scheduled local day of departure. */
  readonly day: string;
  /** IATA codes, where the reservation knows them. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** `LH 400`, `lh0400` and `LH400` are one number. */
export function sameNumber(printed: string, carrier: string, number: string): boolean {
  const digits = number.replace(/^0+/, '').toLowerCase();
  const own = fold(carrier);
  const text = fold(printed);
  return text.startsWith(own) && text.slice(own.length).replace(/^0+/, '') === digits;
}

/** A flight's name as it is printed: carrier and number apart. */
export interface Designator {
  readonly carrier: string;
  readonly number: string;
}

/** `LH 400`, `LH0400` -> LH and 400. Undefined: it is no flight number. */
export function designatorIn(printed: string | null | undefined): Designator | undefined {
  const match = /^((?=.?[A-Z])[A-Z0-9]{2})\s*0*([1-9]\d{0,3}[A-Z]?)$/.exec((printed ?? '').trim().toUpperCase());
  return match === null ? undefined : { carrier: match[1]!, number: match[2]! };
}

/** Leg keys of a flight under each of its names, with and without what the asker knew of its origin. */
export function flightKeys(
  names: readonly (Designator | undefined)[],
  day: string,
  origins: readonly (string | undefined)[],
): string[] {
  const known = names.filter((name) => name !== undefined);
  return [...new Set(known.flatMap((name) => origins.map((from) => flightKey(name.carrier, name.number, day, from))))];
}

/** Errors: defect `subject-incomplete`. */
export function askedOf(subject: SubjectSpec): Asked {
  const { carrier, number, day, from, to } = subject.query;
  if (carrier === undefined || number === undefined || day === undefined) throw incomplete(subject.id);
  return { carrier, number, day, from, to };
}
