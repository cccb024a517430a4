import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAnyAgencyConnector } from '../../../src/adapters/provider/any-agency/connector.ts';
import { type Description, descriptionSchema } from '../../../src/adapters/provider/any-agency/description.ts';
import { createMapper } from '../../../src/adapters/provider/any-agency/mapping.ts';
import { checkPush } from '../../../src/adapters/provider/any-agency/push.ts';
import { requestOf } from '../../../src/adapters/provider/any-agency/request.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { json, startVendor } from './vendor-server.ts';

function described(change: Record<string, unknown> = {}): Description {
  return descriptionSchema.parse({
    version: 1,
    name: 'Probe Stays',
    url: 'https://probe.example/api',
    auth: { type: 'header', name: 'Authorization', prefix: 'Token ' },
    follows: { kinds: ['stay'], reference: '^[A-Z0-9]{6}$' },
    read: { path: '/stays/{reference}' },
    answer: {
      reference: 'stay.code',
      errors: { failed: "error = 'DB'" },
      facts: { status: "$lookup({'ok': 'confirmed', 'gone': 'cancelled'}, stay.state)", reference: 'stay.code' },
      legs: [
        {
          kind: 'stay',
          each: 'stay',
          facts: { name: 'hotel', 'start.scheduled': 'from', 'end.scheduled': 'to', 'start.zone': "'Europe/Berlin'" },
        },
      ],
    },
    ...change,
  });
}
const stay = (change: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) => ({
  stay: { code: 'PRB123', state: 'ok', hotel: 'Gasthof Probe', from: '2026-12-03T15:00', to: '2026-12-05', ...change },
  ...rest,
});

const clock = stillClock(NOW);
// One thread for all the suite's connectors; it keeps no process alive.
const mapper = createMapper({ msMax: 20_000 });
const make = (options: object) =>
  createAnyAgencyConnector({ account: 'probe', description: described(), key: KEY, clock, mapper, ...options });
const subject = make({}).subjectsOf(reservation([], { bookingKeys: ['id:probe:PRB123'] }))[0]!;

const contract = {
  subject,
  good: () => stay(),
  noisy: () => stay({ extra: { deep: [1] } }, { served: 'web-3' }),
  cancelled: () => stay({ state: 'gone' }),
  other: () => stay({ code: 'OTHER1' }),
  absent: { status: 404, body: {} },
  strange: ['text', 7, null, [], { hello: 1 }, { stay: { state: 'ok' } }],
};

providerContract({ ...contract, name: 'Any agency', create: make });
// Where a key stands in the address, every failure is a place where it could be told.
const inAddress = described({ auth: { type: 'query', name: 'api_key' } });
providerContract({
  ...contract,
  name: 'Any agency, its key in the address',
  create: (options) => make({ ...options, description: inAddress }),
});

test('a key in the address: beside what else is asked, encoded, and nowhere else', async () => {
  const vendor = await startVendor();
  vendor.behave = json(200, stay());
  const key = 'a&b=c #?\u00e9/';
  const { signal } = new AbortController();
  const read = { path: '/stays/{reference}?v=2', query: { lang: 'en' } };
  const auth = { type: 'query', name: 'api_key' };
  const connector = make({ url: vendor.url, key, description: described({ auth, read }) });
  assert.equal((await connector.readOne(subject, signal)).kind, 'found');
  const [{ url, headers } = assert.fail('was not asked')] = vendor.asked;
  const { pathname, searchParams } = new URL(url, vendor.url);
  assert.equal(pathname, '/stays/PRB123');
  assert.deepEqual(
    [...searchParams],
    [
      ['v', '2'],
      ['lang', 'en'],
      ['api_key', key],
    ],
  );
  assert.ok(!JSON.stringify(headers).includes('a&b'));
  await vendor.close();
  const twice = descriptionSchema.safeParse({ ...described({ auth }), read: { path: '/', query: { api_key: 'x' } } });
  assert.match(JSON.stringify(twice.error?.issues), /"auth","name".*stands in read.query/);
});

test('failures inside status 200, unknown states, broken values', async () => {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  vendor.behave = json(200, { error: 'DB' });
  await assert.rejects(connector.readOne(subject, signal), { code: 'provider-failed', kind: 'transient' });
  vendor.behave = json(200, stay({ state: 'thinking', to: 'soon', from: '2026-12-03 15:00:00+02:00' }));
  const result = await connector.readOne(subject, signal);
  assert.ok(result.kind === 'found');
  assert.equal(result.answer.facts.status, undefined);
  assert.equal(result.answer.legs[0]!.facts['end.scheduled'], undefined);
  assert.equal(result.answer.legs[0]!.facts['start.scheduled']?.value, '2026-12-03T14:00:00+01:00[Europe/Berlin]');
  await vendor.close();
});

test('an expression that never ends, or eats memory, ends alone; the next answer is read', async () => {
  const small = createMapper({ msMax: 700 });
  const one = (text: string, input: unknown = {}) => small.map({ input, values: { x: text }, groups: [] });
  await assert.rejects(one('($f := function($n) { $f($n + 1) }; $f(1))'), {
    code: 'mapping-failed',
    kind: 'permanent',
  });
  await assert.rejects(one('$map([1..9999999], function($x) { $string($x) & $pad("", 1000, "x") })'), {
    code: 'mapping-failed',
  });
  // A regular expression that backtracks without end, on an answer made for it.
  await assert.rejects(one('$match(t, /^(a+)+$/)', { t: `${'a'.repeat(40)}!` }), { code: 'mapping-failed' });
  const patient = createMapper({ msMax: 20_000 });
  await assert.rejects(patient.map({ input: {}, values: { x: '$number("x")' }, groups: [] }), /JSONata says D3030/);
  assert.deepEqual((await patient.map({ input: { a: 2 }, values: { x: 'a * 21' }, groups: [] })).values, { x: 42 });
  await Promise.all([small.close(), patient.close()]);
});

test('values in templates become nothing else', () => {
  const description = described({
    read: {
      path: '/x/{reference}',
      query: { name: '{lastName}' },
      headers: { 'X-Name': 'of {lastName}' },
      method: 'POST',
      body: { deep: [{ r: '{reference}' }], keep: 7 },
    },
  });
  const hostile = '../"}\r\nX: 1?a=b#c';
  const request = requestOf(description, 'https://h/base', { reference: hostile, lastName: hostile }, { headers: {} });
  const url = new URL(request.url);
  assert.equal(url.pathname, `/base/x/${encodeURIComponent(hostile)}`);
  assert.equal(url.searchParams.get('name'), hostile);
  assert.deepEqual(JSON.parse(request.body!), { deep: [{ r: hostile }], keep: 7 });
  assert.doesNotMatch(request.headers['x-name']!, /[\r\n]/);
  for (const dots of ['.', '..', ''])
    assert.throws(() => requestOf(description, 'https://h', { reference: dots, lastName: 'x' }, { headers: {} }), {
      kind: 'permanent',
    });
  fc.assert(
    fc.property(fc.string({ minLength: 3 }), (text) => {
      const made = new URL(
        requestOf(description, 'https://h', { reference: `x${text}`, lastName: text }, { headers: {} }).url,
      );
      assert.equal(made.host, 'h');
      assert.equal(made.pathname.split('/').length, 3);
    }),
  );
});

test('faults of a description are all named', () => {
  const wrong = {
    ...described(),
    url: 'http://public.example',
    auth: { type: 'magic' },
    read: { path: 'x/{refrence}' },
    answer: { reference: 'a[', facts: { state: 'x' }, legs: [] },
    extra: 1,
  };
  const text = JSON.stringify(descriptionSchema.safeParse(wrong).error?.issues.map((one) => [one.path, one.message]));
  for (const part of [/"url"/, /"auth"/, /refrence.*Did you mean reference/, /no JSONata/, /no fact/, /extra/])
    assert.match(text, part);
  assert.ok(
    !descriptionSchema.safeParse({ ...described(), follows: { kinds: ['stay'], reference: '^(a+)+$' } }).success,
  );
});

test('OAuth client credentials: one token for many questions, renewed when refused', async () => {
  const vendor = await startVendor();
  let token = 0;
  const tokens: (string | undefined)[] = [];
  vendor.behave = (request, response) => {
    if (request.url === '/token') {
      json(200, { access_token: `t${++token}`, expires_in: 3600 })(request, response);
      return;
    }
    tokens.push(request.headers.authorization);
    const ok = token > 1 || tokens.length < 3;
    json(ok ? 200 : 401, ok ? stay() : {})(request, response);
  };
  const description = described({ auth: { type: 'oauth', tokenUrl: `${vendor.url}/token`, clientId: 'me' } });
  const connector = make({ url: vendor.url, description });
  const { signal } = new AbortController();
  await Promise.all([connector.readOne(subject, signal), connector.readOne(subject, signal)]);
  assert.equal((await connector.readOne(subject, signal)).kind, 'found');
  assert.deepEqual(tokens, ['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2']);
  await vendor.close();
});

test("a company's numbers are asked about only there; without companies every fitting one, once a day", () => {
  const booked = (name: string) =>
    reservation(
      { kind: 'stay', facts: { name, 'start.scheduled': '2026-12-03' } },
      { bookingKeys: ['ref:stay:prb123'] },
    );
  const description = described({ follows: { kinds: ['stay'], reference: '^[A-Z0-9]{6}$', companies: ['Probe'] } });
  const named = make({ description });
  assert.deepEqual(named.subjectsOf(booked('Hotel Elsewhere')), []);
  assert.deepEqual(
    named.subjectsOf(booked('Gasthof Probe')).map(({ id, everyMs }) => [id, everyMs]),
    [['booking:PRB123', undefined]],
  );
  const [look] = make({}).subjectsOf(booked('Hotel Elsewhere'));
  assert.equal(look?.everyMs, 86_400_000);
  assert.deepEqual(make({}).subjectsOf(reservation([], { bookingKeys: ['id:probe:a/b'] })), []);
});

test('signed pushes: body or timestamp and body, hex or base64; forged, old and broken ones are refused', () => {
  const push = described({
    push: {
      signature: {
        header: 'X-Sig',
        algorithm: 'sha512',
        encoding: 'base64',
        signs: '{timestamp}.{body}',
        timestampHeader: 'X-Time',
      },
      id: 'event.id',
      reference: 'event.code',
    },
  }).push!;
  const body = JSON.stringify({ event: { id: 7, code: 'PRB123' } });
  const verdict = (stamp: number, text = body, secret = 's') =>
    checkPush(push, 's', {
      headers: {
        'x-sig': createHmac('sha512', secret).update(`${stamp}.${text}`).digest('base64'),
        'x-time': String(stamp),
      },
      body: Buffer.from(text),
      receivedAt: NOW,
    });
  assert.deepEqual(verdict(NOW / 1000), { kind: 'hint', pushId: '7', wakes: ['booking:PRB123'] });
  const code = (one: ReturnType<typeof verdict>) => (one.kind === 'refused' ? one.code : one.kind);
  assert.equal(code(verdict(NOW / 1000, body, 'x')), 'signature-wrong');
  assert.equal(code(verdict(NOW / 1000 - 301)), 'signature-old');
  assert.equal(code(verdict(NOW / 1000, '{"event":{}}')), 'body-unreadable');
  assert.equal(code(verdict(NOW / 1000, 'no json')), 'body-unreadable');
  assert.equal(
    code(checkPush(push, 's', { headers: {}, body: Buffer.from(body), receivedAt: NOW })),
    'signature-missing',
  );
});
