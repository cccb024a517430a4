import { nearest } from '../../domain/nearest.ts';
import { aeroApiEntry } from './aeroapi/entry.ts';
import { aeroDataBoxEntry } from './aerodatabox/entry.ts';
import { anyAgencyEntry } from './any-agency/entry.ts';
import { bookingComEntry } from './booking-com/entry.ts';
import { duffelEntry } from './duffel/entry.ts';
import type { ConnectorEntry } from './entry.ts';
import { expediaEntry } from './expedia/entry.ts';
import { hotelbedsEntry } from './hotelbeds/entry.ts';
import { motisEntry } from './motis/entry.ts';
import { sabreEntry } from './sabre/entry.ts';
import { travelportEntry } from './travelport/entry.ts';

/** Every connector, one line each: a new one brings its folder and its line here, and nothing else changes. */
const ENTRIES: readonly ConnectorEntry[] = [
  aeroApiEntry,
  aeroDataBoxEntry,
  anyAgencyEntry,
  bookingComEntry,
  duffelEntry,
  expediaEntry,
  hotelbedsEntry,
  motisEntry,
  sabreEntry,
  travelportEntry,
];

export const connectorNames: readonly string[] = ENTRIES.map((entry) => entry.name);

/** Undefined: there is no such connector. */
export function connectorEntry(name: string): ConnectorEntry | undefined {
  return ENTRIES.find((entry) => entry.name === name);
}

/** An account as it is configured, as far as connectors care. */
export interface ConfiguredAccount {
  readonly connector: string;
  readonly key?: string | undefined;
  readonly webhookSecret?: string | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** References to the secrets of an account, by name. */
export function secretRefs(account: ConfiguredAccount): Readonly<Record<string, string>> {
  const { key, webhookSecret, secrets } = account;
  return {
    ...secrets,
    ...(key === undefined ? {} : { key }),
    ...(webhookSecret === undefined ? {} : { webhookSecret }),
  };
}

/** What is wrong with the account's configuration: `[setting, what to do]` each. */
export function accountFaults(account: ConfiguredAccount): readonly (readonly [setting: string, fault: string])[] {
  const entry = connectorEntry(account.connector);
  if (entry === undefined) {
    const hint = nearest(account.connector, connectorNames);
    return [['connector', `${JSON.stringify(account.connector)} is none of ${connectorNames.join(', ')}.${hint}`]];
  }
  const faults: (readonly [string, string])[] = [];
  const given = Object.keys(secretRefs(account));
  for (const [name, need] of Object.entries(entry.secrets)) {
    if (need === 'needed' && !given.includes(name)) faults.push([placeOf(name), `${entry.label} needs this secret`]);
  }
  for (const name of given) {
    if (!Object.hasOwn(entry.secrets, name))
      faults.push([placeOf(name), `${entry.label} has no such secret; remove it`]);
  }
  if (entry.options === undefined) {
    for (const name of Object.keys(account.options)) faults.push([`options.${name}`, `${entry.label} has no options`]);
  } else {
    const checked = entry.options.safeParse(account.options);
    for (const issue of checked.success ? [] : checked.error.issues)
      faults.push([['options', ...issue.path].map(String).join('.'), issue.message]);
  }
  return faults;
}

function placeOf(secret: string): string {
  return secret === 'key' || secret === 'webhookSecret' ? secret : `secrets.${secret}`;
}
