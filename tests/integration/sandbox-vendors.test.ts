import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectorEntry } from '../../src/adapters/provider/registry.ts';
import { loadConfig } from '../../src/app/config.ts';
import type { Reservation } from '../../src/domain/reservation.ts';
import { openFolder } from '../../src/sandbox/folder.ts';
import { trainsOf } from '../../src/sandbox/scenario/trains.ts';
import { HOUR, type Scenario } from '../../src/sandbox/scenario/types.ts';
import { SANDBOX_VENDORS, startSandboxVendors, vendorAccount } from '../../src/sandbox/vendors.ts';
import { reservation } from '../contract/provider/cases.ts';
import { flightReservation } from '../contract/provider/truth.ts';

const data = mkdtempSync(join(tmpdir(), 'sandbox-vendors-'));
after(() => rmSync(data, { recursive: true }));
const page = readFileSync(new URL('../../docs/connectors/any-agency.md', import.meta.url), 'utf8');
const described = /<!-- file: kestrel.json -->\n```json\n([\s\S]*?)```/.exec(page)![1]!;
writeFileSync(join(data, 'kestrel.json'), described);
copyFileSync(new URL('../../docs/connectors/ndc-airline.json', import.meta.url), join(data, 'ndc-airline.json'));

/** What a vendor knows of the day: its example, or a flight or train of it. */
function known(scenario: Scenario, account: string, connector: string, example: string | undefined): Reservation {
  const { startAt } = scenario.options;
  if (connector === 'motis') {
    const [first, ...calls] = trainsOf(scenario).find((one) => one.calls[0]!.departure! > startAt + HOUR)!.calls;
    const train = trainsOf(scenario).find((one) => one.calls[0] === first)!;
    const time = Temporal.Instant.fromEpochMilliseconds(first!.departure!).toZonedDateTimeISO(first!.station.zone);
    const ends = { 'start.name': first!.station.printed, 'end.name': calls.at(-1)!.station.printed };
    return reservation({
      kind: 'train',
      facts: { number: `${train.kind} ${train.number}`, ...ends, 'start.scheduled': time.toString() },
    });
  }
  if (example === undefined) return flightReservation(scenario.flights.find((one) => one.script === 'plain')!);
  const rental = { kind: 'rental', facts: { name: 'Kestrel Cars', 'start.scheduled': '2026-12-03T14:00:00' } } as const;
  const bookingKeys = [`id:${account}:${example}`, `ref:rental:${example.toLowerCase()}`];
  return reservation(connector === 'any-agency' ? rental : [], { bookingKeys });
}

test('each further vendor can be connected with the account that is proposed, and answers about the day', async () => {
  const folder = openFolder({ dataDir: data, day: { seed: 3, travellers: 40, flights: 20 }, speed: 1 });
  const { vendors, stop } = await startSandboxVendors(folder);
  try {
    const accounts = vendors.map((one) =>
      vendorAccount(one, (secret) => {
        const file = join(data, `${one.vendor.account}.${secret}.key`);
        writeFileSync(file, one.vendor.secrets[secret]!);
        return `file:${file}`;
      }),
    );
    const file = join(data, 'tripwatch.config.json');
    writeFileSync(file, JSON.stringify({ providers: accounts }));
    const config = loadConfig({ data });
    assert.equal(config.providers.length, SANDBOX_VENDORS.length);
    for (const [i, { vendor, url, example }] of vendors.entries()) {
      const account = config.providers[i]!;
      const entry = connectorEntry(account.connector)!;
      const connector = entry.create({
        account: account.account,
        label: entry.label,
        clock: folder.clock,
        url,
        secrets: vendor.secrets,
        options: entry.options?.parse(account.options),
        folder: data,
      });
      const [spec] = connector.subjectsOf(known(folder.scenario, account.account, vendor.connector, example));
      assert.ok(spec, account.account);
      const result = await connector.readOne(spec, new AbortController().signal);
      assert.equal(result.kind, 'found', account.account);
      await connector.close!();
    }
  } finally {
    await stop();
  }
  const again = await startSandboxVendors(openFolder({ dataDir: data }));
  await again.stop();
  assert.deepEqual(
    again.vendors.map(({ url }) => url),
    vendors.map(({ url }) => url),
  );
});
