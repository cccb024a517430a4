import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Fact, FactValue, Kind } from '../facts.ts';
import { DEFAULT_TENANT, type ObservationId, type ReservationId } from '../ids.ts';
import type { Authority, LegClaim, Observation, SourceKind } from '../observation.ts';
import type { Reservation } from '../reservation.ts';
import { indexKeys } from './claims.ts';
import { type NewVersion, reconcile, superseded } from './reconcile.ts';

/** Observations for property tests: few keys, values and times, so that they collide as often as possible. */

/** Runs of each property: TRIPWATCH_PROPERTY_RUNS asks for more. */
export const RUNS = Number(process.env.TRIPWATCH_PROPERTY_RUNS ?? 1000);

const facts = (table: Readonly<Record<string, readonly FactValue[]>>): fc.Arbitrary<Record<string, Fact>> =>
  fc
    .record(
      Object.fromEntries(
        Object.entries(table).map(([path, values]) => [path, fc.constantFrom(...values).map((value) => ({ value }))]),
      ),
      { requiredKeys: [] },
    )
    .map((record) => ({ ...record }) as Record<string, Fact>);

const STATUS: readonly FactValue[] = ['confirmed', 'cancelled', 'pending', null];

const LEG_FACTS: Readonly<Record<Kind | 'any', Readonly<Record<string, readonly FactValue[]>>>> = {
  any: {},
  flight: {
    status: STATUS,
    operation: ['scheduled', 'delayed', 'departed', 'cancelled', 'cancelled-uncertain', 'diverted'],
    'start.scheduled': [
      '2026-12-01T10:05:00+01:00[Europe/Berlin]',
      '2026-12-01T11:05+01:00[Europe/Berlin]',
      '2026-12-01',
    ],
    'start.estimated': ['2026-12-01T10:05:00+01:00[Europe/Berlin]', '2026-12-01T10:45:00+01:00[Europe/Berlin]', null],
    'start.actual': ['2026-12-01T10:47:00+01:00[Europe/Berlin]', null],
    'end.estimated': ['2026-12-01T13:00:00', 'soon'],
    'end.scheduled': ['2026-12-01T12:55:00', '2026-12-01T13:00'],
    'start.gate': ['A12', 'B3', null],
    'start.code': ['FRA', 'MUC'],
    'start.name': ['Frankfurt', 'Munich'],
    'diverted.code': ['BOS', null],
    'passenger.doejohn.name': ['DOE/JOHN'],
    'passenger.doejohn.seat': ['12A', '14C'],
    'passenger.doejohn.ticket': ['1', '2'],
    aircraft: ['A320', 'B744'],
  },
  stay: { name: ['Grand', 'Ritz'], 'start.scheduled': ['2026-12-01', '2026-12-02T15:00:00'], status: STATUS },
  rental: { name: ['Cars'], vehicle: ['Mini', 'Van'] },
  train: { number: ['71'], 'start.platform': ['1', '2'] },
  bus: {},
  boat: {},
  event: { name: ['Opera'] },
  restaurant: {},
  taxi: {},
};

const KEYS: readonly (readonly [Kind, readonly string[]])[] = [
  ['flight', ['leg:flight:lh400:2026-12-01:fra']],
  ['flight', ['leg:flight:lh400:2026-12-01:muc']],
  ['flight', ['leg:flight:lh400:2026-12-01:']],
  ['flight', ['leg:flight:lh401:2026-12-05:jfk']],
  ['flight', ['leg:flight:lh401:2026-12-05:jfk', 'leg:flight:lh401:2026-12-06:jfk']],
  ['flight', ['leg:flight:lh401:2026-12-06:']],
  ['flight', []],
  ['stay', ['leg:stay:grand:2026-12-01']],
  ['stay', ['leg:stay:grand:2026-12-02']],
  ['stay', ['leg:stay:ritz:2026-12-01']],
  ['stay', []],
  ['rental', ['leg:rental:cars:2026-12-01']],
  ['rental', ['leg:rental:cars:2026-12-03']],
  ['train', ['leg:train:71:2026-12-01:']],
  ['train', ['leg:train:71:2026-12-01:berlin']],
  ['event', ['leg:event:opera:2026-12-01']],
];

const leg: fc.Arbitrary<LegClaim & { facts: Record<string, Fact> }> = fc
  .constantFrom(...KEYS)
  .chain(([kind, keys]) => facts(LEG_FACTS[kind]).map((said) => ({ kind, keys, facts: said })));

const SOURCES: readonly (readonly [Authority, SourceKind])[] = [
  ['person', 'person'],
  ['status', 'provider'],
  ['booking', 'provider'],
  ['mail-proven', 'mail'],
  ['mail', 'mail'],
];

const BOOKING_FACTS: Readonly<Record<string, readonly FactValue[]>> = {
  status: STATUS,
  reference: ['ABC123'],
  'price.amount': ['10.00', '20.00'],
  removed: [true, false],
  'provider.name': ['Air'],
};

const body = fc.record({
  source: fc.constantFrom(...SOURCES),
  minute: fc.integer({ min: 0, max: 12 }),
  bookingKeys: fc.uniqueArray(
    fc.constantFrom('ref:air:abc123', 'ref:air:xyz789', 'id:duffel:ord_1', 'ref:stay:777777'),
    {
      maxLength: 2,
    },
  ),
  facts: facts(BOOKING_FACTS),
  legs: fc.array(leg, { maxLength: 3 }),
});

/**
 * A set of observations: ids are unique. Each source speaks up to three times: of the same things, at other times, with
 * other values; their ids say nothing about their times.
 */
export const observations = (maxLength = 12): fc.Arbitrary<Observation[]> =>
  fc
    .array(
      fc.tuple(
        body,
        fc.array(fc.record({ minute: fc.integer({ min: 0, max: 12 }), turn: fc.integer({ min: 1, max: 3 }) }), {
          maxLength: 2,
        }),
      ),
      { maxLength },
    )
    .map((spoken) =>
      spoken
        .flatMap(([said, again]) => [said, ...again.map(({ minute, turn }) => ({ ...turned(said, turn), minute }))])
        .slice(0, maxLength)
        .map(({ source: [authority, kind], minute, ...said }, index) => ({
          ...said,
          ...madeBy(`obs_${String(index).padStart(3, '0')}`, authority, kind, minute),
        })),
    );

type Body = typeof body extends fc.Arbitrary<infer T> ? T : never;

/** The same paths with the values `turn` places further in their tables. */
function turned(said: Body, turn: number): Body {
  const move = (facts: Record<string, Fact>, table: Readonly<Record<string, readonly FactValue[]>>) =>
    Object.fromEntries(
      Object.entries(facts).map(([path, { value }]) => {
        const values = table[path]!;
        return [path, { value: values[(values.indexOf(value) + turn) % values.length]! }];
      }),
    );
  return {
    ...said,
    facts: move(said.facts, BOOKING_FACTS),
    legs: said.legs.map((one) => ({ ...one, facts: move(one.facts, LEG_FACTS[one.kind]) })),
  };
}

export function madeBy(id: string, authority: Authority, kind: SourceKind, minute: number) {
  const at = `2026-11-01T10:${String(minute).padStart(2, '0')}:00Z`;
  return {
    id: id as ObservationId,
    tenant: DEFAULT_TENANT,
    traveller: 'trv_one' as const,
    source: { kind, ref: `ref-${id}`, label: `${authority} source` },
    authority,
    assertedAt: at,
    observedAt: at,
  };
}

const keysOf = new WeakMap<Observation, readonly string[]>();
function cachedKeys(one: Observation): readonly string[] {
  const keys = keysOf.get(one) ?? indexKeys(one);
  keysOf.set(one, keys);
  return keys;
}

/** The closure as a store works it out, over all observations of the traveller. */
export function closureOf(all: readonly Observation[], start: Observation): Observation[] {
  const keys = new Set(cachedKeys(start));
  const found = new Set<Observation>();
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const one of all) {
      if (found.has(one) || !cachedKeys(one).some((key) => keys.has(key))) continue;
      found.add(one);
      for (const key of cachedKeys(one)) keys.add(key);
    }
  }
  return [...found];
}

const OWNER = { tenant: DEFAULT_TENANT, traveller: 'trv_one' } as const;

/** What the handler does with store and transaction, without them. */
export class Folder {
  readonly observations = new Map<string, Observation>();
  readonly reservations = new Map<ReservationId, Reservation>();
  readonly aliases = new Map<ReservationId, ReservationId>();
  readonly retired = new Set<string>();
  readonly published: NewVersion[] = [];
  #ids = 0;

  record(observation: Observation): readonly NewVersion[] {
    if (!this.observations.has(observation.id)) this.observations.set(observation.id, observation);
    const indexed = [...this.observations.values()].filter((one) => !this.retired.has(one.id));
    const closed = closureOf(indexed, observation);
    const ids = new Set(closed.map((one) => one.id));
    const resting = [...this.reservations.values()].filter((one) => one.observations.some((id) => ids.has(id)));
    const made = reconcile(OWNER, closed, resting, () => `rsv_${String(++this.#ids).padStart(4, '0')}`);
    for (const { reservation, changes, merged } of made) {
      const before = this.reservations.get(reservation.id)?.version ?? 0;
      assert.equal(reservation.version, before + 1, 'versions rise by one');
      assert.ok(changes.length > 0, 'a version has changes');
      this.reservations.set(reservation.id, reservation);
      for (const gone of merged) {
        assert.ok(reservation.id < gone.id, 'the oldest id survives');
        this.reservations.delete(gone.id);
        this.aliases.set(gone.id, reservation.id);
      }
    }
    const standing = new Map(resting.map((one) => [one.id, this.reservations.get(one.id)]));
    for (const { reservation } of made) standing.set(reservation.id, reservation);
    const alive = [...standing.values()].filter((one) => one !== undefined);
    for (const id of superseded(closed, alive)) this.retired.add(id);
    this.published.push(...made);
    return made;
  }

  values(): string[] {
    return [...this.reservations.values()].map((one) => one.digest).sort();
  }
}
