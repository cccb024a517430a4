import { connectorEntry, secretRefs } from '../adapters/provider/registry.ts';
import type { ProviderAccountConfig } from '../contracts/config.ts';
import type { StatusReport } from '../contracts/http/status.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { CallLimit } from '../domain/schedule/call-budget.ts';
import { isoInstant } from '../ports/clock.ts';
import type { ProviderConnector } from '../ports/provider.ts';
import type { AccountStatus, TrackedAccount, Tracker } from '../stages/track/tracker.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';

/** The connector of an account as its configuration says. Errors: permanent `secret-missing`, `connector-invalid`. */
function connectorOf(account: ProviderAccountConfig, core: Core): ProviderConnector {
  const entry = connectorEntry(account.connector);
  if (entry === undefined)
    throw new TripwatchError('defect', 'account-unknown', `There is no connector ${account.connector}.`);
  const secrets = Object.entries(secretRefs(account)).map(([name, ref]) => [name, readSecret(ref, process.env)]);
  const label = account.label ?? entry.label;
  const connector = entry.create({
    label,
    account: account.account,
    clock: core.clock,
    secrets: Object.fromEntries(secrets),
    options: entry.options?.parse(account.options),
    folder: core.paths.folder,
    ...(account.url === undefined ? {} : { url: account.url }),
  });
  return connector.label === label ? connector : { ...connector, label };
}

/** The configured accounts with their connectors and limits. Errors: permanent `secret-missing`, `connector-invalid`. */
export function providerAccounts(core: Core): readonly TrackedAccount[] {
  return core.config.providers.map((account) => providerAccount(core, account.account));
}

/** One of them, with a connector of its own. Errors: permanent `secret-missing`; defect `account-unknown`. */
export function providerAccount(core: Core, name: string): TrackedAccount {
  const account = core.config.providers.find((one) => one.account === name);
  if (account === undefined) throw new TripwatchError('defect', 'account-unknown', `There is no account ${name}.`);
  const connector = connectorOf(account, core);
  return {
    account: account.account,
    connector,
    limits: (account.calls ?? connector.limits ?? [{ max: 1, perSeconds: 1 }]).map(limitOf),
    freshSeconds: account.freshSeconds,
    inFlightMax: account.inFlightMax,
    ...pushUrlOf(core, account.account),
    ...(account.costs === undefined ? {} : { costs: account.costs }),
    ...peersOf(account, core),
  };
}

/** Where a provider reaches us; see the route `receivePush`. */
function pushUrlOf({ config }: Core, account: string): Pick<TrackedAccount, 'pushUrl'> {
  const { publicUrl } = config.http;
  return publicUrl === undefined ? {} : { pushUrl: `${publicUrl.replace(/\/+$/, '')}/push/${account}` };
}

function limitOf({ max, perSeconds, unit }: { max: number; perSeconds: number; unit?: string | undefined }): CallLimit {
  return { max, perSeconds, ...(unit === undefined ? {} : { unit }) };
}

/** Accounts that answer the same as this one: a flight's status is the same at every vendor, a booking is not. */
function peersOf(account: ProviderAccountConfig, core: Core): Pick<TrackedAccount, 'behind' | 'beside'> {
  const tellsFlights = ({ connector }: ProviderAccountConfig) => connectorEntry(connector)?.flightStatus === true;
  if (!tellsFlights(account)) return {};
  const names = core.config.providers.filter(tellsFlights).map((one) => one.account);
  return {
    behind: names.slice(0, names.indexOf(account.account)),
    beside: names.filter((name) => name !== account.account),
  };
}

/** How the accounts stand, as the API shows it. */
export function providerStatus(trackers: readonly Pick<Tracker, 'status'>[]): StatusReport['providers'] {
  return trackers
    .flatMap((tracker) => tracker.status())
    .map((one) => ({
      account: one.account,
      label: one.label,
      ...stateOf(one),
      subjects: one.subjects,
      unverified: one.failing,
      ...(one.resting === 0 ? {} : { standsBy: one.resting }),
      budgets: one.budget.map(({ max, perSeconds, unit, left }) => ({ max, perSeconds, ...(unit && { unit }), left })),
      shortfallSeconds: Math.round(one.shortfallSeconds),
      ...pushOf(one),
      ...(one.held === 0 ? {} : { held: one.held }),
      ...(one.freshSecondsP50 === undefined ? {} : { freshSecondsP50: one.freshSecondsP50 }),
      ...(one.freshSecondsP99 === undefined ? {} : { freshSecondsP99: one.freshSecondsP99 }),
      callsTotal: one.calls,
    }));
}

function pushOf({ push, pushSeenAt }: AccountStatus): Pick<StatusReport['providers'][number], 'push'> {
  if (push === undefined) return {};
  const seen = pushSeenAt === undefined ? {} : { seenAt: isoInstant(pushSeenAt) };
  return { push: { state: push.kind, ...seen, ...(push.kind === 'missing' ? { reason: push.reason } : {}) } };
}

function stateOf(one: AccountStatus): {
  readonly state: 'ok' | 'slowed' | 'failing' | 'paused';
  readonly detail?: string;
} {
  if (one.paused === 'unauthorised')
    return { state: 'paused', detail: 'the provider refuses the key; check it and start again' };
  if (one.paused === 'limited')
    return { state: 'paused', detail: `the provider asked to wait until ${isoInstant(one.pausedUntil ?? 0)}` };
  if (one.circuit !== 'closed') return { state: 'failing', detail: 'it does not answer; a few questions probe it' };
  if (one.push?.kind === 'missing') return { state: 'slowed', detail: one.push.reason };
  if (one.held > 0)
    return { state: 'slowed', detail: `${one.held} changes of one kind at once are held back as improbable` };
  if (one.shortfallSeconds > 0)
    return {
      state: 'slowed',
      detail: `the calls allow no better: answers get ${Math.round(one.shortfallSeconds)} s older than promised`,
    };
  return { state: 'ok' };
}
