import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Lease } from '../../src/ports/store/leases.ts';
import { ManualClock } from '../contract/broker/manual-clock.ts';
import { quiet } from '../contract/store/harness.ts';

/**
 * Every state that a lease and two workers can reach in the real store: each takes, prolongs and gives back, time passes,
 * a worker forgets what it held (killed, started again) or goes on as if nothing had been (stopped for long). States are
 * found breadth first; each step is played on a resource of its own from the beginning.
 */
const TTL_MS = 1000;
const WORKERS = ['ada', 'bob'] as const;
type Name = (typeof WORKERS)[number];
const ACTS = ['take', 'beat', 'release', 'die'] as const;
const STEPS = ['wait', ...WORKERS.flatMap((name) => ACTS.map((act) => `${name} ${act}` as const))] as const;
type Step = (typeof STEPS)[number];

test('every state of a lease with two workers: one may write, tokens grow, time alone frees it', async () => {
  const clock = new ManualClock(1_800_000_000_000);
  const store = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  let [serial, transitions] = [0, 0];

  async function play(steps: readonly Step[]): Promise<string> {
    const resource = `small/${serial++}`;
    const held = new Map<Name, Lease>();
    let newest = 0;
    const mayWrite = async (name: Name): Promise<boolean> => {
      const lease = held.get(name);
      if (lease === undefined) return false;
      try {
        await store.transact((tx) => tx.leases.check(lease));
        return true;
      } catch (error) {
        assert.ok(error instanceof TripwatchError && error.code === 'lease-lost', String(error));
        return false;
      }
    };
    const row = async () => {
      const { leases } = await store.read((tx) => tx.leases.survey());
      return leases.find((one) => one.resource === resource);
    };
    const take = async (name: Name): Promise<void> => {
      const before = await row();
      const [got] = await store.transact((tx) => tx.leases.take(name, [resource], TTL_MS));
      const isOthers = before !== undefined && before.leftMs > 0 && before.owner !== name;
      assert.equal(got === undefined, isOthers, 'taken only where it is free or its own');
      if (got === undefined) return;
      assert.ok(got.token > newest, 'a higher token with each take');
      newest = got.token;
      held.set(name, got);
    };
    for (const step of steps) {
      if (step === 'wait') {
        await clock.advance(TTL_MS / 2);
        continue;
      }
      const [name, act] = step.split(' ') as [Name, (typeof ACTS)[number]];
      const lease = held.get(name);
      if (act === 'take') await take(name);
      else if (act === 'die') held.delete(name);
      else if (lease !== undefined && act === 'release') {
        await store.transact((tx) => tx.leases.release([lease]));
        held.delete(name);
      } else if (lease !== undefined) {
        const worker = { id: name, groups: [], label: name, startedAt: 0, load: {} };
        const kept = await store.transact((tx) => tx.leases.beat(worker, [lease], TTL_MS));
        assert.equal(kept.length, lease.token === newest && (await row())?.owner === name ? 1 : 0);
        if (kept.length === 0) held.delete(name);
      }
    }
    const writers = [];
    for (const name of WORKERS) if (await mayWrite(name)) writers.push(name);
    assert.ok(writers.length <= 1, 'two may write');
    const at = await row();
    const left = Math.max(0, Math.ceil((at?.leftMs ?? 0) / (TTL_MS / 2)));
    const state = `${left > 0 ? at?.owner : 'free'} ${left} ${WORKERS.map((name) => {
      const lease = held.get(name);
      return lease === undefined ? '-' : lease.token === newest ? 'newest' : 'older';
    })} ${writers}`;
    // From here on nobody does anything: its time ends, and whoever comes has it; who held it before may not write.
    await clock.advance(TTL_MS + 1);
    await take('bob');
    assert.ok(await mayWrite('bob'));
    assert.equal(await mayWrite('ada'), false);
    return state;
  }

  try {
    const seen = new Map<string, readonly Step[]>([[await play([]), []]]);
    for (const path of seen.values())
      for (const step of STEPS) {
        transitions++;
        const steps = [...path, step];
        const state = await play(steps).catch((error) => {
          throw new Error(`${steps.join(' → ')}: ${String(error)}`, { cause: error });
        });
        if (!seen.has(state)) seen.set(state, steps);
      }
    console.log(`  ${seen.size} states, ${transitions} transitions`);
    assert.ok(seen.size > 10);
  } finally {
    await store.close();
  }
});
