import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, FLIGHT, startApi } from './api.testing.ts';

let service: Awaited<ReturnType<typeof startApi>>;
let overloaded = false;
before(async () => {
  service = await startApi({
    overloaded: () => overloaded,
    config: { providers: [{ account: 'duffel-main', connector: 'duffel', key: 'env:X' }] },
    push: async (account, request) => {
      if (account !== 'duffel-main') return undefined;
      const text = Buffer.from(request.body).toString();
      return text === 'good'
        ? { kind: 'accepted' }
        : { kind: 'refused', code: 'bad-signature', message: 'Not signed.' };
    },
  });
});
after(() => service.close());

const command = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  service.call(method, path, body, headers);

test('without a token, with a wrong one, and with a bad header: 401 as a problem', async () => {
  for (const token of [undefined, 'twk_wrong', 'x'.repeat(5000)]) {
    const answer = await service.as(token)('GET', '/v1/travellers');
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.match(answer.body.type, /^\/problems\/token-/);
    assert.match(answer.headers.get('www-authenticate') ?? '', /Bearer/);
  }
});

test('a flight by hand: added, seen with evidence, edited, removed and restored', async () => {
  const added = await command('POST', '/v1/reservations', FLIGHT(service.traveller));
  assert.equal(added.status, 201, JSON.stringify(added.body));
  const { reservation } = added.body;
  assert.equal(reservation.legs[0].title, 'LH 400 Frankfurt am Main → New York');
  assert.equal(reservation.legs[0].fields['start.scheduled'].value, '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(reservation.legs[0].fields['start.scheduled'].by.authority, 'person');
  const id = reservation.id;

  const edited = await command('PATCH', `/v1/reservations/${id}`, {
    leg: reservation.legs[0].id,
    facts: { 'start.gate': 'B22' },
  });
  assert.equal(edited.status, 200, JSON.stringify(edited.body));
  assert.equal(edited.body.reservation.version, 2);
  assert.equal(edited.body.reservation.legs[0].start.gate, 'B22');

  const removed = await command('DELETE', `/v1/reservations/${id}`);
  assert.equal(removed.body.reservation.removed, true, JSON.stringify(removed.body));
  assert.equal((await service.call('GET', `/v1/trips?traveller=${service.traveller}`)).body.items.length, 0);
  const restored = await command('POST', `/v1/reservations/${id}/restore`);
  assert.equal(restored.body.reservation.removed, false);

  const history = await service.call('GET', `/v1/reservations/${id}/history`);
  assert.deepEqual(
    history.body.versions.map((v: { version: number }) => v.version),
    [1, 2, 3, 4],
  );
  assert.match(history.body.versions[1].sentences[0], /gate B22/i);

  const trips = await service.call('GET', `/v1/trips?traveller=${service.traveller}`);
  assert.equal(trips.body.items[0].title, 'Trip to New York');
  assert.equal(trips.body.items[0].legs[0].reservation, id);

  const list = await service.call('GET', '/v1/reservations?limit=1');
  assert.equal(list.body.items[0].id, id);

  const explained = await service.call('GET', `/v1/explain/${id}`);
  assert.equal(explained.status, 200);
  const topics = new Set(explained.body.events.map((e: { topic: string }) => e.topic));
  assert.ok(topics.has('observation.recorded') && topics.has('itinerary.updated'));
  assert.ok(explained.body.events[0].processed[0].at);
  const eventId = explained.body.events[0].id;
  assert.equal((await service.call('GET', `/v1/explain/${eventId}`)).status, 200);
});

test('while too much waits, nothing new is taken: 503 with when to come again; reading goes on', async () => {
  overloaded = true;
  try {
    const refused = await command('POST', '/v1/reservations', FLIGHT(service.traveller, 'FULL01', '404'));
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '15');
    assert.match(refused.body.detail, /Too much is waiting/);
    assert.equal((await command('GET', '/v1/reservations')).status, 200);
  } finally {
    overloaded = false;
  }
  assert.equal((await command('POST', '/v1/reservations', FLIGHT(service.traveller, 'FULL01', '404'))).status, 201);
});

test('the same Idempotency-Key: the same reservation; another body under it: refused', async () => {
  const body = FLIGHT(service.traveller, 'IDEM77', '401');
  const first = await command('POST', '/v1/reservations', body, { 'idempotency-key': 'abc' });
  const again = await command('POST', '/v1/reservations', body, { 'idempotency-key': 'abc' });
  assert.equal(again.body.new, false);
  assert.equal(again.body.observation, first.body.observation);
  const other = await command('POST', '/v1/reservations', FLIGHT(service.traveller, 'OTHER1', '402'), {
    'idempotency-key': 'abc',
  });
  assert.equal(other.status, 422);
  assert.equal(other.body.code, 'idempotency-key-reused');
});

test('unsettled within a second: 202 and where to look', async () => {
  service.pump.on = false;
  const answer = await service.call('POST', '/v1/reservations', FLIGHT(service.traveller, 'SLOW01', '403'));
  service.pump.on = true;
  assert.equal(answer.status, 202);
  assert.match(answer.headers.get('location') ?? '', /^\/v1\/explain\/obs_/);
});

const badBodies: readonly [string, unknown, RegExp][] = [
  ['unknown field', { ...FLIGHT('trv_x'), colour: 'red' }, /colour/],
  ['unknown kind', { ...FLIGHT('trv_x'), kind: 'rocket' }, /kind.*rocket/],
  ['no legs', { traveller: 'trv_x', kind: 'flight', legs: [] }, /legs/],
  ['not an object', [], /body/],
  ['bad traveller id', FLIGHT('nobody'), /traveller/],
];
for (const [name, body, expected] of badBodies) {
  test(`refused with place and value: ${name}`, async () => {
    const answer = await service.call('POST', '/v1/reservations', body);
    assert.equal(answer.status, 422);
    assert.equal(answer.body.code, 'body-invalid');
    assert.match(answer.body.detail, expected);
  });
}

const badFacts: readonly [string, Record<string, unknown>, string][] = [
  ['unknown path', { 'start.colour': 'red' }, 'field-unknown'],
  ['a day that does not exist', { 'start.scheduled': '2026-02-30T10:00' }, 'field-invalid'],
  ['no time at all', { 'start.scheduled': 'tomorrow' }, 'field-invalid'],
  ['unknown zone', { 'start.zone': 'Mars/Olympus' }, 'field-invalid'],
  ['unknown status', { status: 'maybe' }, 'field-invalid'],
  ['prototype name', { constructor: 'x' }, 'field-unknown'],
];
for (const [name, facts, code] of badFacts) {
  test(`a fact that is refused: ${name}`, async () => {
    const body = { traveller: service.traveller, kind: 'flight', legs: [{ facts }] };
    const answer = await service.call('POST', '/v1/reservations', body);
    assert.equal(answer.status, 422);
    assert.equal(answer.body.code, code);
  });
}

test('broken JSON, wrong media type, too large, prototype poisoning, unknown address, wrong query', async () => {
  const post = (body: string, headers = {}) => service.call('POST', '/v1/reservations', body, headers);
  assert.equal((await post('{"a":')).body.code, 'body-not-json');
  assert.equal((await post('x', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await post(`{"a":"${'x'.repeat(300_000)}"}`)).status, 413);
  assert.equal((await post('{"__proto__":{"a":1}}')).body.code, 'body-not-json');
  assert.equal((await service.call('GET', '/v1/nothing')).body.code, 'not-found');
  assert.equal((await service.call('GET', '/v1/reservations?limit=9999')).body.code, 'query-invalid');
  assert.equal((await service.call('GET', '/v1/reservations?colour=red')).body.code, 'query-invalid');
  assert.equal((await service.call('GET', '/v1/%E0%A4%A')).status, 400);
  assert.equal((await service.call('GET', '/v1/trips')).body.code, 'query-invalid');
});

test('a provider booking needs a configured account', async () => {
  const body = { traveller: service.traveller, kind: 'flight', provider: { account: 'nope', id: 'ord_1' } };
  assert.equal((await service.call('POST', '/v1/reservations', body)).body.code, 'provider-unknown');
  const known = { ...body, kind: 'stay', provider: { account: 'duffel-main', id: 'bok_1' } };
  const added = await service.call('POST', '/v1/reservations', known);
  assert.equal(added.status, 201);
  assert.equal(added.body.reservation.title, 'Stay booking', 'what it is, until the provider says more');
});

test('another tenant, and a token of one traveller, see nothing of others', async () => {
  const added = await command('POST', '/v1/reservations', FLIGHT(service.traveller, 'SECRET', '404'));
  const { reservation, event, observation } = added.body;
  const other = await service.operator('tnt_other');
  const someone = await service.call('POST', '/v1/travellers', { name: 'Someone else' });
  assert.equal(someone.status, 201);
  const bound = await service.call('POST', '/v1/tokens', {
    label: 'app',
    scopes: ['read', 'write', 'operate'],
    traveller: someone.body.id,
  });
  assert.equal(bound.status, 201);
  for (const token of [other.token, bound.body.token]) {
    const as = service.as(token);
    for (const path of [
      `/v1/travellers/${service.traveller}`,
      `/v1/travellers/${service.traveller}/rules`,
      `/v1/travellers/${service.traveller}/mailboxes`,
      `/v1/trips?traveller=${service.traveller}`,
      `/v1/reservations/${reservation.id}`,
      `/v1/reservations/${reservation.id}/history`,
      `/v1/explain/${reservation.id}`,
      `/v1/explain/${event}`,
      `/v1/explain/${observation}`,
    ]) {
      const answer = await as('GET', path);
      assert.equal(answer.status, 404, `${path} ${JSON.stringify(answer.body)}`);
      assert.doesNotMatch(JSON.stringify(answer.body), /SECRET|LH 404/);
    }
    assert.deepEqual((await as('GET', '/v1/reservations')).body.items, []);
    assert.deepEqual((await as('GET', '/v1/changes?format=json&after=0')).body.items, []);
    assert.equal((await as('DELETE', `/v1/reservations/${reservation.id}`)).status, 404);
    assert.equal((await as('POST', `/v1/travellers/${service.traveller}/feed`)).status, 404);
  }
  const mine = service.as(bound.body.token);
  assert.equal((await mine('GET', '/v1/travellers')).body.items.length, 1);
  assert.equal((await mine('GET', '/v1/dead-letters')).status, 403);
  assert.equal((await mine('POST', '/v1/travellers', { name: 'x' })).status, 403);
});

test('scopes: read cannot write, write cannot operate; a token gives away no more than it has', async () => {
  const make = async (scopes: string[]) =>
    (await service.call('POST', '/v1/tokens', { label: scopes.join(), scopes })).body.token as string;
  const read = service.as(await make(['read']));
  assert.equal((await read('GET', '/v1/travellers')).status, 200);
  assert.equal((await read('POST', '/v1/travellers', { name: 'x' })).body.code, 'scope-missing');
  assert.equal((await service.as(await make(['write']))('GET', '/v1/dead-letters')).status, 403);
  const operate = service.as(await make(['operate']));
  assert.equal((await operate('POST', '/v1/tokens', { label: 'x', scopes: ['write'] })).status, 403);
});

test('a revoked token stops at once', async () => {
  const made = await service.call('POST', '/v1/tokens', { label: 'short', scopes: ['read'] });
  assert.equal((await service.as(made.body.token)('GET', '/v1/travellers')).status, 200);
  assert.equal((await service.call('DELETE', `/v1/tokens/${made.body.id}`)).status, 204);
  assert.equal((await service.as(made.body.token)('GET', '/v1/travellers')).status, 401);
});

test('sign-in by link: cookie, redirect without the token, CSRF header on writes', async () => {
  const answer = await service.as(undefined)('GET', `/?token=${service.token}`);
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), '/');
  const set = answer.headers.get('set-cookie') ?? '';
  assert.match(set, /HttpOnly; SameSite=Strict/);
  const cookie = set.split(';')[0]!;
  const page = service.as(undefined);
  assert.equal((await page('GET', '/v1/travellers', undefined, { cookie })).status, 200);
  const refused = await page('POST', '/v1/travellers', { name: 'x' }, { cookie });
  assert.equal(refused.body.code, 'csrf-header-missing');
  const taken = await page('POST', '/v1/travellers', { name: 'x' }, { cookie, 'x-tripwatch': '1' });
  assert.equal(taken.status, 201);
  assert.equal((await page('GET', '/?token=twk_wrong')).status, 401);
});

test('another host name is refused (DNS rebinding); headers protect the page; no CORS', async () => {
  for (const host of ['evil.example', 'evil.example:8420', '127.0.0.1.evil.example', 'a@localhost']) {
    const answer = await service.api.app.inject({ url: '/healthz', headers: { host } });
    assert.equal(answer.statusCode, 421, host);
  }
  const fine = await service.api.app.inject({
    url: '/healthz',
    headers: { host: 'localhost:1', origin: 'https://evil.example' },
  });
  assert.equal(fine.statusCode, 200);
  assert.match(String(fine.headers['content-security-policy']), /default-src 'self'/);
  assert.equal(fine.headers['access-control-allow-origin'], undefined);
});

test('forwarding address and rules', async () => {
  const path = `/v1/travellers/${service.traveller}`;
  const mailbox = await service.call('POST', `${path}/mailboxes`, { kind: 'forward', label: 'mine' });
  assert.match(mailbox.body.address, /^plans\+[0-9a-z]{16}@in\.tripwatch\.localhost$/);
  assert.equal((await service.call('GET', `${path}/mailboxes`)).body.items.length, 1);
  const rule = await service.call('POST', `${path}/rules`, {
    action: 'deny',
    field: 'domain',
    pattern: 'spam.example',
  });
  assert.equal(rule.status, 201);
  const never = await service.call('POST', `${path}/rules`, { action: 'deny', field: 'sender', pattern: 'shop' });
  assert.equal(never.status, 422);
  assert.equal(never.body.code, 'field-invalid');
  assert.match(never.body.detail, /“shop” is no whole address\. Write it like/);
  const spelled = await service.call('POST', `${path}/rules`, {
    action: 'deny',
    field: 'domain',
    pattern: '@Shop.Example',
  });
  assert.equal(spelled.body.pattern, 'shop.example', 'kept as it is compared');
  assert.equal((await service.call('DELETE', `${path}/rules/${rule.body.id}`)).status, 204);
  assert.equal((await service.call('DELETE', `${path}/rules/${rule.body.id}`)).status, 404);
});

test('the list of reservations comes in pages, each reservation once', async () => {
  for (const [reference, number] of [
    ['PAGE01', '501'],
    ['PAGE02', '502'],
    ['PAGE03', '503'],
  ] as const) {
    await service.call('POST', '/v1/reservations', FLIGHT(service.traveller, reference, number));
  }
  const ids = (answer: Answer) => answer.body.items.map((one: { id: string }) => one.id) as string[];
  const all = await service.call('GET', '/v1/reservations?limit=500');
  assert.ok(ids(all).length >= 3);
  assert.equal(all.body.next, undefined);
  const paged: string[] = [];
  let after = '';
  for (let pages = 0; pages < 50; pages++) {
    const page = await service.call('GET', `/v1/reservations?limit=2${after}`);
    paged.push(...ids(page));
    if (page.body.next === undefined) break;
    after = `&after=${page.body.next}`;
  }
  assert.deepEqual(paged, ids(all));
});

test('push: accepted, refused, unknown account; the bytes arrive untouched', async () => {
  const push = (account: string, body: string) =>
    service.as(undefined)('POST', `/push/${account}`, body, { 'content-type': 'application/json' });
  assert.equal((await push('duffel-main', 'good')).status, 202);
  const refused = await push('duffel-main', '{"bad');
  assert.equal(refused.status, 401);
  assert.match(refused.body.detail, /bad-signature/);
  assert.equal((await push('other', 'good')).status, 404);
  assert.equal((await push('duffel-main', 'x'.repeat(300_000))).status, 413);
});

test('status, receipts, dead letters, health and problem pages answer', async () => {
  const status = await service.call('GET', '/v1/status');
  assert.equal(status.status, 200, JSON.stringify(status.body));
  assert.equal(status.body.mails.conserved, true);
  for (const path of ['/v1/receipts', '/v1/dead-letters', '/v1/endpoints', '/v1/tokens', '/healthz', '/readyz']) {
    assert.equal((await service.call('GET', path)).status, 200, path);
  }
  assert.equal((await service.call('GET', '/problems/scope-missing')).body.status, 403);
  assert.equal((await service.call('GET', '/v1/receipts/mail_none')).status, 404);
  assert.equal((await service.call('POST', '/v1/dead-letters/dead_none/replay')).status, 404);
});
