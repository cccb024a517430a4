import { fold } from '../../../domain/facts.ts';
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

/** Errors: defect `subject-incomplete`. */
export function askedOf(subject: SubjectSpec): Asked {
  const { carrier, number, day, from, to } = subject.query;
  if (carrier === undefined || number === undefined || day === undefined) throw incomplete(subject.id);
  return { carrier, number, day, from, to };
}
