import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pause } from '../../../src/ports/store/control.ts';
import { ana, box, type OpenStore, other } from './harness.ts';

const stage: Pause = { kind: 'stage', id: 'extract', tenant: undefined, reason: 'looking', by: 'cli:ada', at: 5 };

export function controlContract(open: OpenStore): void {
  test('a pause stands until it is resumed, with who said so and why; a second one changes nothing', async () => {
    const { store, dispose } = await open();
    assert.equal(await store.transact((tx) => tx.control.pause(stage)), true);
    assert.equal(await store.transact((tx) => tx.control.pause({ ...stage, reason: 'again', at: 9 })), false);
    assert.deepEqual(await store.read((tx) => tx.control.pauses()), [stage]);
    assert.deepEqual(await store.transact((tx) => tx.control.resume(stage)), stage);
    assert.equal(await store.transact((tx) => tx.control.resume(stage)), undefined);
    assert.deepEqual(await store.read((tx) => tx.control.pauses()), []);
    await dispose();
  });

  test('pauses survive a restart, oldest first, and belong to their tenant', async () => {
    const opened = await open();
    let { store } = opened;
    const mailbox: Pause = { ...stage, kind: 'mailbox', id: box, tenant: ana.tenant, at: 3 };
    const tenant: Pause = { ...stage, kind: 'tenant', id: other.tenant, tenant: other.tenant, at: 4 };
    await store.transact(async (tx) => {
      for (const pause of [stage, tenant, mailbox]) await tx.control.pause(pause);
    });
    assert.equal(await store.transact((tx) => tx.control.resume({ ...mailbox, tenant: other.tenant })), undefined);
    if (opened.reopen !== undefined) store = await opened.reopen();
    assert.deepEqual(await store.read((tx) => tx.control.pauses()), [mailbox, tenant, stage]);
    await opened.dispose();
  });

  test('tenants are listed', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.accounts.ensureTenant(other.tenant, 'Two', 1);
      await tx.accounts.ensureTenant(ana.tenant, 'One', 1);
    });
    assert.deepEqual(await store.read((tx) => tx.control.tenants()), [ana.tenant, other.tenant]);
    await dispose();
  });
}
