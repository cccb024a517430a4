import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { accountFaults, connectorEntry } from '../adapters/provider/registry.ts';
import { type Config, configSchema } from '../contracts/config.ts';
import { TripwatchError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';

/** Settings that may come from the environment, and where they go. */
const VARIABLES: Readonly<
  Record<string, readonly [section: string, key: string, type: 'text' | 'number' | 'boolean']>
> = {
  TRIPWATCH_HTTP_HOST: ['http', 'host', 'text'],
  TRIPWATCH_HTTP_PORT: ['http', 'port', 'number'],
  TRIPWATCH_HTTP_PUBLIC_URL: ['http', 'publicUrl', 'text'],
  TRIPWATCH_SMTP_ENABLED: ['smtp', 'enabled', 'boolean'],
  TRIPWATCH_SMTP_HOST: ['smtp', 'host', 'text'],
  TRIPWATCH_SMTP_PORT: ['smtp', 'port', 'number'],
  TRIPWATCH_SMTP_DOMAIN: ['smtp', 'domain', 'text'],
  TRIPWATCH_WEBHOOKS_ALLOW_PRIVATE: ['webhooks', 'allowPrivate', 'boolean'],
  TRIPWATCH_LOG_LEVEL: ['log', 'level', 'text'],
  TRIPWATCH_STORE_URL: ['store', 'url', 'text'],
  TRIPWATCH_BROKER_URL: ['broker', 'url', 'text'],
  TRIPWATCH_WORKER_NAME: ['worker', 'name', 'text'],
};
export const variableNames: readonly string[] = Object.keys(VARIABLES);

export interface ConfigOptions {
  /** Data folder; the default file is `tripwatch.config.json` in it. */
  readonly data: string;
  readonly file?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Laid over everything else: command line options, the demo's own settings. */
  readonly override?: Readonly<Record<string, unknown>>;
}

/**
 * Reads, checks and freezes the configuration.
 * @throws TripwatchError permanent `config-invalid`, naming every faulty value, its place and what is allowed.
 */
export function loadConfig(options: ConfigOptions): Config {
  const file = options.file ?? join(options.data, 'tripwatch.config.json');
  const raw: Record<string, Record<string, unknown>> = existsSync(file)
    ? readJson(file)
    : missing(file, options.file !== undefined);
  const faults: string[] = [];
  // A variable that a secret reference names is that secret, whatever it is called.
  const secrets = new Set(
    [...JSON.stringify([raw, options.override ?? {}]).matchAll(/"env:([^"]+)"/g)].map((match) => match[1]),
  );
  const origins = new Map<string, string>();
  for (const [name, text] of Object.entries(options.env ?? {})) {
    if (!name.startsWith('TRIPWATCH_') || text === undefined || OTHER_VARIABLES.has(name)) continue;
    if (secrets.has(name)) continue;
    const target = VARIABLES[name];
    if (target === undefined) {
      faults.push(`${name} is no setting.${nearest(name, variableNames)}`);
      continue;
    }
    const [section, key, type] = target;
    origins.set(`${section}.${key}`, name);
    const value =
      type === 'number' ? Number(text) : type === 'boolean' ? ({ true: true, false: false }[text] ?? text) : text;
    raw[section] = { ...raw[section], [key]: type === 'number' && Number.isNaN(value) ? text : value };
  }
  const result = configSchema.safeParse(merge(raw, options.override ?? {}));
  if (!result.success) faults.push(...result.error.issues.map((issue) => describe(issue, file, origins)));
  if (result.success && faults.length === 0) {
    const accounts = result.data.providers.map((provider) => provider.account);
    const doubled = accounts.filter((account, index) => accounts.indexOf(account) !== index);
    if (result.data.broker.url !== undefined && result.data.store.url === undefined)
      faults.push('broker.url: NATS needs PostgreSQL as the store; set store.url, or leave broker out.');
    for (const [index, provider] of result.data.providers.entries())
      for (const [setting, fault] of accountFaults(provider))
        faults.push(`providers.${index}.${setting} (${file}): ${fault}`);
    if (doubled.length === 0 && faults.length === 0) return freeze(labelled(result.data));
    if (doubled.length > 0)
      faults.push(
        `providers: the account name ${doubled.map((name) => JSON.stringify(name)).join(', ')} is used twice; give each account its own name.`,
      );
  }
  throw new TripwatchError(
    'permanent',
    'config-invalid',
    `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
}

/** Every account says what people call it. */
function labelled(config: Config): Config {
  const providers = config.providers.map((one) => ({
    ...one,
    label: one.label ?? connectorEntry(one.connector)!.label,
  }));
  return { ...config, providers };
}

/** Variables of ours that are no settings of this file. */
const OTHER_VARIABLES = new Set([
  'TRIPWATCH_DATA',
  'TRIPWATCH_CONFIG',
  'TRIPWATCH_SHARED',
  'TRIPWATCH_TOKEN',
  'TRIPWATCH_URL',
]);

/** Reads a secret where its reference says. Errors: permanent `secret-missing`. */
export function readSecret(reference: string, env: Readonly<Record<string, string | undefined>>): string {
  const [scheme, rest] = [reference.slice(0, reference.indexOf(':')), reference.slice(reference.indexOf(':') + 1)];
  const value = scheme === 'env' ? env[rest] : existsSync(rest) ? readFileSync(rest, 'utf8').trim() : undefined;
  if (value === undefined || value === '') {
    throw new TripwatchError(
      'permanent',
      'secret-missing',
      scheme === 'env'
        ? `The configuration takes a secret from the environment variable ${rest}, which is not set. Set it, or point to a file with "file:/path".`
        : `The configuration takes a secret from the file ${resolve(rest)}, which is missing or empty.`,
    );
  }
  return value;
}

/** The configuration as it works, for `doctor`: it holds references, so nothing secret is in it. */
export function printableConfig(config: Config): unknown {
  return config;
}

function readJson(file: string): Record<string, Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new TripwatchError('permanent', 'config-invalid', `${file} is no valid JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TripwatchError(
      'permanent',
      'config-invalid',
      `${file} must hold a JSON object, like {"http": {"port": 8420}}.`,
    );
  }
  return value as Record<string, Record<string, unknown>>;
}

function missing(file: string, asked: boolean): Record<string, Record<string, unknown>> {
  if (asked) {
    throw new TripwatchError(
      'permanent',
      'config-invalid',
      `There is no configuration file ${resolve(file)}. Check the path given with --config.`,
    );
  }
  return {};
}

function merge(base: Record<string, unknown>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = out[key];
    out[key] = isObject(value) && isObject(below) ? { ...below, ...value } : value;
  }
  return out;
}
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function describe(issue: z.core.$ZodIssue, file: string, origins: ReadonlyMap<string, string>): string {
  const path = issue.path.map(String).join('.');
  const where = origins.get(path) ?? (path === '' ? file : `${path} (${file})`);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return `${where}: unknown setting ${issue.keys.map((key) => JSON.stringify(key) + nearest(key, known)).join(', ')}`;
  }
  return `${where}: ${issue.message}`;
}

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = configSchema;
  for (const part of path) {
    if (typeof part === 'number') schema = unwrap(schema, 'element');
    else schema = (unwrap(schema, 'shape') as Record<string, unknown> | undefined)?.[String(part)];
  }
  return Object.keys((unwrap(schema, 'shape') as object | undefined) ?? {});
}

/** Steps through zod's wrappers (default, optional, refine) to the schema that has `property`. */
function unwrap(schema: unknown, property: 'shape' | 'element'): unknown {
  for (let at = schema, i = 0; at !== undefined && i < 6; i++) {
    const holder = at as Record<string, unknown> & { def?: { innerType?: unknown } };
    if (holder[property] !== undefined) return holder[property];
    at = holder.def?.innerType;
  }
  return undefined;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
