import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { type Service, startService } from '../../src/app/service.ts';
import type { StoredCredentials } from '../../src/contracts/mailbox.ts';
import { type MailboxId, sortableId } from '../../src/domain/ids.ts';
import type { Traveller } from '../../src/ports/store/accounts.ts';
import { mailboxSecretContext } from '../../src/ports/store/watches.ts';
import { MailBox } from '../../src/sandbox/mailboxes/box.ts';
import { type GmailFake, startGmailFake } from '../../src/sandbox/mailboxes/gmail.ts';
import { type GraphFake, startGraphFake } from '../../src/sandbox/mailboxes/graph.ts';
import { type MailServer, Switchboard, startMailServer } from '../../src/sandbox/mailboxes/server.ts';
import { letter, watchOf } from './watch.testing.ts';

/**
 * Notices of Gmail and Microsoft Graph over HTTP, into the whole service, whose clock runs forty times as fast: a sweep
 * comes after twelve to fifteen real seconds, so what comes sooner was told of.
 */
const SPEED = 40;
const SWEEP_REAL_MS = 15_000;
const TOLD_REAL_MS = 8000;
const TOKEN = 'good-access-token-for-tests';
const TOPIC = 'projects/p/topics/mails';
const SUBSCRIPTION = 'projects/p/subscriptions/mails';
const ACCOUNT = 'pusher@p.iam.gserviceaccount.com';

let root: string;
let core: Core;
let service: Service;
let traveller: Traveller;
let token: string;
let keyServer: MailServer;
let gmail: GmailFake;
let graph: GraphFake;
const boxes = { gmail: new MailBox('ada@gmail.example', 'push-g'), graph: new MailBox('ada@work.example', 'push-m') };
const good = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
let mailboxes: Readonly<Record<'gmail' | 'graph', MailboxId>>;
let audience: string;

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripwatch-push-'));
  const port = await freePort();
  const keys = [{ ...good.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }];
  keyServer = await startMailServer(new Switchboard(), () => ({ status: 200, body: { keys } }));
  const from = Date.now();
  const now = () => core.clock.now();
  const accepts = (given: string) => given === TOKEN;
  gmail = await startGmailFake({ box: boxes.gmail, now, accepts });
  gmail.unitsPerMinute = 1e9;
  graph = await startGraphFake({ box: boxes.graph, now, accepts });
  audience = `http://127.0.0.1:${port}/push/mailboxes/gmail`;
  const push = { topic: TOPIC, serviceAccount: ACCOUNT, subscription: SUBSCRIPTION, keysUrl: keyServer.url };
  const config = loadConfig({
    data: join(root, 'data'),
    override: {
      http: { port, publicUrl: `http://127.0.0.1:${port}` },
      smtp: { enabled: false },
      log: { level: 'silent' },
      clock: { speed: SPEED, startAt: new Date(from).toISOString(), anchor: from },
      oauth: { google: { clientId: 'c', apiUrl: gmail.url, push }, microsoft: { clientId: 'c', apiUrl: graph.url } },
    },
  });
  core = await openCore(config, prepareFolder(join(root, 'data')));
  traveller = await addTraveller(core.commands, OPERATOR, { name: 'Ada', zone: 'Europe/Berlin', locale: 'en' });
  token = (await addToken(core.commands, OPERATOR, { label: 'test', scopes: ['read', 'write', 'operate'] })).secret;
  mailboxes = { gmail: await connected('gmail'), graph: await connected('graph') };
  service = await startService(core);
  for (const id of Object.values(mailboxes)) await until(async () => (await view(id)).watch.news.by === 'notices');
});
after(async () => {
  await service?.stop();
  await core?.close();
  for (const server of [gmail, graph, keyServer]) await server?.close();
  rmSync(root, { recursive: true, force: true });
});

/** As the owner would have connected it: signed in, with a token that holds. */
async function connected(kind: 'gmail' | 'graph'): Promise<MailboxId> {
  const now = core.clock.now();
  const id: MailboxId = sortableId('mbx', now, core.random.bytes(10));
  const { tenant } = traveller;
  const { address } = boxes[kind];
  const credentials: StoredCredentials = {
    ...{ kind: 'oauth', user: address, client: kind === 'gmail' ? 'google' : 'microsoft' },
    ...{ refreshToken: 'r', accessToken: TOKEN, expiresAt: Math.trunc(now + 1e10) },
  };
  const context = mailboxSecretContext({ tenant, mailbox: id });
  const sealedCredentials = core.secrets.seal(JSON.stringify(credentials), context);
  await core.store.transact(async (tx) => {
    const common = { tenant, traveller: traveller.id };
    await tx.accounts.addMailbox(
      { id, ...common, kind, label: address, address, state: 'active', createdAt: now },
      undefined,
    );
    await tx.watches.add({ ...watchOf(id, traveller.id, now, now), tenant, kind, sealedCredentials });
  });
  return id;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
async function view(id: string): Promise<any> {
  const answer = await fetch(`${service.url}/v1/mailboxes/${id}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.json();
}

async function until(what: () => boolean | Promise<boolean>, ms = 30_000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await delay(20)) if (await what()) return true;
  return what();
}

const seen = async (kind: 'gmail' | 'graph') => (await view(mailboxes[kind])).mails.seen as number;
let serial = 0;
/** Put into the mailbox; nobody is told. */
const deliver = (kind: 'gmail' | 'graph') =>
  boxes[kind].deliver(letter(`${kind} ${++serial}`, 'other'), core.clock.now());

interface Claims {
  readonly [name: string]: unknown;
}
function jwt(claims: Claims = {}, key: KeyObject = good.privateKey, header: object = {}): string {
  const now = Math.floor(core.clock.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', kid: 'k1', typ: 'JWT', ...header })}.${part({
    ...{ iss: 'https://accounts.google.com', aud: audience, email: ACCOUNT, email_verified: true },
    ...{ iat: now, exp: now + 3600, ...claims },
  })}`;
  return `${signed}.${createSign('sha256').update(signed).sign(key).toString('base64url')}`;
}

const notice = (emailAddress = boxes.gmail.address, more: object = {}) => ({
  message: {
    data: Buffer.from(JSON.stringify({ emailAddress, historyId: 4711 })).toString('base64'),
    messageId: '1',
    publishTime: '2026-11-25T10:00:00Z',
  },
  subscription: SUBSCRIPTION,
  ...more,
});

const pubSub = (bearer: string | undefined, body: unknown = notice()) =>
  fetch(audience, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

test('Gmail: a push has its answer at once and its mail on the ledger before any sweep; repeats change nothing', async () => {
  assert.equal(gmail.watchedTopic, TOPIC);
  const before = await seen('gmail');
  for (let n = 1; n <= 3; n++) {
    await delay(300);
    deliver('gmail');
    const answers = await Promise.all(Array.from({ length: 10 }, () => pubSub(jwt())));
    for (const answer of answers) assert.deepEqual([answer.status, await answer.json()], [202, { accepted: true }]);
    assert.ok(await until(async () => (await seen('gmail')) === before + n, TOLD_REAL_MS), `mail ${n}`);
  }
  assert.equal(await seen('gmail'), before + 3);
  assert.equal((await pubSub(jwt(), notice('stranger@gmail.example'))).status, 202, 'of nobody here: taken, forgotten');
});

test('Gmail: a forged push is refused and wakes nothing', async () => {
  const looks = () => gmail.board.count('GET history');
  const minute = 60;
  const now = () => Math.floor(core.clock.now() / 1000);
  const forged: readonly [string, () => Promise<Response>][] = [
    ['no token', () => pubSub(undefined)],
    ['no token of three parts', () => pubSub('abc')],
    ['signed by another key', () => pubSub(jwt({}, other.privateKey))],
    ['a key that nobody has', () => pubSub(jwt({}, other.privateKey, { kid: 'k2' }))],
    ['no signature asked for', () => pubSub(`${jwt({}, good.privateKey, { alg: 'none' }).split('.', 2).join('.')}.AA`)],
    ['the public key as a secret', () => pubSub(jwt({}, good.privateKey, { alg: 'HS256' }))],
    ['another issuer', () => pubSub(jwt({ iss: 'https://accounts.example' }))],
    ['for another service', () => pubSub(jwt({ aud: 'https://other.example/push' }))],
    ['of another account', () => pubSub(jwt({ email: 'else@p.iam.gserviceaccount.com' }))],
    ['of an unproven account', () => pubSub(jwt({ email_verified: false }))],
    ['expired', () => pubSub(jwt({ iat: now() - 2 * 3600 - minute, exp: now() - 3600 }))],
    ['of the future', () => pubSub(jwt({ iat: now() + 7200, nbf: now() + 7200 }))],
    ['of another subscription', () => pubSub(jwt(), notice(undefined, { subscription: 'projects/x/subscriptions/y' }))],
    ['no message', () => pubSub(jwt(), {})],
    ['no JSON', () => pubSub(jwt(), '{"message":')],
    ['a claim changed', () => pubSub(jwt().replace(/\.[^.]{4}/, '.eyJx'))],
  ];
  const before = looks();
  const began = performance.now();
  for (const [what, push] of forged) {
    const answer = await push();
    assert.equal(answer.status, 401, what);
    assert.equal(((await answer.json()) as { code: string }).code, 'push-refused', what);
  }
  // Sweeps went on meanwhile.
  const sweeps = Math.ceil((performance.now() - began) / 10_000) + 1;
  assert.ok(looks() - before <= sweeps, `${looks() - before} looks, ${sweeps} of them sweeps`);
});

test('what is never pushed is found by the sweep', async () => {
  graph.subscriptions.dropped = true;
  const before = { gmail: await seen('gmail'), graph: await seen('graph') };
  const lost = deliver('graph');
  deliver('gmail');
  assert.deepEqual(await graph.subscriptions.notify(lost.id), [0]);
  graph.subscriptions.dropped = false;
  for (const kind of ['gmail', 'graph'] as const)
    assert.ok(await until(async () => (await seen(kind)) === before[kind] + 1, 2 * SWEEP_REAL_MS), kind);
});

test('Graph: the handshake was answered, a notice brings its mail before any sweep; repeats change nothing', async () => {
  const [made, ...more] = [...graph.subscriptions.all.values()];
  assert.deepEqual(more, []);
  assert.equal(made?.notificationUrl, `${service.url}/push/mailboxes/graph`);
  assert.equal(made?.lifecycleNotificationUrl, made?.notificationUrl);
  assert.ok(made!.clientState.length <= 128);
  assert.ok(made!.clientState.startsWith(`${mailboxes.graph}.`));
  const before = await seen('graph');
  for (let n = 1; n <= 3; n++) {
    await delay(300);
    const statuses = await graph.subscriptions.notify(deliver('graph').id, { times: 5 });
    assert.deepEqual(statuses, [202, 202, 202, 202, 202]);
    assert.ok(await until(async () => (await seen('graph')) === before + n, TOLD_REAL_MS), `mail ${n}`);
  }
});

test('Graph: the handshake gives back its token as it is, as text that no browser runs', async () => {
  const text = '<script>alert(1)</script> ünd more & %';
  const url = new URL(`${service.url}/push/mailboxes/graph`);
  url.searchParams.set('validationToken', text);
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(await answer.text(), text);
  url.searchParams.set('validationToken', 'x'.repeat(6000));
  assert.ok((await fetch(url, { method: 'POST' })).status >= 400);
});

test('Graph: a forged notice is refused, also one with the clientState of another mailbox that is none of ours', async () => {
  assert.deepEqual(await graph.subscriptions.notify('x', { forged: true }), [401]);
  const post = (body: unknown) =>
    fetch(`${service.url}/push/mailboxes/graph`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { clientState, id } = graph.subscriptions.all.values().next().value!;
  const parts = clientState.split('.');
  for (const state of [
    undefined,
    '',
    clientState.replace(/^mbx_./, 'mbx_x'),
    `${clientState}A`,
    [parts[0], 'deadbeef', parts[2], parts[3]].join('.'),
    [parts[0], parts[1], 'other', parts[3]].join('.'),
  ])
    assert.equal((await post({ value: [{ subscriptionId: id, clientState: state }] })).status, 401, String(state));
  for (const body of [{}, { value: 'x' }, { value: [] }, []]) assert.equal((await post(body)).status, 401);
  const mixed = [
    { subscriptionId: 's', clientState: 'forged' },
    { subscriptionId: id, clientState },
  ];
  assert.equal((await post({ value: mixed })).status, 202, 'a good one among them still counts');
  assert.equal((await fetch(`${service.url}/push/mailboxes/imap`, { method: 'POST' })).status, 404);
});

test('Graph: lifecycle notices are acted on at once', async () => {
  const only = () => {
    const all = [...graph.subscriptions.all.values()];
    assert.equal(all.length, 1);
    return all[0]!;
  };
  const first = only();
  const until1 = first.expiresAt;
  await delay(300);
  assert.deepEqual(await graph.subscriptions.lifecycle('reauthorizationRequired'), [202]);
  assert.ok(await until(() => only().expiresAt > until1, TOLD_REAL_MS), 'prolonged');
  assert.equal(only().id, first.id);
  await delay(300);
  deliver('graph');
  const before = await seen('graph');
  assert.deepEqual(await graph.subscriptions.lifecycle('missed'), [202]);
  assert.ok(await until(async () => (await seen('graph')) === before + 1, TOLD_REAL_MS), 'looked');
  await delay(300);
  assert.deepEqual(await graph.subscriptions.lifecycle('subscriptionRemoved'), [202]);
  assert.ok(await until(() => graph.subscriptions.all.size === 1, TOLD_REAL_MS), 'made anew');
  assert.notEqual(only().id, first.id);
  const again = await seen('graph');
  assert.deepEqual(await graph.subscriptions.notify(deliver('graph').id), [202]);
  assert.ok(await until(async () => (await seen('graph')) === again + 1, TOLD_REAL_MS));
});
