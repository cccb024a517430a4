/**
 * The ground truth of one airport day. All instants are epoch milliseconds of sandbox time. Everything the fakes answer,
 * the mails say and the verdict expects is derived from this value and the clock; nothing else is state.
 */
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface DayOptions {
  readonly seed: number;
  readonly travellers: number;
  readonly flights: number;
  /** Sandbox instant at which the day begins. */
  readonly startAt: number;
  readonly hours: number;
}

/** AeroDataBox's own words, so that the fake repeats and the verdict translates. `Taxiing` is one no connector knows. */
export type FlightStatus =
  | 'Expected'
  | 'CheckIn'
  | 'Boarding'
  | 'GateClosed'
  | 'Taxiing'
  | 'Departed'
  | 'EnRoute'
  | 'Delayed'
  | 'Approaching'
  | 'Arrived'
  | 'Canceled'
  | 'Diverted';

export interface FlightState {
  readonly status: FlightStatus;
  readonly departureScheduled: number;
  readonly arrivalScheduled: number;
  readonly departureTerminal?: string;
  readonly departureGate?: string;
  readonly desk?: string;
  readonly departureEstimated?: number;
  /** Wheels up and wheels down. */
  readonly departureActual?: number;
  readonly arrivalTerminal?: string;
  readonly belt?: string;
  readonly arrivalEstimated?: number;
  readonly arrivalActual?: number;
}

export interface FlightStep {
  readonly at: number;
  readonly set: Partial<FlightState>;
  /** What the live log says, e.g. `gate A13 → B22`; empty for steps too small to tell. */
  readonly words: string;
}

export type Script =
  | 'plain'
  | 'gate-change'
  | 'delay'
  | 'delay-growing'
  | 'delay-recovers'
  | 'terminal-change'
  | 'cancelled'
  | 'reinstated'
  | 'diverted'
  | 'past-midnight'
  | 'schedule-change';

export interface Flight {
  /** `LH400/2026-12-01/FRA`: what identifies it. */
  readonly id: string;
  readonly carrier: string;
  readonly carrierName: string;
  readonly number: string;
  readonly from: string;
  readonly to: string;
  readonly fromZone: string;
  readonly toZone: string;
  /** Scheduled local day of departure at the origin. */
  readonly day: string;
  readonly aircraft: string;
  /** The number under which a partner sells it. */
  readonly codeshare?: { readonly carrier: string; readonly carrierName: string; readonly number: string };
  readonly script: Script;
  readonly initial: FlightState;
  /** In order of time, whole minutes, at least one minute apart (the status feed's stamps are in minutes). */
  readonly steps: readonly FlightStep[];
}

export interface Person {
  readonly index: number;
  readonly given: string;
  readonly family: string;
  readonly zone: string;
  readonly locale: string;
}

export interface Passenger {
  readonly given: string;
  readonly family: string;
}

interface BookingCommon {
  readonly id: string;
  readonly reference: string;
  /** Tripwatch travellers who hold it: indexes of people. */
  readonly owners: readonly number[];
  readonly passengers: readonly Passenger[];
  readonly bookedAt: number;
  /** Instant at which it is cancelled as a whole. */
  readonly cancelledAt?: number;
  /** Its id at Duffel, when it was booked there. */
  readonly duffelId?: string;
  /** When the agency registers it with Tripwatch (Duffel bookings only). */
  readonly registeredAt?: number;
}

export interface Segment {
  readonly flight: string;
  readonly carrier: string;
  readonly carrierName: string;
  readonly number: string;
  /** One a passenger. */
  readonly seats: readonly string[];
}

export interface AirBooking extends BookingCommon {
  readonly kind: 'flight';
  readonly segments: readonly Segment[];
}

export interface Place {
  readonly name: string;
  readonly street: string;
  readonly locality: string;
  readonly country: string;
  readonly zone: string;
  readonly phone: string;
  readonly lat: number;
  readonly lon: number;
}

/** Stays and rentals: local days and times at the place. `moved`: from this instant on the end day is another. */
export interface PlaceBooking extends BookingCommon {
  readonly kind: 'stay' | 'rental';
  readonly place: Place;
  readonly company: string;
  readonly startDay: string;
  readonly startTime: string;
  readonly endDay: string;
  readonly endTime: string;
  readonly moved?: { readonly at: number; readonly endDay: string };
}

export type Booking = AirBooking | PlaceBooking;

export type MailPurpose = 'confirmation' | 'change' | 'cancellation' | 'bare-cancellation' | 'lie' | 'promo';
export type MailFormat = 'json-ld' | 'microdata' | 'ics' | 'json-ld+ics' | 'none';

export interface MailPlan {
  readonly id: string;
  /** When it is handed to the SMTP port. */
  readonly at: number;
  readonly to: number;
  readonly purpose: MailPurpose;
  readonly booking?: string;
  /** The moment whose truth it tells: its Date header, and `modifiedTime` where it has one. */
  readonly saidAt: number;
  readonly format: MailFormat;
  readonly charset: 'utf-8' | 'iso-8859-1' | 'windows-1252' | 'us-ascii';
  readonly encoding: 'base64' | 'quoted-printable' | '8bit';
  /** Sent on by the traveller as an attached message. */
  readonly attached?: true;
  /** Byte for byte the same as that mail. */
  readonly sameAs?: string;
}

/** One delivery of one Duffel event. A repeat has the same event id; a dropped event has no delivery at all. */
export interface PushPlan {
  readonly at: number;
  readonly eventId: string;
  readonly type: string;
  readonly idempotencyKey: string;
  readonly createdAt: number;
  readonly object: Readonly<Record<string, string>>;
}

export type ProviderName = 'aerodatabox' | 'duffel';

/**
 * `wall`: the vendor's "too many" for everyone; `outage`: 5xx and cut connections; `slow`, `truncated` and `other` (a good
 * answer about something else) strike a share of the calls.
 */
export interface Fault {
  /** Name of a fake. */
  readonly provider: string;
  readonly kind: 'wall' | 'outage' | 'slow' | 'truncated' | 'other';
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

export interface Scenario {
  readonly options: DayOptions;
  readonly endAt: number;
  readonly flights: readonly Flight[];
  readonly people: readonly Person[];
  readonly bookings: readonly Booking[];
  /** In order of `at`. */
  readonly mails: readonly MailPlan[];
  readonly pushes: readonly PushPlan[];
  readonly faults: readonly Fault[];
}
