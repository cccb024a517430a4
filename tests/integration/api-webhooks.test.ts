import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createWebhookPost } from '../../src/adapters/output/webhook/post.ts';
import type { EndpointId } from '../../src/domain/ids.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { createSender, type Sender } from '../../src/stages/notify/sender.ts';
import { FLIGHT, idle, startApi } from './api.testing.ts';

interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A receiver whose paths answer with what a test sets. */
const received: Received[] = [];
const answers = new Map<string, (nth: number) => number | 'hang'>();
let notify = () => {};
const sink = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const path = request.url ?? '/';
    received.push({ path, headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
    const status = answers.get(path)?.(received.filter((one) => one.path === path).length) ?? 204;
    if (status !== 'hang') response.writeHead(status).end();
    notify();
  });
});
const got = async (path: string, count: number): Promise<Received[]> => {
  for (;;) {
    const mine = received.filter((one) => one.path === path);
    if (mine.length >= count) return mine;
    await new Promise<void>((resolve) => (notify = resolve));
  }
};

let service: Awaited<ReturnType<typeof startApi>>;
let sender: Sender;
let base: string;
/** Time that a test moves; sleeping is short and real, so that the sender looks often. */
let offset = 0;
const clock: Clock = {
  now: () => Date.now() + offset,
  monotonic: () => performance.now() + offset,
  sleep: (ms, signal) => service.deps.clock.sleep(Math.min(ms, 5), signal),
  speed: 1,
};
const post = createWebhookPost({ allowPrivate: true });
const makeSender = (with_: Pick<typeof post, 'post'> = post) => {
  const { store, random, secrets } = service.deps;
  return createSender({ store, clock, random, secrets, post: with_, logger: silentLogger });
};

before(async () => {
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(sink.address() as { port: number }).port}`;
  service = await startApi({ webhooks: post, onDeliveries: () => sender.wake() });
  sender = makeSender();
  sender.start();
});
after(async () => {
  await sender.stop();
  await service.close();
  await post.close();
  sink.closeAllConnections();
  sink.close();
});

let number = 700;
const addFlight = async () => {
  const n = number++;
  const added = await service.call('POST', '/v1/reservations', FLIGHT(service.traveller, `REF${n}X`, String(n)));
  await idle(service.pump);
  sender.wake();
  return added;
};
const endpoint = async (path: string) => {
  const made = await service.call('POST', '/v1/endpoints', { url: base + path });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body as { id: EndpointId; secret: string };
};
const state = async (id: string) => (await service.call('GET', `/v1/endpoints/${id}`)).body;
const deliveries = async (id: string) => (await service.call('GET', `/v1/endpoints/${id}/deliveries`)).body.items;
const until = async (check: () => Promise<boolean>) => {
  for (let i = 0; i < 400; i++) {
    if (await check()) return;
    await service.deps.clock.sleep(10, new AbortController().signal);
  }
  throw new Error('did not happen');
};

test('a change reaches the endpoint once, signed so that the standard library verifies it', async () => {
  const made = await endpoint('/plain');
  await addFlight();
  const [one] = await got('/plain', 1);
  const verified = new Webhook(made.secret).verify(one!.body, one!.headers) as {
    type: string;
    data: { sentences: string[] };
  };
  assert.equal(verified.type, 'itinerary.updated');
  assert.match(verified.data.sentences[0]!, /was added/);
  await until(async () => (await deliveries(made.id))[0]?.state === 'sent');
  const feed = await service.store.read((tx) => tx.itineraries.feed('tnt_default', 0, 100));
  assert.ok(feed.some((item) => item.event.id === one!.headers['webhook-id']));
  const [settled] = await deliveries(made.id);
  const events = await service.store.read((tx) => tx.log.bySubject('tnt_default', settled.id, 10));
  assert.deepEqual(
    events.map(({ event }) => [event.topic, (event.data as { state: string }).state]),
    [['notification.sent', 'sent']],
  );
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

test('failing first: repeated with the same id and body after the documented waits; Retry-After and errors are visible', async () => {
  answers.set('/flaky', (nth) => (nth < 3 ? 500 : 200));
  const made = await endpoint('/flaky');
  await addFlight();
  await got('/flaky', 1);
  await until(async () => (await deliveries(made.id))[0]?.attempts === 1);
  assert.match((await deliveries(made.id))[0].lastError, /500/);
  offset += 6_100;
  await got('/flaky', 2);
  await until(async () => (await deliveries(made.id))[0]?.attempts === 2);
  offset += 361_000;
  const all = await got('/flaky', 3);
  assert.equal(new Set(all.map((one) => one.headers['webhook-id'])).size, 1);
  assert.equal(new Set(all.map((one) => one.body)).size, 1);
  await until(async () => (await deliveries(made.id))[0]?.state === 'sent');
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

test('a hanging endpoint delays nobody', async () => {
  answers.set('/hang', () => 'hang');
  const hanging = await endpoint('/hang');
  const fine = await endpoint('/fine');
  for (let i = 0; i < 5; i++) await addFlight();
  await got('/fine', 5);
  assert.ok(received.filter((one) => one.path === '/hang').length <= 2);
  await until(async () => (await deliveries(fine.id)).every((one: { state: string }) => one.state === 'sent'));
  for (const one of [hanging, fine]) await service.call('DELETE', `/v1/endpoints/${one.id}`);
});

test('410 disables at once; what was queued is settled with the reason; enabling again works', async () => {
  answers.set('/gone', (nth) => (nth === 1 ? 410 : 200));
  const made = await endpoint('/gone');
  await addFlight();
  await until(async () => (await state(made.id)).state === 'disabled');
  assert.match((await state(made.id)).stateReason, /410/);
  await addFlight();
  assert.equal(received.filter((one) => one.path === '/gone').length, 1);
  assert.equal((await service.call('POST', `/v1/endpoints/${made.id}/test`)).status, 409);
  const enabled = await service.call('PATCH', `/v1/endpoints/${made.id}`, { state: 'active' });
  assert.equal(enabled.body.state, 'active');
  assert.equal((await state(made.id)).stateReason, undefined);
  assert.equal((await service.call('POST', `/v1/endpoints/${made.id}/test`)).status, 202);
  assert.match((await got('/gone', 2))[1]!.body, /endpoint\.tested/);
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

test('never answering well: dead after the whole schedule, the endpoint disabled with a notice', async () => {
  answers.set('/dead', () => 503);
  const made = await endpoint('/dead');
  await addFlight();
  await got('/dead', 1);
  for (let attempt = 2; attempt <= 10; attempt++) {
    await until(async () => (await deliveries(made.id))[0]?.attempts === attempt - 1);
    offset += 30 * 3_600_000;
    sender.wake();
    await got('/dead', attempt);
  }
  await until(async () => (await deliveries(made.id))[0]?.state === 'dead');
  await until(async () => (await state(made.id)).state === 'disabled');
  assert.match((await state(made.id)).stateReason, /10 attempts/);
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

test('rotation: both secrets sign until the next one', async () => {
  const made = await endpoint('/rotate');
  const rotated = await service.call('POST', `/v1/endpoints/${made.id}/rotate`);
  await service.call('POST', `/v1/endpoints/${made.id}/test`);
  const [one] = await got('/rotate', 1);
  // The receiver's clock is ours: the standard library checks the real one.
  const headers = { ...one!.headers };
  for (const secret of [made.secret, rotated.body.secret]) assert.ok(verifies(secret, one!.body, headers));
  const again = await service.call('POST', `/v1/endpoints/${made.id}/rotate`);
  await service.call('POST', `/v1/endpoints/${made.id}/test`);
  const two = (await got('/rotate', 2))[1]!;
  assert.equal(verifies(made.secret, two.body, two.headers), false);
  assert.ok(verifies(again.body.secret, two.body, two.headers));
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

function verifies(secret: string, body: string, headers: Record<string, string>): boolean {
  const at = new Date(Number(headers['webhook-timestamp']) * 1000);
  const expected = new Webhook(secret).sign(headers['webhook-id']!, at, body);
  return headers['webhook-signature']!.split(' ').includes(expected);
}

test('a crash between sending and recording: sent again with the same id', async () => {
  const made = await endpoint('/crash');
  await sender.stop();
  let sent = 0;
  const { store, random, secrets } = service.deps;
  const broken = createSender({
    store: { ...store, transact: async () => Promise.reject(new Error('process dies here')) },
    clock,
    random,
    secrets,
    logger: silentLogger,
    post: {
      post: async (request, signal) => {
        sent++;
        return post.post(request, signal);
      },
    },
  });
  broken.start();
  await addFlight();
  broken.wake();
  await got('/crash', 1);
  await broken.stop();
  assert.equal(sent, 1);
  sender = makeSender();
  sender.start();
  const all = await got('/crash', 2);
  assert.equal(all[0]!.headers['webhook-id'], all[1]!.headers['webhook-id']);
  await service.call('DELETE', `/v1/endpoints/${made.id}`);
});

test('an address we would not call is refused at creation, with the remedy', async () => {
  const strict = await startApi({
    webhooks: createWebhookPost({ allowPrivate: false, resolve: async () => ['10.0.0.1'] }),
  });
  for (const url of [
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
    'https://hooks.example.com/',
    'https://[::1]/',
    'nonsense',
  ]) {
    const answer = await strict.call('POST', '/v1/endpoints', { url });
    assert.equal(answer.status, 422, url);
    assert.match(answer.body.code, /^webhook-/);
  }
  const told = await strict.call('POST', '/v1/endpoints', { url: 'https://127.0.0.1/' });
  assert.equal(told.body.code, 'webhook-address-private');
  assert.match(told.body.detail, /allowPrivate/);
  await strict.close();
});
