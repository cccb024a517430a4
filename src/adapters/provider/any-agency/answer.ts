import type { Answer } from '../../../contracts/topics.ts';
import type { FactValue } from '../../../domain/facts.ts';
import { type FactWriter, factWriter, instantOf } from '../answer.ts';
import { bookingAnswer, putPerson, timeSaid, zoneFor } from '../booking/answer.ts';
import type { Description } from './description.ts';
import type { MappingJob, MappingResult } from './mapping.ts';

/** All expressions of a description over one answer, as one job; and what became of them, as an answer of ours. */

export function jobOf({ answer }: Description, input: unknown): MappingJob {
  const values: Record<string, string> = { 'is.reference': answer.reference };
  for (const [name, text] of Object.entries(answer.errors)) if (text !== undefined) values[`error.${name}`] = text;
  if (answer.sameWhile !== undefined) values['is.sameWhile'] = answer.sameWhile;
  if (answer.assertedAt !== undefined) values['is.assertedAt'] = answer.assertedAt;
  for (const [path, text] of Object.entries(answer.facts)) values[`fact.${path}`] = text;
  return {
    input,
    values,
    groups: answer.legs.map(({ each, facts, passengers }) => ({
      ...(each === undefined ? {} : { each }),
      values: facts,
      ...(passengers === undefined
        ? {}
        : {
            inner: {
              each: passengers.each,
              values: Object.fromEntries(
                (['name', 'seat', 'ticket'] as const).flatMap((name) => {
                  const text = passengers[name];
                  return text === undefined ? [] : [[name, text]];
                }),
              ),
            },
          }),
    })),
  };
}

/** What the answer says of itself, before any fact is taken from it. */
export function saidOfItself({ values }: MappingResult) {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const errors = ['notFound', 'limited', 'failed', 'unauthorised'] as const;
  return {
    reference: text('is.reference'),
    sameWhile: text('is.sameWhile'),
    assertedAt: instantOf(text('is.assertedAt')),
    error: errors.find((name) => values[`error.${name}`] === true),
  };
}

export function answerOf(
  { answer, follows }: Description,
  { values, groups }: MappingResult,
  booking: { readonly account: string; readonly id: string; readonly assertedAt: string },
): Answer {
  const facts = factWriter();
  const own = Object.fromEntries(Object.keys(answer.facts).map((path) => [path, values[`fact.${path}`]]));
  put(facts, own, answer.facts);
  const cancelled = facts.facts.status?.value === 'cancelled';
  const legs = answer.legs.flatMap((leg, index) =>
    (groups[index] ?? []).map((item) => {
      const out = factWriter();
      put(out, item.values, leg.facts);
      if (cancelled) out.put('status', 'cancelled', answer.facts.status ?? '');
      for (const one of item.inner) {
        const [name, seat, ticket] = [one.name, one.seat, one.ticket].map(textOf);
        putPerson(out, { family: name, seat, ticket }, leg.passengers?.name ?? '');
      }
      return { kind: leg.kind, out };
    }),
  );
  const references = [textOf(own.reference)];
  return bookingAnswer({ ...booking, kind: legs[0]?.kind ?? follows.kinds[0]!, references, facts, legs });
}

const STATES = ['confirmed', 'pending', 'hold', 'cancelled'];
const TIMES = /^(start|end)\.(scheduled|estimated|actual|boarding)$/;

/** Words that are none of ours are left out: what a system newly says is not taken for something else. */
function put(
  out: FactWriter,
  values: Readonly<Record<string, unknown>>,
  expressions: Readonly<Record<string, string>>,
): void {
  const zones = Object.fromEntries(
    (['start', 'end'] as const).map((side) => {
      const of = (name: string) => textOf(values[`${side}.${name}`]);
      return [side, zoneFor({ zone: of('zone'), airport: of('code'), country: of('country') })];
    }),
  );
  for (const [path, raw] of Object.entries(values)) {
    const where = expressions[path] ?? '';
    const side = TIMES.exec(path)?.[1];
    let value: FactValue | undefined = typeof raw === 'number' && path !== 'price.amount' ? raw : textOf(raw);
    if (side !== undefined) value = timeSaid(textOf(raw), zones[side]);
    else if (path === 'status' && !STATES.includes(String(value))) value = undefined;
    else if (path === 'bookedAt') value = instantOf(textOf(raw));
    else if (path.startsWith('url.') && !String(value).startsWith('https://')) value = undefined;
    else if (typeof value === 'number') value = String(value);
    out.put(path, value, where, raw);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
