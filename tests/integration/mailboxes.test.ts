import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { StoredCredentials } from '../../src/contracts/mailbox.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { MailboxDesk, MailboxTest } from '../../src/ports/mailbox-desk.ts';
import { mailboxSecretContext, type WatchRef } from '../../src/ports/store/watches.ts';
import { askToRead } from '../../src/stages/collect/ask.ts';
import { startApi } from './api.testing.ts';

/** Connecting mailboxes by REST, on a desk that stands for the outside; and who may see and do what. */

const SEEN: MailboxTest = {
  label: 'IMAP',
  push: 'live',
  folders: [{ name: 'INBOX', role: 'inbox' }, { name: 'Travel' }],
  sample: [
    { from: 'a@air.example', subject: 'Your booking', folder: 'INBOX', receivedAt: 0, read: true, why: 'It is one.' },
  ],
  older: 12,
};
let tested: readonly unknown[] = [];
let refuse: TripwatchError | undefined;
const desk: MailboxDesk = {
  kinds: () => [{ kind: 'imap', label: 'IMAP', signIn: 'password' }],
  discover: async (address) => {
    if (!address.includes('@'))
      throw new TripwatchError('permanent', 'mailbox-settings-invalid', `"${address}" is no mail address.`);
    const host = address.endsWith('@strange.example') ? 'mail.hoster.example' : 'imap.example.org';
    const confirm = host === 'mail.hoster.example';
    return { kind: 'imap', host, port: 993, security: 'tls', user: address, login: 'password', confirm };
  },
  test: async (account) => {
    tested = [...tested, account.settings];
    if (refuse !== undefined) throw refuse;
    return SEEN;
  },
  testStored: async () => SEEN,
  signInUrl: ({ state, redirectUri }) =>
    `https://provider.example/?${new URLSearchParams({ state, redirect_uri: redirectUri })}`,
  signedIn: async ({ code, redirectUri }) => {
    assert.match(redirectUri, /\/oauth\/callback$/);
    if (code === 'bad') throw new TripwatchError('unauthorised', 'consent-needed', 'Google has ended our access.');
    return { kind: 'oauth', user: 'ada@gmail.example', client: 'google', refreshToken: 'r1', accessToken: 'a1' };
  },
};
let service: Awaited<ReturnType<typeof startApi>>;
const woken: WatchRef[] = [];
const PASSWORD = 'correct horse battery';

before(async () => {
  service = await startApi({ mailboxes: async () => desk, askToRead, onMailboxes: (refs) => woken.push(...refs) });
});
after(() => service.close());

const path = () => `/v1/travellers/${service.traveller}/mailboxes`;
const connect = (more: object = {}) =>
  service.call('POST', path(), { kind: 'imap', address: 'ada@example.org', password: PASSWORD, ...more });

test('a mailbox is connected by address and password alone; the password goes in and never comes out', async () => {
  const added = await connect();
  assert.equal(added.status, 201, JSON.stringify(added.body));
  assert.equal(added.body.kind, 'imap');
  assert.equal(added.body.watch.state, 'connecting');
  assert.deepEqual(tested, [{ host: 'imap.example.org', port: 993, security: 'tls' }]);
  const listed = await service.call('GET', path());
  const one = await service.call('GET', `/v1/mailboxes/${added.body.id}`);
  for (const text of [added, listed, one].map(({ body }) => JSON.stringify(body))) assert.ok(!text.includes(PASSWORD));
  const watch = await service.store.read((tx) => tx.watches.get(service.caller.tenant, added.body.id));
  assert.ok(!JSON.stringify(watch).includes(PASSWORD), 'sealed in the store');
  const opened = service.deps.secrets.open(watch!.sealedCredentials!, mailboxSecretContext(watch!));
  assert.deepEqual(JSON.parse(opened) as StoredCredentials, {
    kind: 'password',
    user: 'ada@example.org',
    password: PASSWORD,
  });
  const days = (service.deps.clock.now() - watch!.since) / 86_400_000;
  assert.ok(days > 89 && days < 91);
  assert.deepEqual(woken.at(-1), { tenant: service.caller.tenant, mailbox: added.body.id });
  const again = await connect();
  assert.deepEqual([again.status, again.body.code], [409, 'mailbox-exists']);
});

test('what the mail server says no to is told in its words, and nothing is stored', async () => {
  const before = (await service.call('GET', path())).body.items.length;
  refuse = new TripwatchError('unauthorised', 'mailbox-app-password-needed', 'Make an app password at x.');
  const refused = await connect({ address: 'bob@example.org' });
  refuse = undefined;
  assert.deepEqual([refused.status, refused.body.code], [422, 'mailbox-refused']);
  assert.match(refused.body.detail, /app password/);
  assert.deepEqual(refused.body.errors, [{ path: 'password', message: 'mailbox-app-password-needed' }]);
  const wrong = await connect({ address: 'nobody' });
  assert.deepEqual([wrong.status, wrong.body.errors[0].path], [422, 'address']);
  const strange = await connect({ address: 'bob@strange.example' });
  assert.deepEqual([strange.status, strange.body.code], [409, 'mailbox-confirm']);
  assert.match(strange.body.detail, /mail\.hoster\.example/);
  assert.equal((await service.call('GET', path())).body.items.length, before);
  const yes = await connect({ address: 'bob@strange.example', confirm: true, sinceDays: 0 });
  assert.equal(yes.status, 201);
  assert.equal(yes.body.watch.backfill.done, true, 'only what comes from now on');
});

test('what is busy is to be tried again, and is no fault of what was entered; port 143 means STARTTLS', async () => {
  refuse = new TripwatchError(
    'rate-limited',
    'mailbox-limited',
    'x allows no more now. It is asked again later; close y.',
  );
  const busy = await connect({ address: 'eve@example.org' });
  refuse = undefined;
  assert.deepEqual([busy.status, busy.body.code], [429, 'limit-reached']);
  assert.equal(busy.body.detail, 'x allows no more now. Try again in some minutes; close y.');
  const plain = await connect({ address: 'eve@example.org', host: 'imap.example.org', port: 143 });
  assert.equal(plain.status, 201, JSON.stringify(plain.body));
  assert.deepEqual(tested.at(-1), { host: 'imap.example.org', security: 'starttls', port: 143 });
  await service.call('DELETE', `/v1/mailboxes/${plain.body.id}`);
});

test('one looks into it, has it looked at, lets it rest and go on; removed, its credentials are gone', async () => {
  const { id } = (await service.call('GET', path())).body.items[0];
  const look = await service.call('POST', `/v1/mailboxes/${id}/test`);
  assert.equal(look.body.sample[0].read, true);
  assert.equal((await service.call('POST', `/v1/mailboxes/${id}/check`)).status, 202);
  const paused = await service.call('POST', `/v1/mailboxes/${id}/pause`, {});
  assert.deepEqual([paused.body.state, paused.body.watch.state], ['paused', 'paused']);
  assert.equal((await service.call('POST', `/v1/mailboxes/${id}/check`)).status, 409);
  assert.equal((await service.call('POST', `/v1/mailboxes/${id}/resume`)).body.state, 'active');
  assert.equal((await service.call('POST', `/v1/mailboxes/${id}/resume`)).status, 409);
  const further = await service.call('PATCH', `/v1/mailboxes/${id}`, { sinceDays: 365, folders: ['INBOX'] });
  assert.deepEqual(further.body.watch.folders, ['INBOX']);
  const removed = await service.call('DELETE', `/v1/mailboxes/${id}`);
  assert.deepEqual(removed.body, { id, state: 'removed', receipts: 0 });
  assert.equal((await service.call('GET', `/v1/mailboxes/${id}`)).status, 404);
  const { rows } = await service.store.read(async ({ db }) => ({
    rows: await db.selectFrom('watch').select(['mailbox', 'sealed_credentials']).where('mailbox', '=', id).execute(),
  }));
  assert.equal(rows.length, 1, 'the row stays for whoever watches it');
  assert.equal(rows[0]!.sealed_credentials, null);
});

test('signing in at a provider: only who began it ends it, once, and consent that expired goes on where it was', async () => {
  const begun = await service.call('POST', `${path()}/sign-in`, { kind: 'gmail', sinceDays: 30 });
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const state = new URL(begun.body.url).searchParams.get('state')!;
  for (const text of [service.traveller, 'verifier']) assert.ok(!state.includes(text), 'sealed');
  const back = await service.call('GET', `/oauth/callback?code=good&state=${encodeURIComponent(state)}`);
  assert.equal(back.status, 303);
  const told = new URLSearchParams(back.headers.get('location')!.slice(2));
  assert.deepEqual([told.get('view'), told.get('code'), told.get('state')], ['mailboxes', 'good', state]);
  const other = await service.operator('tnt_default');
  const stolen = await service.as(other.token)('POST', '/v1/mailboxes/sign-in', { code: 'good', state });
  assert.deepEqual([stolen.status, stolen.body.code], [409, 'sign-in-expired']);
  const bad = await service.call('POST', '/v1/mailboxes/sign-in', { code: 'bad', state });
  assert.deepEqual([bad.status, bad.body.code], [422, 'mailbox-refused']);
  const done = await service.call('POST', '/v1/mailboxes/sign-in', { code: 'good', state });
  assert.deepEqual([done.status, done.body.kind, done.body.address], [201, 'gmail', 'ada@gmail.example']);
  assert.equal(
    (await service.call('POST', '/v1/mailboxes/sign-in', { code: 'good', state })).body.code,
    'mailbox-exists',
  );
  const again = await service.call('POST', `${path()}/sign-in`, { kind: 'gmail', mailbox: done.body.id });
  const second = new URL(again.body.url).searchParams.get('state')!;
  const mended = await service.call('POST', '/v1/mailboxes/sign-in', { code: 'good', state: second });
  assert.equal(mended.body.id, done.body.id);
  const refused = await service.call('GET', '/oauth/callback?error=access_denied');
  assert.match(refused.headers.get('location')!, /refused=access_denied/);
});

test('nothing of another tenant or traveller is seen or touched', async () => {
  const { id } = (await service.call('GET', path())).body.items.at(-1);
  const elsewhere = await service.operator('tnt_elsewhere');
  const bound = await service.call('POST', '/v1/tokens', {
    label: 'other',
    scopes: ['read', 'write'],
    traveller: (await service.call('POST', '/v1/travellers', { name: 'Eve' })).body.id,
  });
  for (const token of [elsewhere.token, bound.body.token]) {
    const as = service.as(token);
    for (const [method, where, body] of [
      ['GET', `/v1/mailboxes/${id}`, undefined],
      ['PATCH', `/v1/mailboxes/${id}`, { sinceDays: 1 }],
      ['POST', `/v1/mailboxes/${id}/test`, undefined],
      ['POST', `/v1/mailboxes/${id}/check`, undefined],
      ['POST', `/v1/mailboxes/${id}/pause`, {}],
      ['POST', `/v1/mailboxes/${id}/resume`, undefined],
      ['DELETE', `/v1/mailboxes/${id}`, undefined],
      ['GET', path(), undefined],
      ['POST', path(), { kind: 'imap', address: 'eve@example.org', password: 'x' }],
      ['POST', `${path()}/sign-in`, { kind: 'gmail' }],
    ] as const)
      assert.equal((await as(method, where, body)).status, 404, `${method} ${where}`);
  }
});

test('a mail that was left unopened is read after all when its owner asks; what is gone is not', async () => {
  const { tenant } = service.caller;
  const [{ id: mailbox }] = (await service.call('GET', path())).body.items;
  const mail = (name: string, more: object) => ({
    id: `mail_${name}` as const,
    tenant,
    traveller: service.traveller,
    mailbox,
    headDigest: name.padEnd(64, '0'),
    size: 10,
    fromAddress: 'a@air.example',
    fromName: '',
    subject: 'Your booking',
    date: undefined,
    messageId: undefined,
    receivedAt: 1000,
    via: 'imap' as const,
    ...more,
  });
  const skipped = { disposition: 'skipped', reasonCode: 'score-low', reason: 'Not opened.' } as const;
  await service.store.transact(async (tx) => {
    await tx.mails.add(mail('a', { ref: 'INBOX;1;1', folder: 'INBOX' }), 1000);
    await tx.mails.add(mail('b', {}), 1000);
    for (const id of ['mail_a', 'mail_b'] as const) await tx.mails.update(tenant, id, skipped, 1000);
  });
  const list = await service.call('GET', `/v1/receipts?mailbox=${mailbox}`);
  assert.deepEqual(list.body.items.map((one: { id: string; askable: boolean }) => [one.id, one.askable]).toSorted(), [
    ['mail_a', true],
    ['mail_b', false],
  ]);
  assert.equal((await service.call('GET', '/v1/receipts?mailbox=mbx_other')).body.items.length, 0);
  assert.equal((await service.call('GET', '/v1/receipts?reason=score-low')).body.items.length, 2);
  assert.equal((await service.call('GET', '/v1/receipts?reason=rule-denied')).body.items.length, 0);
  const asked = await service.call('POST', '/v1/receipts/mail_a/read');
  assert.deepEqual([asked.status, asked.body.disposition, asked.body.reasonCode], [202, 'seen', 'asked']);
  assert.equal((await service.call('POST', '/v1/receipts/mail_a/read')).status, 409, 'it is being read');
  const gone = await service.call('POST', '/v1/receipts/mail_b/read');
  assert.match(gone.body.detail, /no longer here/);
  const elsewhere = await service.operator('tnt_elsewhere');
  assert.equal((await service.as(elsewhere.token)('POST', '/v1/receipts/mail_a/read')).status, 404);
  const events = await service.store.read((tx) => tx.log.byCorrelation(tenant, 'mail_a', 10));
  assert.deepEqual(
    events.map(({ event }) => (event.data as { asked?: boolean }).asked),
    [true],
  );
});
