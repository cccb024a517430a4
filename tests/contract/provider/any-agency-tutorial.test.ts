import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createAnyAgencyConnector } from '../../../src/adapters/provider/any-agency/connector.ts';
import { readDescription } from '../../../src/adapters/provider/any-agency/description.ts';
import { accountFaults, connectorEntry } from '../../../src/adapters/provider/registry.ts';
import { loadConfig } from '../../../src/app/config.ts';
import type { ProviderConnector } from '../../../src/ports/provider.ts';
import { rentalCompany, signRental } from '../../../src/sandbox/providers/rental-company.ts';
import type { PlaceBooking } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { DAY, HOURS, placeAgrees, withFake } from './truth.ts';
import { json, startVendor } from './vendor-server.ts';

/** Follows docs/connectors/any-agency.md word by word: its blocks are the files, answers and messages used here. */
const page = readFileSync(new URL('../../../docs/connectors/any-agency.md', import.meta.url), 'utf8');
function block(mark: string): string {
  const start = page.indexOf(`<!-- ${mark} -->`);
  const found = start < 0 ? undefined : /```\w+\n([\s\S]*?)```/.exec(page.slice(start))?.[1];
  assert.ok(found, `the tutorial has a block "${mark}"`);
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'any-agency-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of ['kestrel.json', 'tripwatch.config.json']) writeFileSync(join(folder, name), block(`file: ${name}`));

const KEY = 'kestrel-key';
const SECRET = 'kestrel-webhook-secret';
const signal = new AbortController().signal;

test('step 3: the configuration is taken, and the account is made from it', async () => {
  const config = loadConfig({ data: folder });
  const [account] = config.providers;
  assert.ok(account);
  assert.equal(account.label, 'Kestrel Cars');
  const made = connectorEntry(account.connector)!.create({
    account: account.account,
    label: account.label!,
    clock: stillClock(),
    secrets: { key: KEY, webhookSecret: SECRET },
    options: account.options,
    folder,
  });
  assert.equal(made.label, 'Kestrel Cars');
  assert.deepEqual(made.limits, [{ max: 30, perSeconds: 60 }]);
  await made.close!();
});

test('step 1 and 4: the answer on the page becomes a rental, each value with its place', async () => {
  const vendor = await startVendor();
  const connector = createAnyAgencyConnector({
    account: 'kestrel',
    description: readDescription(join(folder, 'kestrel.json')),
    key: KEY,
    clock: stillClock(),
    url: vendor.url,
  });
  try {
    const [spec, ...others] = connector.subjectsOf(
      reservation(
        { kind: 'rental', facts: { name: 'Kestrel Cars', 'start.scheduled': '2026-12-03T14:00:00' } },
        { bookingKeys: ['ref:rental:k7q2zp'] },
      ),
    );
    assert.equal(others.length, 0);
    assert.equal(spec?.id, 'booking:K7Q2ZP');
    vendor.behave = json(200, JSON.parse(block('answer')));
    const result = await connector.readOne(spec!, signal);
    assert.equal(vendor.asked[0]!.url, '/rentals/K7Q2ZP');
    assert.equal(vendor.asked[0]!.headers['x-api-key'], KEY);
    assert.ok(result.kind === 'found');
    const [leg] = result.answer.legs;
    assert.deepEqual(result.answer.bookingKeys, ['id:kestrel:K7Q2ZP', 'ref:rental:k7q2zp']);
    assert.equal(result.answer.facts.status?.value, 'confirmed');
    assert.equal(leg?.facts['start.scheduled']?.value, '2026-12-03T14:00:00+01:00[Europe/Paris]');
    assert.equal(leg?.facts['end.scheduled']?.value, '2026-12-06T10:00:00+01:00[Europe/Paris]');
    assert.equal(leg?.facts['passenger.lindrosa.name']?.value, 'Rosa Lind');
    assert.equal(leg?.facts['start.name']?.evidence?.where, 'pickup.desk.name');
    vendor.behave = json(200, { ok: false, reason: 'UNKNOWN_NUMBER' });
    assert.deepEqual(await connector.readOne(spec!, signal), { kind: 'absent' });
  } finally {
    await connector.close!();
    await vendor.close();
  }
});

test('step 3: a mistake is named as the page says', () => {
  const wrong = join(folder, 'wrong.json');
  writeFileSync(wrong, block('file: kestrel.json').replace('"start.scheduled"', '"start.schedule"'));
  assert.throws(
    () => readDescription(wrong),
    (error: Error) => error.message.includes(block('error').trim()),
  );
});

test('step 5: their webhook wakes the booking; a forged one is refused', async () => {
  const connector = createAnyAgencyConnector({
    account: 'kestrel',
    description: readDescription(join(folder, 'kestrel.json')),
    key: KEY,
    webhookSecret: SECRET,
    clock: stillClock(),
  });
  const body = block('push');
  const push = (signature: string) =>
    connector.receivePush!({
      headers: { 'x-kestrel-signature': signature },
      body: Buffer.from(body),
      receivedAt: 0,
    });
  assert.deepEqual(push(signRental(body, SECRET)), { kind: 'hint', pushId: 'evt-81', wakes: ['booking:K7Q2ZP'] });
  assert.equal(push(signRental(body, 'another')).kind, 'refused');
  assert.equal(push('sha256=').kind, 'refused');
  await connector.close!();
});

test('the day: every rental of the sandbox is read as it is, through its changes', () =>
  withFake(
    {
      vendor: () => rentalCompany(DAY, KEY),
      connector: ({ url, clock, http }) =>
        createAnyAgencyConnector({
          account: 'kestrel',
          description: readDescription(join(folder, 'kestrel.json')),
          key: KEY,
          clock,
          url,
          http,
        }),
    },
    async ({ connector, at }) => {
      const rentals = DAY.bookings.filter((one): one is PlaceBooking => one.kind === 'rental');
      const tokens = new Map<string, string>();
      let unchanged = 0;
      assert.ok(rentals.length > 3);
      for (const time of HOURS) {
        at(time);
        for (const one of rentals) {
          const [spec] = specOf(connector, one.reference);
          const last = tokens.get(one.id);
          const again = last === undefined ? undefined : await connector.readIfChanged!(spec!, last, signal);
          if (again?.kind === 'unchanged') unchanged++;
          const result = await connector.readOne(spec!, signal);
          if (one.bookedAt > time) {
            assert.equal(result.kind, 'absent');
            continue;
          }
          assert.ok(result.kind === 'found');
          placeAgrees(result.answer, one, time);
          assert.equal(again?.kind === 'unchanged', last === result.token, one.id);
          tokens.set(one.id, result.token!);
        }
      }
      assert.ok(unchanged > rentals.length);
      await connector.close!();
    },
  ));

test('an account is checked before anything starts', () => {
  const account = { connector: 'any-agency', secrets: {}, options: {} };
  assert.deepEqual(
    accountFaults(account).map(([place]) => place),
    ['options.file'],
  );
  assert.match(accountFaults({ ...account, connector: 'any-agancy' })[0]![1], /Did you mean any-agency\?/);
  assert.match(accountFaults({ ...account, connector: 'duffel', options: {} })[0]![1], /needs this secret/);
});

function specOf(connector: ProviderConnector, reference: string) {
  return connector.subjectsOf(reservation([], { bookingKeys: [`id:kestrel:${reference}`] }));
}
