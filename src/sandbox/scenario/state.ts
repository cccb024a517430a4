import type { Booking, Flight, FlightState, PlaceBooking, Scenario } from './types.ts';

/** How a flight stands at an instant. */
export function flightAt(flight: Flight, at: number): FlightState {
  let state = flight.initial;
  for (const step of flight.steps) {
    if (step.at > at) break;
    state = { ...state, ...step.set };
  }
  return state;
}

/** When the flight last changed at or before an instant; `since` where nothing has happened yet. */
export function flightChangedAt(flight: Flight, at: number, since: number): number {
  let last = since;
  for (const step of flight.steps) if (step.at <= at) last = Math.max(last, step.at);
  return last;
}

export function cancelledBy(booking: Booking, at: number): boolean {
  return booking.cancelledAt !== undefined && booking.cancelledAt <= at;
}

export function endDayAt(booking: PlaceBooking, at: number): string {
  return booking.moved !== undefined && booking.moved.at <= at ? booking.moved.endDay : booking.endDay;
}

/** Look-ups that everyone needs, made once a scenario. */
export interface Index {
  readonly flight: (id: string) => Flight;
  readonly booking: (id: string) => Booking;
  readonly flightsByNumber: ReadonlyMap<string, readonly Flight[]>;
}

const indexes = new WeakMap<Scenario, Index>();

export function indexOf(scenario: Scenario): Index {
  const known = indexes.get(scenario);
  if (known !== undefined) return known;
  const flights = new Map(scenario.flights.map((flight) => [flight.id, flight]));
  const bookings = new Map(scenario.bookings.map((booking) => [booking.id, booking]));
  const byNumber = new Map<string, Flight[]>();
  for (const flight of scenario.flights) {
    for (const name of [flight, flight.codeshare]) {
      if (name === undefined) continue;
      const key = `${name.carrier}${name.number}`;
      byNumber.set(key, [...(byNumber.get(key) ?? []), flight]);
    }
  }
  const found = <T>(map: ReadonlyMap<string, T>, id: string): T => {
    const value = map.get(id);
    if (value === undefined) throw new Error(`The scenario has no ${id}.`);
    return value;
  };
  const index: Index = {
    flight: (id) => found(flights, id),
    booking: (id) => found(bookings, id),
    flightsByNumber: byNumber,
  };
  indexes.set(scenario, index);
  return index;
}
