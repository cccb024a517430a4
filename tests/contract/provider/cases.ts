import type { FactValue, Kind } from '../../../src/domain/facts.ts';
import type { Attribution, Fields, Reservation } from '../../../src/domain/reservation.ts';
import { ana } from '../store/harness.ts';

const by: Attribution = {
  observation: 'obs_1',
  source: { kind: 'mail', ref: 'mail_1', label: 'mail' },
  authority: 'mail',
  assertedAt: '2026-11-01T00:00:00.000Z',
  observedAt: '2026-11-01T00:00:00.000Z',
};

export function fieldsOf(facts: Readonly<Record<string, FactValue>>): Fields {
  return Object.fromEntries(Object.entries(facts).map(([path, value]) => [path, { value, by }]));
}

export interface LegCase {
  readonly kind: Kind;
  readonly facts: Readonly<Record<string, FactValue>>;
}

/** A reservation with these legs. */
export function reservation(legs: LegCase | readonly LegCase[], change: Partial<Reservation> = {}): Reservation {
  const all = 'kind' in legs ? [legs] : legs;
  return {
    ...ana,
    id: 'rsv_1',
    version: 1,
    bookingKeys: [],
    fields: {},
    legs: all.map((leg, i) => ({ id: `leg_${i}`, kind: leg.kind, keys: [], fields: fieldsOf(leg.facts) })),
    observations: ['obs_1'],
    digest: 'd',
    ...change,
  };
}
