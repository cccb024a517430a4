import { localDay, providerBookingKey } from '../../../domain/keys.ts';
import { textOf } from '../../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../../domain/reservation.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { flightBases, LOOK_UP_MS, timesOf } from '../booking/subjects.ts';

type Thing = 'order' | 'stay' | 'car';

/**
 * What to ask for a reservation: each booking that is known by its id at this account; where none is, a look-up by the
 * printed reference. A look-up needs something to compare (a flight and its day, a check-in day), because references are
 * used again and a stranger's booking must never be taken for this one.
 */
export function subjectsOf(reservation: Reservation, account: string): readonly SubjectSpec[] {
  const prefix = providerBookingKey(account, '');
  const ids = reservation.bookingKeys.flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  if (ids.length > 0) return ids.flatMap((id) => byId(id, reservation) ?? []);
  return lookUps(reservation);
}

function byId(id: string, reservation: Reservation): SubjectSpec | undefined {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) return undefined;
  const thing = thingOf(id, reservation);
  return {
    id: `${thing}:${id}`,
    label: `Duffel ${thing === 'order' ? 'order' : thing === 'stay' ? 'stay' : 'car booking'}`,
    query: { thing, id },
    ...timesOf(reservation.legs, 0),
  };
}

/** By the id's prefix; `bok_` is a stay's, but has been seen on cars too, so the legs have a word, and whoever added it. */
function thingOf(id: string, { legs, fields }: Reservation): Thing {
  if (id.startsWith('ord_')) return 'order';
  if (/^(boo|car)_/.test(id)) return 'car';
  const has = (kind: Leg['kind']) =>
    legs.length === 0 ? textOf(fields, 'kind') === kind : legs.some((leg) => leg.kind === kind);
  if (has('rental') && !has('stay')) return 'car';
  return has('flight') && !id.startsWith('bok_') ? 'order' : 'stay';
}

function lookUps(reservation: Reservation): SubjectSpec[] {
  const specs: SubjectSpec[] = [];
  for (const key of reservation.bookingKeys) {
    const [, family, reference = ''] = /^ref:(air|stay):([^:]+)$/.exec(key) ?? [];
    const legs = reservation.legs.filter((leg) => leg.kind === (family === 'air' ? 'flight' : 'stay'));
    const days = legs.flatMap((leg) => localDay(textOf(leg.fields, 'start.scheduled')) ?? []).sort();
    if (family === undefined || days[0] === undefined) continue;
    const times = timesOf(legs, LOOK_UP_MS);
    if (family === 'air') {
      const flights = [...new Set(legs.flatMap(flightBases))].sort();
      if (!/^[a-z0-9]{5,8}$/.test(reference) || flights.length === 0) continue;
      specs.push({
        id: `reference:${reference}:${days[0]}`,
        label: 'Duffel look-up by reference',
        query: { thing: 'order-reference', reference: reference.toUpperCase(), flights: flights.join(' ') },
        ...times,
        everyMs: LOOK_UP_MS,
      });
    } else {
      specs.push({
        id: `stay-reference:${reference}:${days[0]}`,
        label: 'Duffel look-up by reference',
        query: { thing: 'stay-reference', reference, day: days[0] },
        ...times,
        everyMs: LOOK_UP_MS,
      });
    }
  }
  return specs;
}
