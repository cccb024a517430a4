import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAeroApiConnector } from '../../../src/adapters/provider/aeroapi/connector.ts';
import { createAeroDataBoxConnector } from '../../../src/adapters/provider/aerodatabox/connector.ts';
import type { ProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import type { ObservationId } from '../../../src/domain/ids.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import { join } from '../../../src/domain/reconcile/join.ts';
import type { Reservation } from '../../../src/domain/reservation.ts';
import type { ProviderConnector, SubjectSpec } from '../../../src/ports/provider.ts';
import { stillClock } from '../store/harness.ts';

/**
 * One flight is one subject, under whatever numbers its travellers have it: LH 400 is sold as UA 8830, too. Both vendors,
 * the join, and what the reservation asks about afterwards.
 */
const NOW = Date.UTC(2026, 11, 1, 6);
const DAY = '2026-12-01';
const clock = stillClock(NOW);

const boxItem = (number: string, codeshareStatus: string, change: Record<string, unknown> = {}) => ({
  number,
  codeshareStatus,
  status: 'Expected',
  lastUpdatedUtc: '2026-12-01 05:58Z',
  departure: {
    airport: { iata: 'FRA' },
    scheduledTime: { utc: '2026-12-01 09:05Z', local: '2026-12-01 10:05+01:00' },
    gate: 'A13',
  },
  arrival: {
    airport: { iata: 'JFK' },
    scheduledTime: { utc: '2026-12-01 17:50Z', local: '2026-12-01 12:50-05:00' },
  },
  airline: number.startsWith('UA') ? { name: 'United', iata: 'UA' } : { name: 'Lufthansa', iata: 'LH' },
  ...change,
});
const OWN = boxItem('LH 400', 'IsOperator');
const SOLD = boxItem('UA 8830', 'IsCodeshared');

const aeroItem = {
  fa_flight_id: 'DLH400-1',
  ident: 'DLH400',
  ident_iata: 'LH400',
  codeshares_iata: ['UA8830'],
  origin: { code_iata: 'FRA', timezone: 'Europe/Berlin' },
  destination: { code_iata: 'JFK', timezone: 'America/New_York' },
  scheduled_out: '2026-12-01T09:05:00Z',
  scheduled_in: '2026-12-01T17:50:00Z',
  gate_origin: 'A13',
};

const answers = (json: unknown): ProviderHttp => ({
  ask: async () => ({ status: 200, json, headers: {} }),
  close: async () => {},
});
const VENDORS: Readonly<Record<string, (items: readonly unknown[]) => ProviderConnector>> = {
  AeroDataBox: (items) => createAeroDataBoxConnector({ account: 'status', key: 'k', clock, http: answers(items) }),
  FlightAware: () => createAeroApiConnector({ key: 'k', clock, http: answers({ flights: [aeroItem] }) }),
};

/** What a mail says. */
function mailed(carrier: string, number: string): Observation {
  const fact = (value: string) => ({ value });
  return {
    id: `obs_mail-${carrier}${number}` as ObservationId,
    tenant: 'tnt_default',
    traveller: 'trv_ana',
    source: { kind: 'mail', ref: 'mail_1', label: 'mail' },
    authority: 'mail-proven',
    assertedAt: '2026-11-01T00:00:00.000Z',
    observedAt: '2026-11-01T00:00:00.000Z',
    bookingKeys: ['ref:air:abc123'],
    facts: {},
    legs: [
      {
        kind: 'flight',
        keys: [`leg:flight:${carrier.toLowerCase()}${number}:${DAY}:fra`],
        facts: {
          'carrier.code': fact(carrier),
          number: fact(number),
          'start.code': fact('FRA'),
          'end.code': fact('JFK'),
          'start.scheduled': fact('2026-12-01T10:05:00+01:00[Europe/Berlin]'),
        },
      },
    ],
  };
}

async function told(connector: ProviderConnector, subject: SubjectSpec, serial: number): Promise<Observation> {
  const result = await connector.readOne(subject, new AbortController().signal);
  assert.ok(result.kind === 'found');
  const { answer } = result;
  return {
    id: `obs_${serial}` as ObservationId,
    tenant: 'tnt_default',
    traveller: 'trv_ana',
    source: { kind: 'provider', ref: `sub_${serial}`, label: 'vendor' },
    authority: answer.authority,
    assertedAt: new Date(NOW + serial * 1000).toISOString(),
    observedAt: new Date(NOW + serial * 1000).toISOString(),
    bookingKeys: answer.bookingKeys,
    facts: answer.facts as Observation['facts'],
    legs: answer.legs as Observation['legs'],
  };
}

function decided(observations: readonly Observation[]): Reservation {
  const groups = join(observations);
  assert.equal(groups.length, 1);
  const [{ bookingKeys, fields, legs }] = groups as [(typeof groups)[number]];
  assert.equal(legs.length, 1);
  return { bookingKeys, fields, legs: legs.map((leg) => ({ ...leg, id: 'leg_1' })) } as unknown as Reservation;
}

for (const [vendor, create] of Object.entries(VENDORS)) {
  test(`${vendor}: a seat sold by a partner is followed under the operator's number, and keeps its own`, async () => {
    const connector = create([SOLD, OWN]);
    const mail = mailed('UA', '8830');
    const [first] = connector.subjectsOf(decided([mail]));
    assert.equal(first!.id, `leg:flight:ua8830:${DAY}:fra`);
    const resolving = await told(connector, first!, 1);
    const resolved = decided([mail, resolving]);
    const [second, ...more] = connector.subjectsOf(resolved);
    assert.equal(more.length, 0);
    assert.equal(second!.id, `leg:flight:lh400:${DAY}:fra`);
    assert.equal(second!.id, connector.subjectsOf(decided([mailed('LH', '400')]))[0]!.id);
    // The operator's answer reaches the leg that was sold under another number, which stays what the traveller holds.
    const after = decided([mail, resolving, await told(create([{ ...OWN, status: 'Delayed' }]), second!, 2)]);
    const { fields } = after.legs[0]!;
    assert.deepEqual(
      ['carrier.code', 'number', 'operating.code', 'operating.number', 'start.gate'].map((path) => fields[path]?.value),
      ['UA', '8830', 'LH', '400', 'A13'],
    );
    if (vendor === 'AeroDataBox') assert.equal(fields.operation?.value, 'delayed');
    assert.equal(fields['carrier.name'], undefined);
    assert.deepEqual(connector.subjectsOf(after), [second]);
  });
}

test('an operator that only a booking system names, and an item that only looks alike, resolve nothing', async () => {
  const { AeroDataBox: create } = VENDORS;
  const mail = mailed('UA', '8830');
  const named = structuredClone(mail) as { legs: [{ facts: Record<string, { value: string }> }] } & Observation;
  named.legs[0].facts['operating.code'] = { value: 'OO' };
  named.legs[0].facts['operating.number'] = { value: '77' };
  assert.equal(create!([]).subjectsOf(decided([named]))[0]!.id, `leg:flight:ua8830:${DAY}:fra`);
  const elsewhere = { ...OWN, arrival: { ...OWN.arrival, airport: { iata: 'BOS' } } };
  const twice = boxItem('LX 7', 'IsOperator');
  for (const items of [[SOLD], [SOLD, elsewhere], [SOLD, OWN, twice], [SOLD, boxItem('LH 400', 'Unknown')]]) {
    const connector = create!(items);
    const [subject] = connector.subjectsOf(decided([mail]));
    const after = decided([mail, await told(connector, subject!, 1)]);
    assert.deepEqual(
      connector.subjectsOf(after).map(({ id }) => id),
      [subject!.id],
    );
  }
});
