import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { addReservation } from '../../src/api/commands/reservations.ts';
import { FLIGHT, idle, startApi } from './api.testing.ts';

let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi({ pingMs: 50 });
});
after(() => service.close());

interface Message {
  readonly id: number;
  readonly cursor: string;
  readonly event: string;
  readonly data: { readonly id: string; readonly type: string; readonly data: { readonly version: number } };
}

/** A small reader of the stream: collects messages, can wait for so many. */
async function open(path: string, headers: Record<string, string> = {}) {
  const messages: Message[] = [];
  let text = '';
  let more = () => {};
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(service.url + path, { headers: { authorization: `Bearer ${service.token}`, ...headers } }, resolve).on(
      'error',
      reject,
    );
  });
  response.setEncoding('utf8');
  response.on('error', () => {});
  response.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      text = text.slice(end + 2);
      if (fields.event !== undefined)
        messages.push({
          id: Number.parseInt(fields.id!, 10),
          cursor: fields.id!,
          event: fields.event,
          data: JSON.parse(fields.data!),
        });
      more();
    }
  });
  const closed = new Promise<void>((resolve) => response.on('close', resolve));
  const wait = async (count: number): Promise<readonly Message[]> => {
    while (messages.length < count) await new Promise<void>((resolve) => (more = resolve));
    return messages;
  };
  return { response, messages, wait, closed, close: () => response.destroy() };
}

let number = 500;
const addFlight = async (traveller = service.traveller) => {
  const n = number++;
  await addReservation(service.deps, service.caller, FLIGHT(traveller, `REF${n}X`, String(n)) as never);
  await idle(service.pump);
};

test('a change arrives as a CloudEvent; a reader that comes back with its cursor misses nothing and sees nothing twice', async () => {
  const first = await open('/v1/changes');
  assert.equal(first.response.statusCode, 200);
  assert.match(String(first.response.headers['content-type']), /text\/event-stream/);
  await addFlight();
  const [one] = await first.wait(1);
  assert.equal(one!.event, 'change');
  assert.equal(one!.data.type, 'dev.tripwatch.itinerary.updated.v1');
  first.close();
  for (let i = 0; i < 3; i++) await addFlight();
  const second = await open('/v1/changes', { 'last-event-id': String(one!.id) });
  await second.wait(3);
  await addFlight();
  const seen = await second.wait(4);
  assert.deepEqual(
    seen.map((m) => m.id),
    [1, 2, 3, 4].map((n) => one!.id + n),
  );
  const kept = await service.store.read((tx) => tx.itineraries.feed('tnt_default', 0, 100));
  // The id on the stream is that of the event in the log: explain and webhooks speak of the same one.
  for (const item of kept) assert.ok(await service.store.read((tx) => tx.log.get(item.event.id)));
  second.close();
});

test('many commits at once while readers come in: each sees every change once, in order', async () => {
  const before = (await service.store.read((tx) => tx.itineraries.feedBounds('tnt_default'))).last;
  const readers = [await open(`/v1/changes?after=${before}`)];
  for (let i = 0; i < 20; i++) {
    void addFlight();
    if (i % 5 === 0) readers.push(await open(`/v1/changes?after=${before}`));
  }
  for (const reader of readers) {
    const messages = await reader.wait(20);
    assert.deepEqual(
      messages.map((m) => m.id),
      Array.from({ length: 20 }, (_, i) => before + 1 + i),
    );
    reader.close();
  }
});

test('a store that came back from a backup: a reader of the lost life is told, also when its number is there again', async () => {
  const begin = (epoch: string) => service.store.transact((tx) => tx.itineraries.beginEpoch(epoch, 1));
  await begin('before');
  const first = await open('/v1/changes');
  await addFlight();
  await addFlight();
  const [kept] = await first.wait(2);
  first.close();
  assert.match(kept!.cursor, /^\d+\.before$/);
  await begin('restored');
  await addFlight();
  const page = await service.call('GET', '/v1/changes?format=json&after=0&limit=500');
  const last = page.body.items.at(-1);
  assert.match(last.cursor, /^\d+\.restored$/);
  assert.equal(page.body.next, last.cursor);
  // The life that was lost had given the number that is the newest here, too.
  const lost = `${last.seq}.before`;
  const told = await service.call('GET', `/v1/changes?format=json&after=${lost}`);
  assert.deepEqual([told.body.reset, told.body.items, told.body.next], [true, [], last.cursor]);
  const reader = await open('/v1/changes', { 'last-event-id': lost });
  const [reset] = await reader.wait(1);
  assert.deepEqual([reset!.event, reset!.cursor], ['reset', last.cursor]);
  await addFlight();
  assert.equal((await reader.wait(2))[1]!.id, last.seq + 1, 'and goes on from there');
  reader.close();
  // What was seen before the backup was taken is seen here too.
  const rest = await service.call('GET', `/v1/changes?format=json&after=${kept!.cursor}`);
  assert.deepEqual([rest.body.reset, rest.body.items.length], [false, 3]);
  assert.equal((await service.call('GET', '/v1/changes?format=json&after=1.UPPER')).status, 400);
});

test('a cursor that never was: reset, then onward', async () => {
  const reader = await open('/v1/changes?after=999999');
  const [reset] = await reader.wait(1);
  assert.equal(reset!.event, 'reset');
  await addFlight();
  assert.equal((await reader.wait(2))[1]!.event, 'change');
  reader.close();
});

test('a token of one traveller hears of that traveller only', async () => {
  const other = await service.call('POST', '/v1/travellers', { name: 'Other' });
  const made = await service.call('POST', '/v1/tokens', { label: 'x', scopes: ['read'], traveller: other.body.id });
  const reader = await open('/v1/changes?after=0', { authorization: `Bearer ${made.body.token}` });
  await addFlight();
  await addFlight(other.body.id);
  const messages = await reader.wait(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(messages.length, 1);
  reader.close();
  const page = await service.as(made.body.token)('GET', '/v1/changes?format=json&after=0');
  assert.equal(page.body.items.length, 1);
  assert.equal(page.body.reset, false);
  const rest = await service.as(made.body.token)('GET', `/v1/changes?format=json&after=${page.body.next}`);
  assert.deepEqual(rest.body.items, []);
});

test('pages of JSON: every change once, the last page says where to go on', async () => {
  const ids: number[] = [];
  let after = '0';
  for (let i = 0; i < 100; i++) {
    const page = await service.call('GET', `/v1/changes?format=json&after=${after}&limit=7`);
    ids.push(...page.body.items.map((item: { seq: number }) => item.seq));
    after = page.body.next;
    if (page.body.items.length < 7) break;
  }
  const bounds = await service.store.read((tx) => tx.itineraries.feedBounds('tnt_default'));
  assert.equal(Number.parseInt(after, 10), bounds.last);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.at(-1), bounds.last);
});

test('from commit to client, with a wake: well under a second (measured figures in the report line)', async () => {
  const before = (await service.store.read((tx) => tx.itineraries.feedBounds('tnt_default'))).last;
  const readers = await Promise.all(Array.from({ length: 20 }, () => open(`/v1/changes?after=${before}`)));
  const delays: number[] = [];
  for (let i = 1; i <= 10; i++) {
    await addFlight();
    const at = performance.now();
    service.api.wake();
    await Promise.all(readers.map((reader) => reader.wait(i)));
    delays.push(performance.now() - at);
  }
  for (const reader of readers) reader.close();
  delays.sort((a, b) => a - b);
  console.log(`stream fan-out to 20 clients: p50 ${delays[5]!.toFixed(1)} ms, worst ${delays[9]!.toFixed(1)} ms`);
  assert.ok(delays[5]! < 1000);
});

test('a revoked token ends its stream with the next ping', async () => {
  const made = await service.call('POST', '/v1/tokens', { label: 'x', scopes: ['read'] });
  const reader = await open('/v1/changes', { authorization: `Bearer ${made.body.token}` });
  await service.call('DELETE', `/v1/tokens/${made.body.id}`);
  await reader.closed;
});

test('closing the service ends the streams', async () => {
  const own = await startApi();
  const reader = await new Promise<IncomingMessage>((resolve) => {
    get(`${own.url}/v1/changes`, { headers: { authorization: `Bearer ${own.token}` } }, resolve);
  });
  const ended = new Promise((resolve) => reader.on('end', resolve));
  reader.resume();
  await own.close();
  await ended;
});
