import type { Facts, FactValue, Kind } from '../facts.ts';
import type { LegId, ReservationId } from '../ids.ts';
import type { Authority } from '../observation.ts';
import type { Attribution, Field, Leg, Reservation } from '../reservation.ts';
import { type Alert, NOTHING_TOLD, type Told } from './alert.ts';
import { type Decision, decideAlerts, type Situation } from './decide.ts';
import type { Word } from './grounds.ts';
import { phrasingOf } from './phrase.ts';
import { type AlertSettings, rulesFor } from './rules.ts';

/** A reservation of a test, told step by step: each step changes what is known and sees what is told. */

export type Values = Readonly<Record<string, FactValue>>;

export function by(authority: Authority, account = 'aero'): Attribution {
  const kind = authority === 'person' ? 'person' : authority.startsWith('mail') ? 'mail' : 'provider';
  return {
    observation: 'obs_a',
    source: {
      kind,
      ref: 'sub_a',
      label: kind === 'provider' ? account : 'mail from x@example',
      ...(kind === 'provider' ? { account } : {}),
    },
    authority,
    assertedAt: '2026-11-01T00:00:00Z',
    observedAt: '2026-11-01T00:00:00Z',
  };
}

export function fieldsOf(values: Values, authority: Authority = 'booking', account?: string): Record<string, Field> {
  const who = by(authority, account);
  return Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value, by: who }]));
}

export function legOf(id: string, kind: Kind, values: Values, authority: Authority = 'booking'): Leg {
  return { id: `leg_${id}`, kind, keys: [`leg:${kind}:${id}`], fields: fieldsOf(values, authority) };
}

export const FRA_JFK: Values = {
  'carrier.code': 'LH',
  number: '400',
  'start.code': 'FRA',
  'end.code': 'JFK',
  'start.scheduled': '2026-12-01T13:55:00+01:00[Europe/Berlin]',
  'end.scheduled': '2026-12-01T16:40:00-05:00[America/New_York]',
};

export function reservationOf(id: string, legs: readonly Leg[], values: Values = {}): Reservation {
  return {
    id: `rsv_${id}`,
    tenant: 'tnt_a',
    traveller: 'trv_a',
    version: 1,
    bookingKeys: [],
    fields: fieldsOf(values),
    legs,
    observations: [],
    digest: '',
  };
}

export function wordOf(account: string, keys: readonly string[], facts: Values, more: Partial<Word> = {}): Word {
  return {
    account,
    thing: 'lh400',
    vendor: account,
    own: false,
    checkedAt: 0,
    failing: false,
    asked: true,
    facts: {},
    legs: [
      { keys, facts: Object.fromEntries(Object.entries(facts).map(([path, value]) => [path, { value }])) as Facts },
    ],
    ...more,
  };
}

/** Plays one reservation through time. */
export class Story {
  reservation: Reservation;
  now: number;
  words: readonly Word[] = [];
  settings: AlertSettings = {};
  locale = 'en';
  beside: readonly Reservation[] = [];
  readonly tolds = new Map<ReservationId, Told>();
  last: Decision | undefined;

  constructor(reservation: Reservation, at: string) {
    this.reservation = reservation;
    this.now = Temporal.Instant.from(at).epochMilliseconds;
    this.look();
  }

  at(instant: string): this {
    this.now = Temporal.Instant.from(instant).epochMilliseconds;
    return this;
  }

  /** Fields of a leg become these, by someone's word; what is told of it. */
  say(values: Values, authority: Authority = 'status', leg = 0, account?: string): readonly string[] {
    const legs = this.reservation.legs.map((one, index) =>
      index === leg ? { ...one, fields: { ...one.fields, ...fieldsOf(values, authority, account) } } : one,
    );
    this.reservation = { ...this.reservation, legs, version: this.reservation.version + 1 };
    return this.look();
  }

  sayOfBooking(values: Values, authority: Authority = 'booking'): readonly string[] {
    const fields = { ...this.reservation.fields, ...fieldsOf(values, authority) };
    this.reservation = { ...this.reservation, fields, version: this.reservation.version + 1 };
    return this.look();
  }

  /** By the clock alone. */
  look(): readonly string[] {
    this.last = decideAlerts(this.situation());
    for (const [id, told] of this.last.told) this.tolds.set(id, told);
    return this.last.alerts.map(({ sentence }) => sentence);
  }

  get alerts(): readonly Alert[] {
    return this.last?.alerts ?? [];
  }

  situation(): Situation {
    const told = (id: ReservationId) => this.tolds.get(id) ?? NOTHING_TOLD;
    return {
      reservation: this.reservation,
      told: told(this.reservation.id),
      beside: this.beside.map((reservation) => ({ reservation, told: told(reservation.id) })),
      rules: rulesFor(this.settings),
      words: this.words,
      language: phrasingOf(this.locale),
      now: this.now,
      homeZone: 'Europe/Berlin',
    };
  }
}

export const legId = (id: string): LegId => `leg_${id}`;
