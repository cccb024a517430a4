import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ManualClock } from '../../tests/contract/broker/manual-clock.ts';
import { around, silent } from '../../tests/contract/broker/rig.ts';
import { leaseLost } from '../adapters/store/sql/leases.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import { TripwatchError } from '../domain/errors.ts';
import { BEAT_MS, LEASE_MS, REFUSED_MS } from '../domain/limits.ts';
import type { Lease } from '../ports/store/leases.ts';
import { Keeper, shareOf, type WorkGroup } from './keeper.ts';

let clock: ManualClock;
let store: SqlStore;
let nodes: Node[];

beforeEach(() => {
  clock = new ManualClock();
  store = openSqliteStore({ file: ':memory:', clock, logger: silent });
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await node.keeper.stop();
  await store.close();
});

interface Node {
  readonly keeper: Keeper;
  readonly working: Map<string, Lease>;
  readonly lost: string[];
  /** Whether it is sure to have its work. */
  readonly isSure: () => boolean;
}

/** A worker that notes what it works on. */
function node(
  id: string,
  options: { names?: string[]; count?: number; fails?: () => boolean | Error; store?: SqlStore } = {},
) {
  const working = new Map<string, Lease>();
  const lost: string[] = [];
  let isSure = (): boolean => false;
  const groups = (options.names ?? ['extract']).map(
    (name): WorkGroup => ({
      name,
      resources: Array.from({ length: options.count ?? 8 }, (_, i) => `${name}/${i}`),
      take: async (resource, lease, isOurs) => {
        isSure = isOurs;
        const fails = options.fails?.();
        if (fails) throw fails === true ? new Error('cannot begin') : fails;
        working.set(resource, lease);
      },
      leave: async (resource, how) => {
        working.delete(resource);
        if (how === 'lost') lost.push(resource);
      },
    }),
  );
  const worker = { id, label: id, alone: false };
  const keeper = new Keeper({ store: options.store ?? store, clock, logger: silent, groups, worker });
  const made = { keeper, working, lost, isSure: () => isSure() };
  nodes.push(made);
  return made;
}

const sizes = (...all: Node[]) => all.map(({ working }) => working.size).sort((a, b) => a - b);

test('shares add up to all of the work, whoever counts', () => {
  for (const count of [1, 2, 7, 16]) {
    for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['c', 'a', 'b', 'd', 'e']]) {
      for (const name of ['extract', 'collect', 'sender']) {
        const group = { name, resources: Array.from({ length: count }, (_, i) => `${name}/${i}`) };
        const shares = names.map((one) => shareOf(group, one, names));
        assert.equal(
          shares.reduce((sum, share) => sum + share, 0),
          count,
        );
        assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
      }
    }
  }
});

test('the first takes all; who comes later gets a share without a moment of two at work', async () => {
  const a = node('a');
  await a.keeper.start();
  assert.equal(a.working.size, 8);
  const b = node('b');
  const c = node('c');
  await b.keeper.start();
  await c.keeper.start();
  for (let i = 0; i < 10; i++) {
    await clock.advance(BEAT_MS);
    const all = [...a.working.keys(), ...b.working.keys(), ...c.working.keys()];
    assert.equal(new Set(all).size, all.length);
  }
  assert.deepEqual(sizes(a, b, c), [2, 3, 3]);
  assert.deepEqual([...a.lost, ...b.lost, ...c.lost], []);
});

test('the work of one who dies is taken when its leases have run out, with higher tokens', async () => {
  const a = node('a');
  const b = node('b');
  await a.keeper.start();
  await b.keeper.start();
  await clock.advance(4 * BEAT_MS);
  assert.deepEqual(sizes(a, b), [4, 4]);
  const before = new Map([...b.working].map(([resource, { token }]) => [resource, token]));
  // Stops beating and gives nothing back, as one that was killed.
  await b.keeper.stop();
  await clock.advance(LEASE_MS + 2 * BEAT_MS);
  assert.equal(a.working.size, 8);
  for (const [resource, token] of before) assert.ok(a.working.get(resource)!.token > token);
});

test('a clean end leaves the work to others by their next beat', async () => {
  const a = node('a');
  const b = node('b');
  await a.keeper.start();
  await b.keeper.start();
  await clock.advance(4 * BEAT_MS);
  await b.keeper.release();
  await clock.advance(BEAT_MS);
  assert.equal(a.working.size, 8);
});

test('one that was stopped for longer than its leases finds its work lost, and takes a share anew', async () => {
  let stopped = false;
  const slow = around(store, (work, options) =>
    stopped ? Promise.reject(new TripwatchError('transient', 'store-lost', 'away')) : store.transact(work, options),
  );
  const a = node('a', { store: slow });
  const b = node('b');
  await a.keeper.start();
  stopped = true;
  await clock.advance(BEAT_MS);
  await b.keeper.start();
  await clock.advance(LEASE_MS + 3 * BEAT_MS);
  assert.equal(b.working.size, 8);
  assert.equal(a.working.size, 0, 'it has let go by itself');
  assert.equal(a.lost.length, 8);
  stopped = false;
  await clock.advance(4 * BEAT_MS);
  assert.deepEqual(sizes(a, b), [4, 4]);
});

test('after standing still one is not sure of its work until the store has said whose it is', async () => {
  let away = false;
  const slow = around(store, async (work, options) => {
    while (away) await clock.sleep(10, new AbortController().signal);
    return store.transact(work, options);
  });
  const a = node('a', { store: slow });
  await a.keeper.start();
  assert.ok(a.isSure());
  await clock.advance(LEASE_MS * 3);
  assert.ok(a.isSure(), 'beats prolong it');
  // Nothing of its own runs and time goes on; what comes first then is not the beat.
  away = true;
  await clock.advance(LEASE_MS + 2 * BEAT_MS);
  assert.equal(a.working.size, 8, 'it has not heard of anything');
  assert.ok(!a.isSure());
  away = false;
  // The beat under way was asked for too long ago; the next one counts.
  await clock.advance(2 * BEAT_MS);
  assert.ok(a.isSure());
  assert.equal(a.working.size, 8);
});

test('started again under its name, it has its work back at once', async () => {
  const a = node('a');
  await a.keeper.start();
  await a.keeper.stop();
  const again = node('a');
  await again.keeper.start();
  assert.equal(again.working.size, 8);
});

test('work that one cannot begin is left to others for a while', async () => {
  let broken = true;
  const a = node('a', { fails: () => broken });
  await a.keeper.start();
  assert.equal(a.working.size, 0);
  const b = node('b');
  await b.keeper.start();
  await clock.advance(3 * BEAT_MS);
  assert.equal(b.working.size, 8);
  broken = false;
  await clock.advance(REFUSED_MS + 3 * BEAT_MS);
  assert.deepEqual(sizes(a, b), [4, 4]);
});

test('a store that is away, or a lease lost meanwhile, is no reason to leave the work to others', async () => {
  const away = new TripwatchError('transient', 'store-lost', 'away');
  for (const fault of [away, leaseLost({ resource: 'extract/0', token: 1 })]) {
    let fails = true;
    const one = node(`one ${fault.code}`, { names: [fault.code], fails: () => fails && fault });
    await one.keeper.start();
    assert.equal(one.working.size, 0);
    fails = false;
    await clock.advance(2 * BEAT_MS);
    assert.equal(one.working.size, 8, fault.code);
    await one.keeper.release();
  }
});

test('each takes part in its own groups only', async () => {
  const a = node('a', { names: ['collect'] });
  const b = node('b', { names: ['extract'] });
  const c = node('c', { names: ['collect', 'extract'] });
  for (const one of [a, b, c]) await one.keeper.start();
  await clock.advance(5 * BEAT_MS);
  assert.deepEqual([a.working.size, b.working.size, c.working.size], [4, 4, 8]);
});

test('one that is alone takes everything, also what another left behind, and never beats', async () => {
  await store.transact((tx) => tx.leases.take('someone', ['extract/0'], 60_000));
  const taken: string[] = [];
  const group = { name: 'extract', resources: ['extract/0', 'extract/1'] };
  const keeper = new Keeper({
    store,
    clock,
    logger: silent,
    worker: { id: 'alone', label: 'alone', alone: true },
    groups: [{ ...group, take: async (resource) => void taken.push(resource), leave: async () => {} }],
  });
  await keeper.start();
  assert.deepEqual(taken, ['extract/0', 'extract/1']);
  const before = await store.read((tx) => tx.leases.survey());
  await clock.advance(10 * LEASE_MS);
  assert.deepEqual(
    (await store.read((tx) => tx.leases.survey())).workers[0]!.seenAgoMs,
    before.workers[0]!.seenAgoMs + 10 * LEASE_MS,
  );
  await keeper.release();
});
