import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProviderState } from '../../../src/contracts/provider-state.ts';
import type { OpenStore } from './harness.ts';

const state: ProviderState = {
  wallUntil: 1_800_000_000_000,
  learned: { wall: 2.5, at: 5 },
  breakers: { readOne: { round: 2 } },
  spent: { '1000/86400/calls': [[4, 700]] },
  quotaBy403: true,
};

export function providerStateContract(open: OpenStore): void {
  test('what was learned about a provider survives a restart, by account; the newest counts', async () => {
    const opened = await open();
    let { store } = opened;
    assert.equal(await store.read((tx) => tx.providerState.get('duffel')), undefined);
    await store.transact((tx) => tx.providerState.put('duffel', { breakers: {}, spent: {}, quotaBy403: false }, 1));
    await store.transact((tx) => tx.providerState.put('duffel', state, 2));
    if (opened.reopen !== undefined) store = await opened.reopen();
    assert.deepEqual(await store.read((tx) => tx.providerState.get('duffel')), state);
    assert.equal(await store.read((tx) => tx.providerState.get('other')), undefined);
    await opened.dispose();
  });

  test('who has lost the lease of the account overwrites nothing', async () => {
    const { store, dispose } = await open();
    const take = (owner: string) => store.transact((tx) => tx.leases.take(owner, ['account/duffel'], 60_000, 'ignore'));
    const [old] = await take('a');
    await take('b');
    await assert.rejects(
      store.transact((tx) => tx.providerState.put('duffel', state, 3), { fence: old }),
      { code: 'lease-lost' },
    );
    assert.equal(await store.read((tx) => tx.providerState.get('duffel')), undefined);
    await dispose();
  });
}
