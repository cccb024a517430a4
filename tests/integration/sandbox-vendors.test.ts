import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectorEntry } from '../../src/adapters/provider/registry.ts';
import { loadConfig } from '../../src/app/config.ts';
import type { Reservation } from '../../src/domain/reservation.ts';
import type { ProviderConnector, PushVerdict } from '../../src/ports/provider.ts';
import { openFolder, type SandboxFolder } from '../../src/sandbox/folder.ts';
import { playNotices } from '../../src/sandbox/player.ts';
import { trainsOf } from '../../src/sandbox/scenario/trains.ts';
import { HOUR, type Scenario } from '../../src/sandbox/scenario/types.ts';
import { type RunningVendor, SANDBOX_VENDORS, startSandboxVendors, vendorAccount } from '../../src/sandbox/vendors.ts';
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

/** Their connectors, as a configuration with the proposed accounts makes them. */
function connect(folder: SandboxFolder, vendors: readonly RunningVendor[]): ReadonlyMap<string, ProviderConnector> {
  const accounts = vendors.map((one) =>
    vendorAccount(one, (secret) => {
      const file = join(data, `${one.vendor.account}.${secret}.key`);
      writeFileSync(file, one.vendor.secrets[secret]!);
      return `file:${file}`;
    }),
  );
  writeFileSync(join(data, 'tripwatch.config.json'), JSON.stringify({ providers: accounts }));
  const config = loadConfig({ data });
  return new Map(
    config.providers.map(({ account, connector, options, webhookSecret }, i) => {
      assert.equal(webhookSecret !== undefined, 'webhookSecret' in vendors[i]!.vendor.secrets, account);
      const entry = connectorEntry(connector)!;
      const made = entry.create({
        account,
        label: entry.label,
        clock: folder.clock,
        url: vendors[i]!.url,
        secrets: vendors[i]!.vendor.secrets,
        options: entry.options?.parse(options),
        folder: data,
      });
      return [account, made] as const;
    }),
  );
}

test('each further vendor can be connected with the account that is proposed, and answers about the day', async () => {
  const folder = openFolder({ dataDir: data, day: { seed: 3, travellers: 40, flights: 20 }, speed: 1 });
  const { vendors, stop } = await startSandboxVendors(folder);
  try {
    const connectors = connect(folder, vendors);
    assert.equal(connectors.size, SANDBOX_VENDORS.length);
    for (const { vendor, example } of vendors) {
      const { account } = vendor;
      const connector = connectors.get(account)!;
      const [spec] = connector.subjectsOf(known(folder.scenario, account, vendor.connector, example));
      assert.ok(spec, account);
      const result = await connector.readOne(spec, new AbortController().signal);
      assert.equal(result.kind, 'found', account);
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

test('Expedia and the airline post as the truth changes: some lost, some twice, none again after a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-notices-'));
  // A day in some two seconds.
  const folder = openFolder({ dataDir, day: { seed: 4, travellers: 300, flights: 60 }, speed: 40_000 });
  const { scenario, clock } = folder;
  const got: { readonly account: string; readonly at: number; readonly verdict: PushVerdict }[] = [];
  let connectors: ReadonlyMap<string, ProviderConnector> = new Map();
  const service = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const account = request.url!.slice('/push/'.length);
    // At this speed a signature is old when it arrives, so what it says of the time is taken for the time.
    const stamp = /timestamp=(\d+)/.exec(request.headers.authorization ?? '')?.[1];
    const receivedAt = stamp === undefined ? clock.now() : Number(stamp) * 1000;
    const headers = request.headers as Record<string, string>;
    const verdict = connectors.get(account)!.receivePush!({ headers, body: Buffer.concat(chunks), receivedAt });
    got.push({ account, at: clock.now(), verdict });
    response.writeHead(verdict.kind === 'hint' ? 202 : 401).end();
  });
  await once(service.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const play = async () => {
    const further = await startSandboxVendors(folder, url);
    connectors = connect(folder, further.vendors);
    await playNotices({ folder, notices: further.notices, signal: new AbortController().signal });
    await Promise.all([...connectors.values()].map((one) => one.close?.()));
    await further.stop();
    return further.vendors;
  };
  const vendors = await play();
  for (const name of ['expedia', 'ndc-airline']) {
    const { idOf } = vendors.find(({ vendor }) => vendor.account === name)!.vendor;
    const mine = got.filter(({ account }) => account === name);
    const changed = new Map<string, number>();
    for (const one of scenario.bookings) {
      const id = idOf!(one);
      const moved = 'moved' in one ? one.moved?.at : undefined;
      const flown = one.kind === 'flight' ? one.segments.flatMap(({ flight }) => changesAt(scenario, flight)) : [];
      const times = [one.cancelledAt, moved, ...flown].filter((at) => at !== undefined);
      if (id !== undefined && times.length > 0) changed.set(`booking:${id}`, Math.min(...times));
    }
    const told = mine.map(({ at, verdict }) => {
      assert.ok(verdict.kind === 'hint', JSON.stringify(verdict));
      const since = changed.get(verdict.wakes[0]!);
      assert.ok(since !== undefined && at >= since, `${verdict.wakes[0]} is told when it has changed`);
      return verdict.wakes[0]!;
    });
    assert.ok(new Set(told).size < changed.size, `${name}: some are lost`);
    assert.ok(new Set(told).size > changed.size / 2, `${name}: most are told`);
    assert.ok(new Set(told).size < told.length, `${name}: some come twice`);
  }
  const before = got.length;
  await play();
  assert.equal(got.length, before);
  service.close();
  rmSync(dataDir, { recursive: true });
});

/** When the airline changed the schedule of a flight. */
function changesAt(scenario: Scenario, id: string): readonly number[] {
  const { steps } = scenario.flights.find((one) => one.id === id)!;
  return steps.filter(({ set }) => set.departureScheduled !== undefined).map(({ at }) => at);
}
