import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../../src/adapters/clock/system.ts';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { systemRandom } from '../../src/adapters/random/system.ts';
import { openSecrets } from '../../src/adapters/secrets/secrets.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { createApi } from '../../src/api/api.ts';
import type { Caller } from '../../src/api/auth.ts';
import { addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { configSchema } from '../../src/contracts/config.ts';
import type { AnyEvent, Event } from '../../src/contracts/event.ts';
import type { TenantId, TravellerId } from '../../src/domain/ids.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Handler } from '../../src/ports/handler.ts';
import { createNotifyHandler } from '../../src/stages/notify/handler.ts';
import { createProjectHandler } from '../../src/stages/project/handler.ts';
import { reconcileHandler } from '../../src/stages/reconcile/handler.ts';

/** A service of the API, a store and the three stages behind it, on loopback, for tests. */
export async function startApi(change: Partial<Omit<ApiDeps, 'config'>> & { config?: object } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-api-'));
  const clock = createClock();
  const random = systemRandom;
  const opened = openSqliteStore({ file: join(folder, 'store.sqlite'), clock, logger: silentLogger });
  const pump: Pump = { on: true, running: Promise.resolve() };
  const store = following(opened, pump, clock);
  const secrets = openSecrets(join(folder, 'key'));
  const config = configSchema.parse({ http: { port: 0 }, providers: [], ...change.config });
  const { config: _, ...rest } = change;
  const deps: ApiDeps = {
    store,
    clock,
    random,
    secrets,
    logger: silentLogger,
    config,
    checkResponses: true,
    status: () => ({
      version: '0',
      startedAt: '2026-12-01T00:00:00Z',
      now: '2026-12-01T00:00:00Z',
      clockSpeed: 1,
      ready: true,
      stages: [],
      providers: [],
    }),
    ...rest,
  };
  const api = createApi(deps);
  const { url } = await api.listen();
  const operator = async (tenant: TenantId): Promise<{ caller: Caller; token: string }> => {
    const caller: Caller = { tenant, traveller: undefined, scopes: ['read', 'write', 'operate'], ref: 'cli' };
    await store.transact((tx) => tx.accounts.ensureTenant(tenant, tenant, clock.now()));
    const { secret } = await addToken(deps, caller, { label: 'test', scopes: ['read', 'write', 'operate'] });
    return { caller, token: secret };
  };
  const main = await operator('tnt_default');
  const traveller = await addTraveller(deps, main.caller, { name: 'Ada Example', zone: 'Europe/Berlin', locale: 'en' });

  return {
    api,
    deps,
    store,
    url,
    token: main.token,
    caller: main.caller,
    operator,
    traveller: traveller.id as TravellerId,
    pump,
    call: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      call(url, main.token, method, path, body, headers),
    as:
      (token: string | undefined) =>
      (method: string, path: string, body?: unknown, headers = {}) =>
        call(url, token, method, path, body, headers),
    close: async () => {
      await api.close();
      await idle(pump);
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const STAGES: readonly (readonly [string, string, Handler<never>])[] = [
  ['reconcile', 'observation.recorded', reconcileHandler() as Handler<never>],
  ['project', 'reservation.changed', createProjectHandler() as Handler<never>],
  ['notify', 'itinerary.updated', createNotifyHandler() as Handler<never>],
];

export interface Pump {
  on: boolean;
  running: Promise<void>;
}

/** Until nothing that was appended is left to do. */
export async function idle(pump: Pump): Promise<void> {
  for (let last: Promise<void> | undefined; last !== pump.running; ) {
    last = pump.running;
    await last;
  }
}

/** The store, with every appended event going through the stages right after its commit, one after the other. */
function following(opened: SqlStore, pump: Pump, clock: Clock): SqlStore {
  const store: SqlStore = {
    ...opened,
    transact: async (work) => {
      let appended: AnyEvent[] = [];
      const result = await opened.transact((tx) => {
        appended = [];
        const append: typeof tx.append = async (events, origin) => {
          const done = await tx.append(events, origin);
          appended.push(...done);
          return done;
        };
        return work({ ...tx, append });
      });
      if (pump.on && appended.length > 0) {
        pump.running = pump.running.then(async () => {
          for (const event of appended) await runStages(store, event, clock);
        });
      }
      return result;
    },
  };
  return store;
}

export async function runStages(store: SqlStore, event: AnyEvent, clock: Clock): Promise<void> {
  for (const [consumer, topic, handler] of STAGES) {
    if (topic !== event.topic) continue;
    const signal = new AbortController().signal;
    const outcome = await handler(event as Event<never>, { clock, logger: silentLogger, signal, attempt: 1 });
    if (outcome.kind !== 'ack') throw new Error(`${consumer} did not ack`);
    await store.transact(async (tx) => {
      if (!(await tx.log.claim(consumer, event.id, clock.now()))) return;
      const out = (await outcome.commit?.(tx)) ?? [];
      await tx.append(out, { source: consumer, cause: event, seed: event.id });
    });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly body: any;
}

async function call(
  url: string,
  token: string | undefined,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

export const FLIGHT = (traveller: string, reference = 'QX7ABC', number = '400') => ({
  traveller,
  kind: 'flight',
  reference,
  legs: [
    {
      facts: {
        'carrier.code': 'LH',
        number,
        'start.code': 'FRA',
        'end.code': 'JFK',
        'start.scheduled': '2026-12-01T10:05',
        'end.scheduled': '2026-12-01T13:05',
        'passenger.Ada Example.name': 'Ada Example',
      },
    },
  ],
});
