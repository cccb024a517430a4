import { fold } from '../../../domain/facts.ts';
import { localDay } from '../../../domain/keys.ts';
import { textOf } from '../../../domain/leg-points.ts';
import type { Reservation } from '../../../domain/reservation.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { bookingSubjectId, bookingSubjects, LOOK_UP_MS } from '../booking/subjects.ts';
import type { Description, Placeholder } from './description.ts';
import { placeholdersOf } from './request.ts';

/**
 * What to ask: bookings registered by their id; confirmation numbers in mails where the mail names the company, followed
 * like registered ones; where the description names no company, every fitting number once a day. With companies named, a
 * booking with another company is never told to this one.
 */
export function subjectsOf(
  description: Description,
  account: string,
  reservation: Reservation,
): readonly SubjectSpec[] {
  const { kinds, companies, reference } = description.follows;
  const pattern = new RegExp(reference, 'u');
  const label = `${description.name} booking`;
  const specs = bookingSubjects(reservation, {
    account,
    label,
    id: /^[^\s/\\]{1,100}$/,
    lookUp: { kinds, reference: pattern },
    more: (one) => moreOf(description, one),
  });
  const isOurs = companies.length > 0 && named(reservation, companies);
  return specs.flatMap((spec) => {
    if (spec.query.id !== undefined) return [spec];
    if (companies.length === 0) return [spec];
    if (!isOurs) return [];
    const { everyMs: _, ...rest } = spec;
    return [{ ...rest, id: bookingSubjectId(spec.query.reference!), label, endAt: spec.endAt + 2 * LOOK_UP_MS }];
  });
}

function named({ fields, legs }: Reservation, companies: readonly string[]): boolean {
  const texts = [textOf(fields, 'provider.name'), ...legs.map((leg) => textOf(leg.fields, 'name'))];
  const wanted = companies.map(fold);
  return texts.some((text) => text !== undefined && wanted.some((one) => fold(text).includes(one)));
}

/** Undefined: something that the question needs is not known. */
function moreOf(description: Description, { legs }: Reservation): Readonly<Record<string, string>> | undefined {
  const name = legs
    .flatMap(({ fields }) => Object.entries(fields).filter(([path]) => /^passenger\..+\.name$/.test(path)))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([, field]) => String(field.value))[0];
  const known: Record<Exclude<Placeholder, 'reference'>, string | undefined> = {
    ...partsOf(name),
    startDay: legs.flatMap((leg) => localDay(textOf(leg.fields, 'start.scheduled')) ?? []).sort()[0],
  };
  const more: Record<string, string> = {};
  for (const placeholder of placeholdersOf(description)) {
    if (placeholder === 'reference') continue;
    const value = known[placeholder as Exclude<Placeholder, 'reference'>];
    if (value === undefined) return undefined;
    more[placeholder] = value;
  }
  return more;
}

/** `LIND/ROSA MS`, `Rosa Lind`. */
function partsOf(name: string | undefined) {
  if (name === undefined) return { firstName: undefined, lastName: undefined };
  const [family, given = ''] = name.split('/');
  if (name.includes('/')) return { firstName: given.split(' ')[0], lastName: family };
  const words = name.trim().split(/\s+/);
  return { firstName: words[0], lastName: words.at(-1) };
}
