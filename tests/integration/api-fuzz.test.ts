import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { BOOKING_PATHS, KINDS, LEG_PATHS } from '../../src/domain/facts.ts';
import { startApi } from './api.testing.ts';

/** Whatever comes in: an answer that is documented, never a 500, and nothing of it in the state of others. */
let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi();
  service.pump.on = false;
});
after(() => service.close());

const inject = async (method: string, url: string, payload?: string) => {
  const answer = await service.api.app.inject({
    method: method as 'GET',
    url,
    headers: {
      host: 'localhost',
      authorization: `Bearer ${service.token}`,
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(payload === undefined ? {} : { payload }),
  });
  assert.ok(answer.statusCode < 500, `${method} ${url} ${payload}: ${answer.statusCode} ${answer.body}`);
  if (answer.statusCode >= 400) assert.match(String(answer.headers['content-type']), /problem\+json/);
  return answer;
};

const IDS = [
  '/v1/travellers/:x',
  '/v1/travellers/:x/rules',
  '/v1/reservations/:x',
  '/v1/reservations/:x/history',
  '/v1/receipts/:x',
  '/v1/explain/:x',
  '/v1/endpoints/:x',
  '/v1/endpoints/:x/deliveries',
  '/v1/dead-letters/:x',
  '/v1/dead-letters/:x/edit',
  '/feeds/:x',
  '/problems/:x',
]; // prettier-ignore

test('any id in any address', async () => {
  const id = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      'rsv_',
      'evt_',
      'mail_',
      'sub_',
      '__proto__',
      'constructor',
      '..',
      '.',
      '%00',
      '*',
      "'; drop table log;--",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...IDS),
      id,
      fc.constantFrom('GET', 'DELETE', 'PATCH', 'POST'),
      async (path, x, method) => {
        await inject(method, path.replace(':x', encodeURIComponent(x.toWellFormed())));
      },
    ),
    { numRuns: 150 },
  );
});

test('any query', async () => {
  const word = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom('-1', '1e999', 'NaN', '0', '9007199254740993', ''),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        '/v1/reservations',
        '/v1/receipts',
        '/v1/trips',
        '/v1/dead-letters',
        '/v1/dead-letters/summary',
        '/v1/audit',
      ),
      fc.constantFrom(
        ...['limit', 'after', 'before', 'traveller', 'state', 'disposition', 'stage', 'code', 'provider', 'olderThan'],
        ...['key', 'action', 'since', 'x'],
      ),
      word,
      async (path, name, value) => {
        await inject('GET', `${path}?${name}=${encodeURIComponent(value.toWellFormed())}`);
      },
    ),
    { numRuns: 150 },
  );
  for (const value of ['-1', '1e999', 'x', '1.5', '9007199254740993'])
    await inject('GET', `/v1/changes?format=json&after=${value}`);
});

test('any JSON as any command', async () => {
  const command = fc.constantFrom(
    '/v1/travellers',
    '/v1/reservations',
    '/v1/endpoints',
    '/v1/tokens',
    '/v1/dead-letters/replays',
    '/v1/dead-letters/discards',
    `/v1/travellers/${service.traveller}/rules`,
    `/v1/travellers/${service.traveller}/mailboxes`,
  ); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(command, fc.json({ maxDepth: 4 }), async (path, body) => {
      await inject('POST', path, body);
    }),
    { numRuns: 150 },
  );
});

test('any value for any field, through the stages to the views and the calendar', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }).map((text) => text.toWellFormed()),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(
      '2026-12-01T10:00',
      '2026-12-01',
      '2026-02-30',
      '9999-12-31T23:59',
      '-000001-01-01T00:00',
      '2026-12-01T10:00+99:00',
      '2026-03-29T02:30[Europe/Berlin]',
      '275760-09-13T00:00:00Z',
    ), // prettier-ignore
  );
  const facts = (paths: readonly string[]) =>
    fc.dictionary(fc.constantFrom(...paths, 'passenger.A B.seat'), value, { maxKeys: 6 });
  service.pump.on = true;
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...KINDS),
      facts(Object.keys(BOOKING_PATHS)),
      facts(Object.keys(LEG_PATHS)),
      async (kind, booking, leg) => {
        const body = JSON.stringify({ traveller: service.traveller, kind, facts: booking, legs: [{ facts: leg }] });
        const answer = await inject('POST', '/v1/reservations', body);
        if (answer.statusCode < 300) taken++;
      },
    ),
    { numRuns: 100 },
  );
  assert.ok(taken > 5, `${taken} were taken`);
  await inject('GET', `/v1/trips?traveller=${service.traveller}`);
  const feed = await service.call('POST', `/v1/travellers/${service.traveller}/feed`);
  const calendar = await inject('GET', new URL(feed.body.url).pathname);
  assert.equal(calendar.statusCode, 200);
});
