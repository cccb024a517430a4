import type { Evidence, Facts, FactValue } from '../facts.ts';
import { AUTHORITY, type Authority, type Observation } from '../observation.ts';
import type { Attribution, Field, Fields } from '../reservation.ts';
import { canonicalTime, type TimePrecision, timePrecision } from '../time/travel-time.ts';
import { byText } from './canonical.ts';

/**
 * One value as one source said it, with its rank. Ranks are totally ordered: authority, then the time the source
 * asserts, then the observation's id (a digest) and the value, so that two sources never tie.
 */
export interface Said {
  readonly value: FactValue;
  readonly evidence: Evidence | undefined;
  readonly observation: Observation;
  /** Position of the authority in LEVELS. */
  readonly level: number;
  /** Asserted instant, epoch ms. */
  readonly at: number;
}

/** Authorities from the least to the most believed. */
export const LEVELS = (Object.keys(AUTHORITY) as Authority[]).sort((a, b) => AUTHORITY[a] - AUTHORITY[b]);
const PERSON = LEVELS.indexOf('person');

export function outranks(a: Said, b: Said): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.at !== b.at) return a.at > b.at;
  const byId = byText(a.observation.id, b.observation.id);
  if (byId !== 0) return byId > 0;
  return byText(JSON.stringify(a.value), JSON.stringify(b.value)) > 0;
}

/**
 * What is kept of everything said about one field: the maximum of each authority and, for times, of each
 * precision; of how something runs, of sure words and unsure ones.
 * It is a product of maxima, so adding is commutative, associative and idempotent, and its size has a bound.
 */
type Slots = (Said | undefined)[];
export type Claims = Map<string, Slots>;

const TIME_PATH = /^(start|end)\.(scheduled|estimated|actual|boarding)$/;
const PRECISIONS: readonly (TimePrecision | undefined)[] = [undefined, 'day', 'local', 'zoned'];

/** A word that does not know. The last sure one is kept beside it. */
const UNSURE = 'cancelled-uncertain';

/**
 * Position of a value among the precisions of its field: 0 for all that is no time and no unsure word. Part of what makes
 * claims alike.
 */
export function precisionOf(path: string, value: FactValue): number {
  if (path === 'operation') return value === UNSURE ? 1 : 0;
  return TIME_PATH.test(path) ? PRECISIONS.indexOf(timePrecision(value)) : 0;
}

export function assertedMs(observation: Observation): number {
  try {
    return Temporal.Instant.from(observation.assertedAt).epochMilliseconds;
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
}

/** Adds what an observation says. `except` names paths that the caller places elsewhere. */
export function absorb(claims: Claims, observation: Observation, facts: Facts, except?: string): void {
  const level = LEVELS.indexOf(observation.authority);
  const at = assertedMs(observation);
  for (const path of Object.keys(facts)) {
    if (path === except) continue;
    const fact = facts[path]!;
    const said: Said = { value: fact.value, evidence: fact.evidence, observation, level, at };
    const slots = claims.get(path) ?? [];
    claims.set(path, slots);
    const slot = level + LEVELS.length * precisionOf(path, fact.value);
    const held = slots[slot];
    if (held === undefined || outranks(said, held)) slots[slot] = said;
  }
}

/** Everything kept about a field, at most one of each authority and precision. */
export function saidAbout(claims: Claims, path: string): Said[] {
  return (claims.get(path) ?? []).filter((said) => said !== undefined);
}

export function best(said: readonly Said[]): Said | undefined {
  let winner: Said | undefined;
  for (const one of said) if (winner === undefined || outranks(one, winner)) winner = one;
  return winner;
}

/**
 * The field as decided: the highest rank wins. Where a person's value wins, the best outside fact that is *newer* than
 * it and differs stands beside it: what a source said earlier, the person knew and overrode.
 */
export function decide(path: string, said: readonly Said[]): Field | undefined {
  const top = best(said);
  if (top === undefined) return undefined;
  const winner = top.level === PERSON ? top : sureOf(top, refined(path, top, said), said);
  const field = fieldOf(path, winner);
  if (top.level !== PERSON) return field;
  const newer = best(said.filter((one) => one.level !== PERSON && one.at > top.at));
  return newer === undefined ? field : withBeside(path, field, newer);
}

export function fieldOf(path: string, said: Said): Field {
  return { value: shown(path, said.value), by: attributionOf(said) };
}

export function withBeside(path: string, field: Field, said: Said): Field {
  const value = shown(path, said.value);
  return value === field.value || value === null ? field : { ...field, beside: { value, by: attributionOf(said) } };
}

/** All fields but `except`, in order of their paths. */
export function decideAll(claims: Claims, except?: string): Record<string, Field> {
  const fields: [string, Field][] = [];
  for (const path of [...claims.keys()].sort(byText)) {
    const field = path === except ? undefined : decide(path, saidAbout(claims, path));
    if (field !== undefined) fields.push([path, field]);
  }
  return Object.fromEntries(fields);
}

/**
 * A reminder that prints only the day must not wipe out the hour that the booking said: a more precise time that agrees
 * with the winner as far as the winner goes (same day, same wall clock) is taken in its place.
 */
function refined(path: string, winner: Said, said: readonly Said[]): Said {
  if (!TIME_PATH.test(path) || typeof winner.value !== 'string') return winner;
  let taken = winner;
  for (let finer = Math.max(precisionOf(path, winner.value), 1) + 1; finer < PRECISIONS.length; finer++) {
    const text = String(taken.value).replace(' ', 'T');
    const wall = precisionOf(path, taken.value) === 1 ? text : text.slice(0, 16);
    const agreeing = said.filter(
      (one) => precisionOf(path, one.value) === finer && String(one.value).replace(' ', 'T').startsWith(wall),
    );
    taken = best(agreeing) ?? taken;
  }
  return taken;
}

/** Who only sees that nothing moves does not take back that it is cancelled: that takes a word that it is on. */
function sureOf(top: Said, winner: Said, said: readonly Said[]): Said {
  if (top.value !== UNSURE) return winner;
  const sure = best(said.filter((one) => one.value !== UNSURE));
  return sure?.value === 'cancelled' && sure.level === top.level ? sure : winner;
}

function shown(path: string, value: FactValue): FactValue {
  return typeof value === 'string' && TIME_PATH.test(path) ? canonicalTime(value) : value;
}

function attributionOf({ observation, evidence }: Said): Attribution {
  const { id, source, authority, assertedAt, observedAt } = observation;
  return {
    observation: id,
    source,
    authority,
    assertedAt,
    observedAt,
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** Value of a field; a withdrawn one (null) counts as absent. */
export function known(fields: Fields, path: string): FactValue | undefined {
  return Object.hasOwn(fields, path) ? (fields[path]!.value ?? undefined) : undefined;
}
