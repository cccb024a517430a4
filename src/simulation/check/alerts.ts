import type { AnyEvent, Event } from '../../contracts/event.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Tables } from '../tables.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** I23: no fact is told twice: told again, it has another value, or has become certain. In the order of the log. */
export const checkToldOnce: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const last = new Map<string, { readonly value: unknown; readonly certain: boolean }>();
  for (const { event } of alerting(tables))
    for (const { sentence, certain, facts, reservation } of event.data.alerts ?? []) {
      for (const { fact, value } of facts) {
        // Legs keep their ids when their reservation is joined into another one.
        const key = fact.startsWith('leg_') ? `${event.travellerid} ${fact}` : `${reservation} ${fact}`;
        const before = last.get(key);
        last.set(key, { value, certain });
        // One of several facts that an alert tells may stay as it is: not the only one.
        if (before?.value === value && facts.length === 1 && (before.certain || !certain))
          found.push(violation('I23', `${event.id} tells ${key} again: ${sentence}`));
      }
    }
  return found;
};

/**
 * I23: "cancelled" and "leaves earlier" are certain only by the provider's own word about that very field, or where two
 * accounts have said so of a leg of the traveller.
 */
export const checkCertain: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const events = new Map(tables.log.map(({ event }) => [event.id as string, event]));
  for (const { event } of alerting(tables)) {
    const cause = events.get(event.causationid ?? '');
    if (cause?.topic !== 'reservation.changed') continue;
    const state = cause.data.reservation as Reservation;
    for (const { certain, sentence, facts } of event.data.alerts ?? [])
      for (const { fact, value } of facts) {
        const claim = certain ? claimOf(fact, value) : undefined;
        if (claim !== undefined && !hasGrounds(state, fact.split('/')[0]!, claim, tables))
          found.push(violation('I23', `${event.id} says for certain what nobody who must know has said: ${sentence}`));
      }
  }
  return found;
};

/** What must have been said for a fact to be told as certain; undefined: it is not grave. */
interface Claim {
  readonly paths: readonly string[];
  readonly value?: 'cancelled';
}

function claimOf(fact: string, value: unknown): Claim | undefined {
  if (fact.endsWith('/cancelled') && value === true) return { paths: ['status', 'operation'], value: 'cancelled' };
  return fact.endsWith('/departure') && Number(value) < 0 ? { paths: ['start.estimated'] } : undefined;
}

function hasGrounds(state: Reservation, about: string, claim: Claim, { observations }: Tables): boolean {
  const fields = state.legs.find(({ id }) => id === about)?.fields ?? state.fields;
  const own = claim.paths.some((path) => {
    const field = fields[path];
    const says = field !== undefined && (claim.value === undefined || field.value === claim.value);
    return says && ['booking', 'mail-proven', 'person'].includes(field.by.authority);
  });
  if (own) return true;
  const accounts = observations
    .filter(({ traveller, legs }) => {
      if (traveller !== state.traveller) return false;
      return legs.some(({ facts }) =>
        claim.paths.some((path) => facts[path] !== undefined && (facts[path].value === claim.value || !claim.value)),
      );
    })
    .flatMap(({ source }) => source.account ?? []);
  return new Set(accounts).size >= 2;
}

function alerting({ log }: Tables): readonly { readonly event: Event<'itinerary.updated'> }[] {
  return log.filter((row): row is { readonly seq: number; readonly event: Event<'itinerary.updated'> & AnyEvent } => {
    return row.event.topic === 'itinerary.updated';
  });
}
