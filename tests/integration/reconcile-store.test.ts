import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import type { Observation } from '../../src/domain/observation.ts';
import { indexKeys } from '../../src/domain/reconcile/claims.ts';
import { join } from '../../src/domain/reconcile/join.ts';
import { madeBy, observations } from '../../src/domain/reconcile/observations.testing.ts';
import type { Store } from '../../src/ports/store.ts';
import { recordObservation } from '../../src/stages/reconcile/handler.ts';
import { quiet, stillClock } from '../contract/store/harness.ts';

/** The reconcile stage on a real store: what the in-memory property tests of the domain prove must hold here too. */

const TRAVELLER = 'trv_one';

async function withStore(work: (store: Store, record: (one: Observation) => Promise<number>) => Promise<void>) {
  const store = openSqliteStore({ file: ':memory:', clock: stillClock(), logger: quiet });
  let now = 1_000_000;
  try {
    await store.transact(async (tx) => {
      await tx.accounts.ensureTenant(DEFAULT_TENANT, 'one', now);
      await tx.accounts.addTraveller({
        id: TRAVELLER,
        tenant: DEFAULT_TENANT,
        name: 'One',
        zone: 'UTC',
        locale: 'en',
        createdAt: now,
      });
    });
    const record = async (one: Observation) => (await store.transact((tx) => recordObservation(tx, one, ++now))).length;
    await work(store, record);
  } finally {
    await store.close();
  }
}

test('one by one through the store gives the state of all at once; repeats publish nothing', async () => {
  await fc.assert(
    fc.asyncProperty(observations(10), async (set) => {
      await withStore(async (store, record) => {
        for (const one of set) await record(one);
        for (const one of set) assert.equal(await record(one), 0);
        const stored = await store.read((tx) => tx.reservations.list(DEFAULT_TENANT, TRAVELLER));
        assert.deepEqual(
          stored.map((one) => one.digest).sort(),
          join(set)
            .map((group) => group.digest)
            .sort(),
        );
        for (const { id, version } of stored) {
          const history = await store.read((tx) => tx.reservations.history(DEFAULT_TENANT, id));
          assert.deepEqual(
            history.map((one) => one.version),
            Array.from({ length: version }, (_, index) => index + 1),
          );
        }
      });
    }),
    { numRuns: Number(process.env.TRIPWATCH_PROPERTY_RUNS ?? 40) },
  );
});

test('a flight polled 300 times: the closure stays small and every gate is told once', async () => {
  const key = 'leg:flight:lh400:2026-12-01:fra';
  const mail: Observation = {
    ...madeBy('obs_mail', 'mail', 'mail', 0),
    bookingKeys: ['ref:air:abc123'],
    facts: { status: { value: 'confirmed' } },
    legs: [{ kind: 'flight', keys: [key], facts: { 'start.code': { value: 'FRA' } } }],
  };
  await withStore(async (store, record) => {
    await record(mail);
    let told = 0;
    for (let minute = 1; minute <= 300; minute++) {
      const at = Temporal.Instant.from('2026-11-01T11:00:00Z').add({ minutes: minute }).toString();
      told += await record({
        ...madeBy(`obs_s${minute}`, 'status', 'provider', 1),
        assertedAt: at,
        observedAt: at,
        bookingKeys: [],
        facts: {},
        legs: [{ kind: 'flight', keys: [key], facts: { 'start.gate': { value: `A${minute >> 1}` } } }],
      });
    }
    assert.equal(told, 151);
    const joined = await store.read((tx) => tx.reservations.closure(DEFAULT_TENANT, TRAVELLER, indexKeys(mail)));
    assert.ok(joined.length <= 3, `${joined.length} observations are still joined`);
    const [reservation] = await store.read((tx) => tx.reservations.list(DEFAULT_TENANT, TRAVELLER));
    assert.equal(reservation?.version, 152);
  });
});
