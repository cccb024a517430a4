import type { Answer } from '../../../contracts/topics.ts';
import { legKeys, providerBookingKey } from '../../../domain/keys.ts';
import { factWriter, instantOf } from '../answer.ts';
import { bookingAnswer, dayAndTime, putPerson, type SaidLeg, zoneFor } from '../booking/answer.ts';
import type { Itinerary, Property, Room } from './schema.ts';

const STATUS: Readonly<Record<string, string>> = { booked: 'confirmed', pending: 'pending', canceled: 'cancelled' };

export interface About {
  readonly account: string;
  /** As it was registered, where that is more than the id. */
  readonly registeredAs?: string | undefined;
  /** What was looked up. */
  readonly reference?: string | undefined;
  /** What the reservation calls the house: Rapid itself only knows a number. */
  readonly knownName?: string | undefined;
  readonly property?: Property | undefined;
  /** ISO instant. */
  readonly fetchedAt: string;
}

/**
 * Rooms of an itinerary as stays. Rooms of the same first day are one stay: it stands while one of them does. Hours are
 * not told, nor is the name of the house, which is asked once by its number.
 */
export function toAnswer(itinerary: Itinerary, about: About): Answer {
  const rooms = itinerary.rooms ?? [];
  const facts = factWriter();
  facts.put('reference', itinerary.itinerary_id, 'itinerary_id');
  facts.put('status', statusOf(rooms), 'rooms.status', rooms.map((room) => room.status).join(', '));
  facts.put('provider.name', about.property?.name ?? undefined, 'properties/content.name');
  facts.put('bookedAt', instantOf(itinerary.creation_date_time), 'creation_date_time', itinerary.creation_date_time);
  const standing = rooms.filter((room) => room.status !== 'canceled');
  const days = new Set(standing.map((room) => room.checkin));
  const groups = new Map<string, { room: Room; index: number }[]>();
  for (const [index, room] of rooms.entries()) {
    // A room that was given up beside one that stands says nothing of the stay.
    if (!room.checkin || (room.status === 'canceled' && days.has(room.checkin))) continue;
    groups.set(room.checkin, [...(groups.get(room.checkin) ?? []), { room, index }]);
  }
  const answer = bookingAnswer({
    account: about.account,
    id: itinerary.itinerary_id,
    kind: 'stay',
    references: [itinerary.itinerary_id, about.reference, ...rooms.map((room) => room.confirmation_id?.property)],
    assertedAt: about.fetchedAt,
    facts,
    legs: [...groups.values()].map((group) => stayOf(group, itinerary, about)),
  });
  const { registeredAs } = about;
  if (registeredAs === undefined) return answer;
  const key = providerBookingKey(about.account, registeredAs);
  return { ...answer, bookingKeys: [...new Set([...answer.bookingKeys, key])] };
}

function stayOf(
  group: readonly { room: Room; index: number }[],
  { property_id: number }: Itinerary,
  about: About,
): SaidLeg {
  const { property, knownName } = about;
  const [{ room: first, index }] = group as [{ room: Room; index: number }];
  const last = group
    .map(({ room }) => room.checkout ?? '')
    .sort()
    .at(-1);
  const out = factWriter();
  const zone = zoneFor({ country: property?.address?.country_code });
  const start = dayAndTime(first.checkin, undefined, zone);
  out.put('status', statusOf(group.map(({ room }) => room)), `rooms[${index}].status`, first.status);
  out.put('name', property?.name ?? undefined, 'properties/content.name');
  out.put('start.name', property?.name ?? undefined, 'properties/content.name');
  out.put('phone', property?.phone ?? undefined, 'properties/content.phone');
  out.put('start.scheduled', start, `rooms[${index}].checkin`);
  out.put('end.scheduled', dayAndTime(last, undefined, zone), `rooms[${index}].checkout`);
  out.put('start.street', property?.address?.line_1 ?? undefined, 'properties/content.address.line_1');
  out.put('start.locality', property?.address?.city ?? undefined, 'properties/content.address.city');
  out.put('start.postal', property?.address?.postal_code ?? undefined, 'properties/content.address.postal_code');
  out.put('start.country', property?.address?.country_code ?? undefined, 'properties/content.address.country_code');
  for (const { room, index: at } of group)
    putPerson(out, { given: room.given_name, family: room.family_name }, `rooms[${at}]`);
  const names = [knownName, number ? `expedia ${number}` : undefined];
  const keys = names.flatMap((name) => (name === undefined ? [] : legKeys({ kind: 'stay', name, start })));
  return { kind: 'stay', out, keys };
}

/** Undefined: a word that nobody knows is among them, and none that says that it stands. */
function statusOf(rooms: readonly Room[]): string | undefined {
  const states = rooms.map((room) => (room.status ? STATUS[room.status] : undefined));
  for (const state of ['confirmed', 'pending']) if (states.includes(state)) return state;
  return states.length > 0 && states.every((state) => state === 'cancelled') ? 'cancelled' : undefined;
}
