import { join } from 'node:path';
import type { SandboxFolder } from './folder.ts';
import { openJournal } from './journal.ts';
import { aeroApi } from './providers/aeroapi.ts';
import { bookingCom, reservationOf } from './providers/booking-com.ts';
import { expedia, itineraryIdOf } from './providers/expedia.ts';
import { rapidDesk } from './providers/expedia-notices.ts';
import { type FakeServer, startFake, type Vendor } from './providers/fake.ts';
import { hotelbeds, hotelbedsReference } from './providers/hotelbeds.ts';
import { motis } from './providers/motis.ts';
import { ndcAirline, orderIdOf } from './providers/ndc-airline.ts';
import { ndcDesk } from './providers/ndc-notices.ts';
import type { NoticeDesk, Registered } from './providers/notices.ts';
import { rentalCompany } from './providers/rental-company.ts';
import { sabre } from './providers/sabre.ts';
import { travelport } from './providers/travelport.ts';
import type { Booking, PlaceBooking, Scenario } from './scenario/types.ts';

/**
 * Further vendors of the same day, besides the two that the day is played with: their fakes answer from the same truth, for
 * whoever wants to try their connectors, and some post notices while the day is played. The verdict knows nothing of them.
 */
export interface SandboxVendor {
  /** Of the account that is proposed. */
  readonly account: string;
  readonly connector: string;
  /** With `registered` it posts notices there, if it is one that posts. */
  readonly fake: (scenario: Scenario, registered?: Registered) => Vendor & { readonly notices?: NoticeDesk };
  /** What its base address ends with. */
  readonly path?: string;
  /** Absent: what the connector knows. */
  readonly calls?: { readonly max: number; readonly perSeconds: number };
  /** Calls a sandbox minute before the fake says that it is too many. */
  readonly callsPerMinuteMax: number;
  readonly options?: Readonly<Record<string, unknown>>;
  /** By name: `key`, and what stands under `secrets`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What a booking of the day is registered by there; undefined: it is not there. */
  readonly idOf?: (booking: Booking) => string | undefined;
  /** What else one has to know. */
  readonly hint?: string;
}

const AIR = (one: Booking): string | undefined => (one.kind === 'flight' ? one.reference.toUpperCase() : undefined);
const stays =
  (idOf: (stay: PlaceBooking) => string) =>
  (one: Booking): string | undefined =>
    one.kind === 'stay' ? idOf(one) : undefined;
const MINUTELY = { calls: { max: 60, perSeconds: 60 }, callsPerMinuteMax: 60 } as const;

const GDS = { user: 'API-USER-1', pcc: 'AB12', queue: '50' } as const;
const KEYS = {
  aeroapi: 'sandbox-aeroapi-key',
  bookingCom: 'sandbox-booking-com-token',
  expedia: 'sandbox-expedia-key',
  expediaSecret: 'sandbox-expedia-secret',
  hotelbeds: 'sandbox-hotelbeds-key',
  hotelbedsSecret: 'sandbox-hotelbeds-secret',
  ndc: 'sandbox-ndc-key',
  rental: 'sandbox-rental-key',
  sabre: 'sandbox-sabre-password',
  travelport: 'sandbox-travelport-password',
  travelportClient: 'sandbox-travelport-client-secret',
} as const;
const TRAVELPORT = { user: GDS.user, clientId: 'sandbox-client', pcc: GDS.pcc, core: '1G' } as const;
const DESK = 'desk@agency.example';
const RAPID = { key: KEYS.expedia, secret: KEYS.expediaSecret, email: DESK } as const;
const NDC_OWNER = 'XA';
/** What docs/connectors/ndc-airline.json lets sign in. */
const NDC_SIGN_IN = { user: 'example-air', password: 'sandbox-ndc-webhook-secret' } as const;

export const SANDBOX_VENDORS: readonly SandboxVendor[] = [
  {
    account: 'aeroapi',
    connector: 'aeroapi',
    fake: (scenario) => aeroApi(scenario, KEYS.aeroapi),
    ...MINUTELY,
    secrets: { key: KEYS.aeroapi },
    hint: 'flight status of the same flights',
  },
  {
    account: 'booking-com',
    connector: 'booking-com',
    fake: (scenario) => bookingCom(scenario, { token: KEYS.bookingCom, affiliateId: '1234567' }),
    path: '/3.2',
    calls: { max: 50, perSeconds: 60 },
    callsPerMinuteMax: 50,
    options: { affiliateId: '1234567' },
    secrets: { key: KEYS.bookingCom },
    idOf: stays(reservationOf),
  },
  {
    account: 'expedia',
    connector: 'expedia',
    fake: (scenario, registered) => {
      const notices = rapidDesk({ scenario, ...RAPID, ...(registered === undefined ? {} : { registered }) });
      return { ...expedia(scenario, RAPID, notices), ...(registered === undefined ? {} : { notices }) };
    },
    ...MINUTELY,
    options: { email: DESK },
    secrets: { key: KEYS.expedia, sharedSecret: KEYS.expediaSecret },
    idOf: stays(itineraryIdOf),
  },
  {
    account: 'hotelbeds',
    connector: 'hotelbeds',
    fake: (scenario) => hotelbeds(scenario, { key: KEYS.hotelbeds, secret: KEYS.hotelbedsSecret, quotaPerDay: 50 }),
    callsPerMinuteMax: 240,
    secrets: { key: KEYS.hotelbeds, secret: KEYS.hotelbedsSecret },
    idOf: stays(hotelbedsReference),
  },
  {
    account: 'ndc-airline',
    connector: 'any-agency',
    fake: (scenario, registered) => ({
      ...ndcAirline(scenario, { key: KEYS.ndc, owner: NDC_OWNER }),
      ...(registered === undefined
        ? {}
        : { notices: ndcDesk({ scenario, owner: NDC_OWNER, ...NDC_SIGN_IN, registered }) }),
    }),
    ...MINUTELY,
    options: { file: 'ndc-airline.json' },
    secrets: { key: KEYS.ndc, webhookSecret: NDC_SIGN_IN.password },
    idOf: (one) => (one.kind === 'flight' ? orderIdOf(one, NDC_OWNER) : undefined),
    hint: 'needs docs/connectors/ndc-airline.json in the data folder',
  },
  {
    account: 'rental-company',
    connector: 'any-agency',
    fake: (scenario) => rentalCompany(scenario, KEYS.rental),
    calls: { max: 30, perSeconds: 60 },
    callsPerMinuteMax: 30,
    options: { file: 'kestrel.json' },
    secrets: { key: KEYS.rental },
    idOf: (one) => (one.kind === 'rental' ? one.reference : undefined),
    hint: 'needs the file of docs/connectors/any-agency.md in the data folder',
  },
  {
    account: 'sabre',
    connector: 'sabre',
    fake: (scenario) => sabre(scenario, { ...GDS, password: KEYS.sabre }),
    ...MINUTELY,
    options: { user: GDS.user, pcc: GDS.pcc, queues: [GDS.queue] },
    secrets: { key: KEYS.sabre },
    idOf: AIR,
  },
  {
    account: 'trains',
    connector: 'motis',
    fake: (scenario) => motis(scenario),
    ...MINUTELY,
    options: { contact: DESK },
    secrets: {},
    hint: 'trains of the same day',
  },
  {
    account: 'travelport',
    connector: 'travelport',
    fake: (scenario) =>
      travelport(scenario, {
        ...TRAVELPORT,
        queue: GDS.queue,
        password: KEYS.travelport,
        clientSecret: KEYS.travelportClient,
      }),
    ...MINUTELY,
    options: { ...TRAVELPORT, queues: [GDS.queue] },
    secrets: { key: KEYS.travelport, clientSecret: KEYS.travelportClient },
    idOf: AIR,
  },
];

export interface RunningVendor {
  readonly vendor: SandboxVendor;
  /** Base address of the account. */
  readonly url: string;
  /** A booking that is there, by what it is registered. */
  readonly example?: string;
}

/**
 * Starts their fakes on loopback, at the addresses of an earlier run. `service`: its base address, where those that post
 * notices do so, each to `/push/ACCOUNT`, as soon as `notices` are played (player.ts).
 */
export async function startSandboxVendors(
  folder: SandboxFolder,
  service?: string,
): Promise<{
  readonly vendors: readonly RunningVendor[];
  readonly notices: readonly NoticeDesk[];
  stop(): Promise<void>;
}> {
  const { scenario, clock } = folder;
  const ports = { ...folder.meta().vendorPorts };
  const running: (RunningVendor & { readonly fake: FakeServer })[] = [];
  const journal = openJournal<{ readonly id: string }>(join(folder.dataDir, 'sandbox', 'notices.jsonl'));
  const posted = new Set(journal.entries.map(({ id }) => id));
  const onPosted = (id: string): void => journal.add({ id });
  const notices: NoticeDesk[] = [];
  for (const vendor of SANDBOX_VENDORS) {
    const { account, callsPerMinuteMax } = vendor;
    const port = ports[account] ?? 0;
    const push = service === undefined ? undefined : new URL(`/push/${account}`, service).href;
    const made = vendor.fake(scenario, push === undefined ? undefined : { url: push, clock, posted, onPosted });
    if (made.notices !== undefined) notices.push(made.notices);
    const fake = await startFake(made, { scenario, clock, port, callsPerMinuteMax });
    ports[account] = fake.port;
    const example = scenario.bookings.flatMap((one) => vendor.idOf?.(one) ?? [])[0];
    const url = `${fake.url}${vendor.path ?? ''}`;
    running.push({ fake, vendor, url, ...(example === undefined ? {} : { example }) });
  }
  folder.update({ vendorPorts: ports });
  return {
    vendors: running.map(({ fake: _, ...rest }) => rest),
    notices,
    stop: async () => {
      await Promise.all(running.map(({ fake }) => fake.close()));
      journal.close();
    },
  };
}

/** An entry of `providers` for it. `refOf`: where the service finds a secret. */
export function vendorAccount({ vendor, url }: RunningVendor, refOf: (secret: string) => string) {
  const refs = Object.fromEntries(Object.keys(vendor.secrets).map((name) => [name, refOf(name)]));
  const { key, webhookSecret, ...others } = refs;
  return {
    account: vendor.account,
    connector: vendor.connector,
    url,
    ...(key === undefined ? {} : { key }),
    ...(webhookSecret === undefined ? {} : { webhookSecret }),
    ...(Object.keys(others).length === 0 ? {} : { secrets: others }),
    ...(vendor.calls === undefined ? {} : { calls: [vendor.calls] }),
    ...(vendor.options === undefined ? {} : { options: vendor.options }),
  };
}
