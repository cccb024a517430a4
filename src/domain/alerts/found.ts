import type { FactValue } from '../facts.ts';
import type { LegId } from '../ids.ts';
import type { Attribution, Leg, Reservation } from '../reservation.ts';
import type { AlertKind, Severity, Told, ToldFact } from './alert.ts';
import type { Word } from './grounds.ts';
import type { Language } from './phrase.ts';
import type { AlertRules } from './rules.ts';
import type { WordKey } from './words/en.ts';

/** One reservation with all that decides what is told of it. */
export interface Looking {
  readonly reservation: Reservation;
  readonly told: Told;
  readonly rules: AlertRules;
  readonly words: readonly Word[];
  readonly language: Language;
  /** Epoch ms. */
  readonly now: number;
}

/** Something to tell, if its kind is wanted and it is not held. */
export interface News {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly certain: boolean;
  readonly key: WordKey;
  readonly params: Readonly<Record<string, string>>;
  readonly facts: readonly { readonly fact: string; readonly value: FactValue }[];
  readonly leg?: LegId;
  /** Whose word it is; news of one's own is not held during an outage. */
  readonly by: Attribution | undefined;
  /** A sentence more, of another key. */
  readonly more?: { readonly key: WordKey; readonly params: Readonly<Record<string, string>> };
}

/** What looking at a part of a reservation gave. */
export interface Found {
  readonly news: readonly News[];
  /** Taken for told without a word: what the traveller knows already, or has set. */
  readonly known: readonly { readonly fact: string; readonly value: FactValue; readonly certain?: boolean }[];
  /** Epoch ms at which to look again by the clock alone. */
  readonly dueAt?: number;
}

export const NOTHING: Found = { news: [], known: [] };

export function together(...found: readonly Found[]): Found {
  const due = found.flatMap(({ dueAt }) => dueAt ?? []);
  return {
    news: found.flatMap(({ news }) => news),
    known: found.flatMap(({ known }) => known),
    ...(due.length === 0 ? {} : { dueAt: Math.min(...due) }),
  };
}

/** The name of a fact of a leg, or of the booking as a whole. */
export function factOf(leg: Pick<Leg, 'id'> | undefined, what: string): string {
  return `${leg?.id ?? 'booking'}/${what}`;
}

export function toldOf(told: Told, fact: string): ToldFact | undefined {
  return Object.hasOwn(told.facts, fact) ? told.facts[fact] : undefined;
}

export function byPerson(by: Attribution | undefined): boolean {
  return by?.authority === 'person';
}
