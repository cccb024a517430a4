import { fold } from '../../../domain/facts.ts';
import { legKeys, localDay } from '../../../domain/keys.ts';
import { pointOf, textOf } from '../../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../../domain/reservation.ts';
import { orderingMsOf } from '../../../domain/time/travel-time.ts';
import { timeWriter } from '../../../domain/time/writer.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { givenUp } from '../flight-status/subjects.ts';
import { trainNumber } from './names.ts';

const HOUR = 3_600_000;
/** From so long before departure tracks and works on the line are known. */
const FROM_BEFORE_MS = 72 * HOUR;
const UNTIL_AFTER_MS = 2 * HOUR;
/** The longest train ride, where no arrival is known. */
const RIDE_MS_MAX = 20 * HOUR;
/** A local time of an unknown zone lies within so much of the same time in UTC. */
const ZONE_MS_MAX = 14 * HOUR;

/** The trains of a reservation that can be asked about: number, minute of departure and station are known. */
export function trainSubjects(reservation: Reservation): readonly SubjectSpec[] {
  const specs = new Map<string, SubjectSpec>();
  for (const leg of reservation.legs) {
    const spec = leg.kind === 'train' && !givenUp(reservation, leg) ? subjectOf(leg) : undefined;
    if (spec !== undefined) specs.set(spec.id, spec);
  }
  return [...specs.values()];
}

function subjectOf(leg: Leg): SubjectSpec | undefined {
  const of = (path: string) => textOf(leg.fields, path)?.trim();
  const number = numberOf(of('number'), of('name'));
  const at = of('start.scheduled');
  const day = localDay(at);
  const from = of('start.name');
  if (number === undefined || !at || at.length < 16 || day === undefined || !from) return undefined;
  const asked = trainNumber(number);
  if (asked === undefined) return undefined;
  // Mails make a key of each form in which a train is printed; so do we, or the answer would not find its leg.
  const forms = [of('number'), number, asked.digits].filter((form) => form !== undefined);
  const places = [from, of('start.code')].filter((place) => place !== undefined);
  const keys = forms.flatMap((form) =>
    places.flatMap((place) => legKeys({ kind: 'train', number: form, from: place, start: at })),
  );
  const start = pointOf(leg, 'start');
  const end = pointOf(leg, 'end');
  const unsure = start.at === undefined ? ZONE_MS_MAX : 0;
  const startAt = start.at ?? orderingMsOf(at);
  const to = of('end.name');
  return {
    // Who leaves the train earlier has another arrival, and other worries.
    id: `leg:train:${asked.kind}${asked.digits}:${day}:${fold(from)}${to === undefined ? '' : `:${fold(to)}`}`,
    label: `${number} of ${timeWriter('en-GB').day(Temporal.PlainDate.from(day))}`,
    query: { keys: [...new Set(keys)].join(' '), number, day, at, from, ...(to === undefined ? {} : { to }) },
    fromAt: startAt - FROM_BEFORE_MS - unsure,
    startAt,
    endAt: Math.max(end.at ?? startAt + RIDE_MS_MAX, startAt) + unsure + UNTIL_AFTER_MS,
  };
}

/** `ICE 512` of the number `512` of a train called `ICE`; of what has its number in its name, the name. */
function numberOf(number: string | undefined, name: string | undefined): string | undefined {
  if (number === undefined || number === '') return name;
  return name === undefined || /\p{L}/u.test(number) || /\d/.test(name) ? number : `${name} ${number}`;
}
