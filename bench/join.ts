/**
 * How many observations a second does the join take, for bookings of 5, 50 and 2,000 observations? And how long does one
 * more observation of a hot flight take, superseded ones retired, through the store in memory?
 * Run: `node bench/join.ts [observations]`.
 */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { createClock } from '../src/adapters/clock/system.ts';
import { openSqliteStore } from '../src/adapters/store/sqlite/store.ts';
import type { Fact, FactValue } from '../src/domain/facts.ts';
import { DEFAULT_TENANT } from '../src/domain/ids.ts';
import type { Observation } from '../src/domain/observation.ts';
import { join } from '../src/domain/reconcile/join.ts';
import { isoInstant } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import { recordObservation } from '../src/stages/reconcile/handler.ts';

const TRAVELLER = 'trv_bench';
const START = 1_793_500_000_000;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

const facts = (values: Readonly<Record<string, FactValue>>): Record<string, Fact> =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value }]));

/** Every tenth is a mail with the locator, the others are answers of a status feed. `own` keeps each from being superseded. */
function observationOf(n: number, own: boolean): Observation {
  const mail = n % 10 === 0;
  const at = isoInstant(START + n * 60_000);
  return {
    id: `obs_${String(n).padStart(6, '0')}`,
    tenant: DEFAULT_TENANT,
    traveller: TRAVELLER,
    source: { kind: mail ? 'mail' : 'provider', ref: `ref-${n}`, label: 'bench' },
    authority: mail ? 'mail' : 'status',
    assertedAt: at,
    observedAt: at,
    bookingKeys: mail ? ['ref:air:abc123'] : [],
    facts: mail ? facts({ status: 'confirmed', reference: 'ABC123' }) : {},
    legs: [
      {
        kind: 'flight',
        keys: [`leg:flight:lh400:2026-12-01:${mail ? 'fra' : ''}`],
        facts: facts({
          'carrier.code': 'LH',
          number: '400',
          'start.code': 'FRA',
          'end.code': 'JFK',
          'start.scheduled': '2026-12-01T13:55:00+01:00[Europe/Berlin]',
          'end.scheduled': '2026-12-01T16:45:00-05:00[America/New_York]',
          'start.estimated': `2026-12-01T14:${String(n % 60).padStart(2, '0')}:00+01:00[Europe/Berlin]`,
          'start.gate': `A${n % 5}`,
          'start.terminal': '1',
          operation: 'scheduled',
          ...(own ? { [`note.${n}`]: 1 } : {}),
        }),
      },
    ],
  };
}

export interface JoinResult {
  readonly size: number;
  readonly shapes: 'alike' | 'all different';
  readonly perSecond: number;
}

/** `total` observations are joined for each row. The digest is that of all states reached. */
export async function benchJoin(total: number) {
  const states = createHash('sha256');
  const results: JoinResult[] = [];
  for (const shapes of ['alike', 'all different'] as const) {
    for (const size of [5, 50, 2000]) {
      const set = Array.from({ length: Math.min(size, total) }, (_, n) => observationOf(n, shapes !== 'alike'));
      const rounds = Math.max(1, Math.floor(total / size));
      for (let round = 0; round < Math.min(rounds, 20); round++) join(set);
      const begin = performance.now();
      for (let round = 0; round < rounds; round++) join(set);
      const ms = performance.now() - begin;
      results.push({ size, shapes, perSecond: Math.round((rounds * set.length * 1000) / ms) });
      for (const group of join(set)) states.update(group.digest);
    }
  }
  const hot = await hotFlight(Math.min(total, 2000));
  return { results, hotMs: hot.ms, digest: states.update(hot.digest).digest('hex').slice(0, 16) };
}

/** Milliseconds for each of the last tenth of `count` arrivals, transaction included. */
async function hotFlight(count: number) {
  const store = openSqliteStore({ file: ':memory:', clock: createClock(), logger: quiet });
  try {
    await store.transact((tx) => tx.accounts.ensureTenant(DEFAULT_TENANT, 'bench', START));
    let begin = performance.now();
    const last = Math.max(1, Math.floor(count / 10));
    for (let n = 0; n < count; n++) {
      if (n === count - last) begin = performance.now();
      await store.transact((tx) => recordObservation(tx, observationOf(n, false), START + n));
    }
    const ms = (performance.now() - begin) / last;
    const [reservation] = await store.read((tx) => tx.reservations.list(DEFAULT_TENANT, TRAVELLER));
    return { ms, digest: `${reservation?.digest} ${reservation?.version}` };
  } finally {
    await store.close();
  }
}

if (import.meta.main) {
  const { results, hotMs, digest } = await benchJoin(Number(process.argv[2] ?? 20_000));
  for (const { size, shapes, perSecond } of results) {
    console.log(
      `${String(size).padStart(5)} observations, shapes ${shapes}: ${perSecond.toLocaleString('en')} a second`,
    );
  }
  console.log(`hot flight, one more observation: ${hotMs.toFixed(2)} ms`);
  console.log(`digest ${digest}`);
}
