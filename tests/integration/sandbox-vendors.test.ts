import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectorEntry } from '../../src/adapters/provider/registry.ts';
import { loadConfig } from '../../src/app/config.ts';
import { openFolder } from '../../src/sandbox/folder.ts';
import { SANDBOX_VENDORS, startSandboxVendors, vendorAccount } from '../../src/sandbox/vendors.ts';
import { reservation } from '../contract/provider/cases.ts';
import { flightReservation } from '../contract/provider/truth.ts';

const data = mkdtempSync(join(tmpdir(), 'sandbox-vendors-'));
after(() => rmSync(data, { recursive: true }));
const page = readFileSync(new URL('../../docs/connectors/any-agency.md', import.meta.url), 'utf8');
const described = /<!-- file: kestrel.json -->\n```json\n([\s\S]*?)```/.exec(page)![1]!;
writeFileSync(join(data, 'kestrel.json'), described);

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
      const flight = folder.scenario.flights.find((one) => one.script === 'plain')!;
      const known =
        example === undefined
          ? flightReservation(flight)
          : reservation(
              vendor.connector === 'any-agency'
                ? { kind: 'rental', facts: { name: 'Kestrel Cars', 'start.scheduled': '2026-12-03T14:00:00' } }
                : [],
              { bookingKeys: [`id:${account.account}:${example}`, `ref:rental:${example.toLowerCase()}`] },
            );
      const [spec] = connector.subjectsOf(known);
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
