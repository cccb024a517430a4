import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailId, ObservationId, TenantId } from '../../../src/domain/ids.ts';
import type { ApiToken, Endpoint, Mailbox, Rule, Traveller } from '../../../src/ports/store/accounts.ts';
import { DISPOSITIONS, type MailEffect } from '../../../src/ports/store/mails.ts';
import { ana, ben, box, hook, mail, type OpenStore, other } from './harness.ts';

export function mailsContract(open: OpenStore): void {
  test('the same bytes in a mailbox are one mail, counted', async () => {
    const { store, dispose } = await open();
    const first = { new: true, id: 'mail_a', disposition: 'seen', timesSeen: 1 };
    assert.deepEqual(await store.transact((tx) => tx.mails.add(mail('a'), 5)), first);
    for (let n = 0; n < 3; n++) {
      // Whatever id it comes with: it has one.
      const again = mail('a', { subject: 'forged', id: `mail_other${n}` });
      assert.deepEqual(await store.transact((tx) => tx.mails.add(again, 9)), {
        ...first,
        new: false,
        timesSeen: n + 2,
      });
    }
    assert.deepEqual(await store.read((tx) => tx.mails.get(ana.tenant, 'mail_a')), {
      ...mail('a'),
      disposition: 'seen',
      reasonCode: 'seen',
      reason: 'stored, not decided yet',
      reservations: [],
      warnings: [],
      timesSeen: 4,
      updatedAt: 5,
    });
    // The same Message-ID with other bytes is another mail.
    assert.deepEqual(await store.transact((tx) => tx.mails.add(mail('b'), 5)), { ...first, id: 'mail_b' });
    await dispose();
  });

  test('the receipt says what became of a mail', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.mails.add(mail('a', { date: 77, messageId: undefined }), 5);
      await tx.mails.linkReservation(ana.tenant, 'mail_a', 'rsv_2');
      await tx.mails.linkReservation(ana.tenant, 'mail_a', 'rsv_1');
      await tx.mails.linkReservation(ana.tenant, 'mail_a', 'rsv_2');
      const warnings = [{ code: 'no-zone', message: 'a time without a zone' }];
      await tx.mails.update(
        ana.tenant,
        'mail_a',
        { disposition: 'imported', reasonCode: 'found', reason: 'Two.', warnings },
        8,
      );
      await tx.mails.update(
        ana.tenant,
        'mail_a',
        { disposition: 'imported', reasonCode: 'found', reason: 'Two trips.' },
        9,
      );
    });
    const receipt = await store.read((tx) => tx.mails.get(ana.tenant, 'mail_a'));
    assert.equal(receipt?.disposition, 'imported');
    assert.equal(receipt?.reason, 'Two trips.');
    assert.equal(receipt?.updatedAt, 9);
    assert.equal(receipt?.date, 77);
    assert.equal(receipt?.messageId, undefined);
    assert.deepEqual(receipt?.reservations, ['rsv_1', 'rsv_2']);
    assert.deepEqual(receipt?.warnings, [{ code: 'no-zone', message: 'a time without a zone' }]);
    await dispose();
  });

  test('lists go back page by page, newest first, without holes or repeats', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      // Several at the same moment: the cursor must not skip any of them.
      for (let n = 0; n < 25; n++) await tx.mails.add(mail(`m${n}`, { receivedAt: Math.trunc(n / 4) }), 1);
      await tx.mails.add(mail('ben', { ...ben, mailbox: 'mbx_2' }), 1);
      await tx.mails.add(mail('m1', { ...other }), 1);
      await tx.mails.update(ana.tenant, 'mail_m3', { disposition: 'failed', reasonCode: 'x', reason: 'x' }, 1);
    });
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await store.read((tx) =>
        tx.mails.list(ana.tenant, {
          traveller: ana.traveller,
          limit: 4,
          ...(before === undefined ? {} : { before }),
        }),
      );
      assert.ok(page.receipts.length <= 4);
      for (const receipt of page.receipts) seen.push(receipt.id);
      before = page.nextBefore;
    } while (before !== undefined);
    assert.equal(new Set(seen).size, 25);
    assert.equal(seen.length, 25);
    assert.equal(seen[0], 'mail_m24');
    const failed = await store.read((tx) => tx.mails.list(ana.tenant, { disposition: 'failed', limit: 10 }));
    assert.deepEqual(
      failed.receipts.map((receipt) => receipt.id),
      ['mail_m3'],
    );
    for (const hostile of ['', 'x', "1.' OR 1=1", '99999999999999999999.a']) {
      await store.read((tx) => tx.mails.list(ana.tenant, { before: hostile, limit: 2 }));
    }
    await dispose();
  });

  test('counts add up, and stay within tenant and traveller', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      for (let n = 0; n < 5; n++) await tx.mails.add(mail(`m${n}`), 1);
      await tx.mails.add(mail('ben', { ...ben }), 1);
      await tx.mails.add(mail('m1', { ...other }), 1);
      await tx.mails.update(ana.tenant, 'mail_m3', { disposition: 'skipped', reasonCode: 'x', reason: 'x' }, 1);
    });
    const zero = Object.fromEntries(Object.keys(DISPOSITIONS).map((name) => [name, 0]));
    const counts = await store.read(async (tx) => [
      await tx.mails.count(ana.tenant),
      await tx.mails.count(ana.tenant, ben.traveller),
      await tx.mails.count(other.tenant),
      await tx.mails.count('tnt_none' as TenantId),
    ]);
    assert.deepEqual(counts, [{ ...zero, seen: 5, skipped: 1 }, { ...zero, seen: 1 }, { ...zero, seen: 1 }, zero]);
    assert.equal(await store.read((tx) => tx.mails.get(other.tenant, 'mail_m3')), undefined);
    await dispose();
  });

  test('what a mail says is weighed one by one, and the strongest word on each stands in whatever order they come', async () => {
    const { store, dispose } = await open();
    const note = (observation: ObservationId, effect: MailEffect, tenant = ana.tenant) =>
      store.transact((tx) => tx.mails.noteEffect(tenant, 'mail_a', observation, effect));
    const expect = (...ids: ObservationId[]) =>
      store.transact((tx) => tx.mails.expectEffects(ana.tenant, 'mail_a', ids));
    assert.deepEqual(await note('obs_1', 'brought'), [], 'nobody said that this mail says it');
    assert.deepEqual(await expect('obs_1', 'obs_2'), [undefined, undefined]);
    assert.deepEqual(await note('obs_2', 'known', other.tenant), []);
    assert.deepEqual(await note('obs_2', 'failed'), [undefined, 'failed']);
    assert.deepEqual(await note('obs_1', 'brought'), ['brought', 'failed']);
    for (const weaker of ['known', 'failed'] as const)
      assert.deepEqual(await note('obs_1', weaker), ['brought', 'failed'], weaker);
    assert.deepEqual(await expect('obs_2', 'obs_3'), ['brought', 'failed', undefined], 'read once more');
    assert.deepEqual(await note('obs_2', 'known'), ['brought', 'known', undefined]);
    await dispose();
  });

  test('the same mail is found that came before by another way: by its bytes, or by its name and what it belongs to', async () => {
    const { store, dispose } = await open();
    const settled = { reasonCode: 'x', reason: 'x' };
    await store.transact(async ({ mails }) => {
      await mails.add(mail('first'), 5);
      await mails.add(mail('bytes', { mailbox: 'mbx_2', raw: 'sha256:first', messageId: undefined }), 6);
      await mails.add(mail('name', { mailbox: 'mbx_3', receivedAt: 2000 }), 7);
      await mails.add(mail('ben', { ...ben, mailbox: 'mbx_4', raw: 'sha256:first' }), 8);
      await mails.add(mail('far', { ...other, raw: 'sha256:first' }), 8);
    });
    const before = async (id: MailId, owner = ana) =>
      store.transact(async ({ mails }) => mails.sameBefore((await mails.get(owner.tenant, id))!));
    assert.equal(await before('mail_bytes'), undefined, 'the other is not read to the end');
    await store.transact(async ({ mails }) => {
      await mails.update(ana.tenant, 'mail_first', { disposition: 'imported', ...settled, found: 'One.' }, 9);
      await mails.linkReservation(ana.tenant, 'mail_first', 'rsv_1');
      await mails.linkReservation(ana.tenant, 'mail_name', 'rsv_2');
    });
    assert.equal((await store.read((tx) => tx.mails.get(ana.tenant, 'mail_first')))?.found, 'One.');
    assert.deepEqual(await before('mail_bytes'), { id: 'mail_first', by: 'bytes' });
    assert.equal(await before('mail_name'), undefined, 'a name that anyone can copy, and another reservation');
    await store.transact(({ mails }) => mails.linkReservation(ana.tenant, 'mail_name', 'rsv_1'));
    assert.deepEqual(await before('mail_name'), { id: 'mail_first', by: 'message-id' });
    assert.equal(await before('mail_first'), undefined, 'not of itself');
    assert.equal(await before('mail_ben'), undefined, "not of another traveller's");
    assert.equal(await before('mail_far', other), undefined, "not of another tenant's");
    await dispose();
  });
}

const traveller: Traveller = {
  id: ana.traveller,
  tenant: ana.tenant,
  name: 'Ana',
  zone: 'Europe/Berlin',
  locale: 'de',
  createdAt: 1,
};
const mailbox: Mailbox = {
  id: box,
  ...ana,
  kind: 'forward',
  label: 'plans',
  address: 'plans+x@in.example',
  state: 'active',
  createdAt: 1,
};
const rule: Rule = { id: 'r1', ...ana, action: 'deny', field: 'domain', pattern: 'spam.example', createdAt: 1 };
const token: ApiToken = {
  id: 'tok_1',
  tenant: ana.tenant,
  traveller: undefined,
  label: 'laptop',
  scopes: ['read', 'write'],
  createdAt: 1,
  revokedAt: undefined,
  use: 'api',
};
const endpoint: Endpoint = {
  id: hook,
  tenant: ana.tenant,
  traveller: undefined,
  url: 'https://hook.example/x',
  sealedSecrets: ['s1'],
  state: 'active',
  stateReason: undefined,
  createdAt: 1,
};

export function accountsContract(open: OpenStore): void {
  test('travellers and mailboxes', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ accounts }) => {
      await accounts.ensureTenant(ana.tenant, 'One', 1);
      await accounts.ensureTenant(ana.tenant, 'One', 2);
      await accounts.addTraveller(traveller);
      await accounts.addTraveller({ ...traveller, name: 'changed' });
      await accounts.addTraveller({ ...traveller, ...other, name: 'Another Ana' });
      await accounts.addMailbox(mailbox, 'hash-1');
      await accounts.addMailbox(
        { ...mailbox, ...ben, id: 'mbx_2', kind: 'import', address: undefined, createdAt: 2 },
        undefined,
      );
    });
    await store.read(async ({ accounts }) => {
      assert.deepEqual(await accounts.getTraveller(ana.tenant, ana.traveller), traveller);
      assert.deepEqual(await accounts.listTravellers(ana.tenant), [traveller]);
      assert.equal((await accounts.getTraveller(other.tenant, other.traveller))?.name, 'Another Ana');
      assert.deepEqual(await accounts.findMailboxByAddress('hash-1'), mailbox);
      assert.equal(await accounts.findMailboxByAddress('hash-2'), undefined);
      assert.equal((await accounts.listMailboxes(ana.tenant)).length, 2);
      assert.deepEqual(await accounts.listMailboxes(ana.tenant, ana.traveller), [mailbox]);
      assert.deepEqual(await accounts.listMailboxes(other.tenant), []);
    });
    assert.equal(await store.transact((tx) => tx.accounts.setMailboxState(other.tenant, box, 'removed')), false);
    assert.equal(await store.transact((tx) => tx.accounts.setMailboxState(ana.tenant, box, 'paused')), true);
    assert.equal((await store.read((tx) => tx.accounts.findMailboxByAddress('hash-1')))?.state, 'paused');
    await dispose();
  });

  test('rules', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ accounts }) => {
      await accounts.addRule(rule);
      await accounts.addRule({ ...rule, ...ben, id: 'r2' });
    });
    assert.deepEqual(await store.read((tx) => tx.accounts.listRules(ana.tenant, ana.traveller)), [rule]);
    assert.deepEqual(await store.read((tx) => tx.accounts.listRules(other.tenant, other.traveller)), []);
    assert.equal(await store.transact((tx) => tx.accounts.removeRule(other.tenant, 'r1')), false);
    assert.equal(await store.transact((tx) => tx.accounts.removeRule(ana.tenant, 'r1')), true);
    assert.equal(await store.transact((tx) => tx.accounts.removeRule(ana.tenant, 'r1')), false);
    await dispose();
  });

  test('a revoked token is not found', async () => {
    const { store, dispose } = await open();
    await store.transact((tx) => tx.accounts.addToken(token, 'hash'));
    assert.deepEqual(await store.read((tx) => tx.accounts.findToken('hash')), token);
    assert.equal(await store.read((tx) => tx.accounts.findToken('HASH')), undefined);
    assert.equal(await store.transact((tx) => tx.accounts.revokeToken(other.tenant, 'tok_1', 5)), false);
    assert.equal(await store.transact((tx) => tx.accounts.revokeToken(ana.tenant, 'tok_1', 5)), true);
    assert.equal(await store.transact((tx) => tx.accounts.revokeToken(ana.tenant, 'tok_1', 6)), false);
    assert.equal(await store.read((tx) => tx.accounts.findToken('hash')), undefined);
    assert.deepEqual(await store.read((tx) => tx.accounts.listTokens(ana.tenant)), [{ ...token, revokedAt: 5 }]);
    assert.deepEqual(await store.read((tx) => tx.accounts.listTokens(other.tenant)), []);
    await dispose();
  });

  test('endpoints change in part', async () => {
    const { store, dispose } = await open();
    await store.transact((tx) => tx.accounts.addEndpoint(endpoint));
    const change = (
      values: Partial<Pick<Endpoint, 'url' | 'sealedSecrets' | 'state' | 'stateReason'>>,
      tenant = ana.tenant,
    ) => store.transact((tx) => tx.accounts.updateEndpoint(tenant, hook, values));
    assert.equal(await change({ state: 'disabled', stateReason: 'gone' }), true);
    assert.equal(await change({ sealedSecrets: ['s2', 's1'] }), true);
    assert.equal(await change({}), true);
    assert.equal(await change({ url: 'https://evil.example' }, other.tenant), false);
    assert.deepEqual(await store.read((tx) => tx.accounts.getEndpoint(ana.tenant, hook)), {
      ...endpoint,
      sealedSecrets: ['s2', 's1'],
      state: 'disabled',
      stateReason: 'gone',
    });
    assert.equal(await change({ state: 'active', stateReason: undefined }), true);
    assert.equal((await store.read((tx) => tx.accounts.listEndpoints(ana.tenant)))[0]?.stateReason, undefined);
    assert.deepEqual(await store.read((tx) => tx.accounts.listEndpoints(other.tenant)), []);
    assert.equal(await store.transact((tx) => tx.accounts.removeEndpoint(other.tenant, hook)), false);
    assert.equal(await store.transact((tx) => tx.accounts.removeEndpoint(ana.tenant, hook)), true);
    assert.equal(await store.read((tx) => tx.accounts.getEndpoint(ana.tenant, hook)), undefined);
    await dispose();
  });
}
