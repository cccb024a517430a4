import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { missingNats, unusableNats } from '../../scripts/servers/find-nats.ts';
import type { NatsServers } from '../../scripts/servers/nats.ts';
import { type NatsCarrier, type NatsOptions, openNatsCarrier } from '../../src/adapters/broker/nats/carrier.ts';
import type { ShardFeed } from '../../src/adapters/broker/nats/feed.ts';
import { type LogRow, readLog } from '../../src/adapters/broker/sql/delivery-rows.ts';
import { createClock } from '../../src/adapters/clock/system.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { AnyNewEvent } from '../../src/contracts/event.ts';
import type { Topic } from '../../src/contracts/topics.ts';
import type { TripwatchError } from '../../src/domain/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Lease } from '../../src/ports/store/leases.ts';

/** What the tests with NATS have in common: a store, a carrier on real servers, readers, and what was logged. */

/** For `{ skip }` of a test: a machine without NATS, or with one that is too old, says so. Without any, CI fails. */
export function skipWithoutNats(): string | false {
  const missing = missingNats();
  if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
  return unusableNats() ?? false;
}

export const TOPIC: Topic = 'notification.sent';
export const clock = createClock();

export interface Bench {
  readonly store: SqlStore;
  readonly logged: string[];
  /** Appends `count` small events over the shards, in transactions of `batch`. */
  append(count: number, options?: { readonly batch?: number; readonly padding?: string }): Promise<void>;
  carrier(nats: Pick<NatsServers, 'urls'>, more?: Partial<NatsOptions>): Promise<NatsCarrier>;
  lease(relay?: number): Promise<Lease>;
  /** Numbers of all rows of the log, by shard. */
  rows(shard: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

export async function openBench(shards = 4): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-nats-store-'));
  const logged: string[] = [];
  const logger = recorder(logged);
  const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger, shards });
  const carriers: NatsCarrier[] = [];
  let appended = 0;
  return {
    store,
    logged,
    append: async (count, { batch = 50, padding = '' } = {}) => {
      const works: Promise<unknown>[] = [];
      for (let from = appended; from < appended + count; from += batch) {
        const events = Array.from(
          { length: Math.min(batch, appended + count - from) },
          (_, i): AnyNewEvent => ({
            topic: 'notification.sent',
            tenant: 'tnt_default',
            key: `key${(from + i) % 50}`,
            subject: `${from + i}`,
            data: {
              endpointId: 'whe_1' as const,
              eventId: `evt_${from + i}${padding}` as const,
              state: 'sent' as const,
              attempts: 1,
            },
          }),
        );
        works.push(store.transact((tx) => tx.append(events, { source: 'test', seed: `${from}` })));
      }
      appended += count;
      await Promise.all(works);
    },
    carrier: async (nats, more = {}) => {
      const opened = await openNatsCarrier({ urls: nats.urls, store, clock, logger, syncsAlways: true, ...more });
      carriers.push(opened);
      return opened;
    },
    lease: async (relay = 0) => {
      const [lease] = await store.transact((tx) => tx.leases.take('test', [`relay/${relay}`], 3_600_000, 'ignore'));
      return lease!;
    },
    rows: async (shard) => {
      const options = { topic: TOPIC, shard, after: 0, limit: 1_000_000 };
      return (await store.read(({ db }) => readLog(db, options))).map(({ seq }) => seq);
    },
    close: async () => {
      for (const carrier of carriers) await carrier.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Reads a shard as a consumer of the log does, and keeps what it got. */
export class Reader {
  readonly got: number[] = [];
  readonly rows: LogRow[] = [];
  /** Rows that came from the store. */
  fromStore = 0;
  /** When each came, by performance.now(). */
  readonly at: number[] = [];
  readonly #feed: ShardFeed;
  readonly #store: SqlStore;
  readonly #shard: number;
  readonly #poll: ReturnType<typeof setInterval>;
  readonly #unlisten: () => void;
  #more = true;
  #reading = false;
  #stopped = false;

  constructor(carrier: Pick<NatsCarrier, 'feed'>, store: SqlStore, shard: number) {
    this.#store = store;
    this.#shard = shard;
    this.#feed = carrier.feed.follow(TOPIC, shard, () => this.#touched());
    this.#unlisten = store.onAppended((appended) => {
      if (appended.get(TOPIC)?.has(shard) !== true) return;
      this.#feed.noticed();
      this.#touched();
    });
    // The slow poll that every consumer has.
    this.#poll = setInterval(() => this.#touched(), 2000);
    this.#touched();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#poll);
    this.#unlisten();
    this.#feed.stop();
  }

  #touched(): void {
    this.#more = true;
    if (this.#reading || this.#stopped) return;
    this.#read().catch((error: TripwatchError) => {
      // The test is over.
      if (error.code !== 'store-closed') throw error;
    });
  }

  async #read(): Promise<void> {
    this.#reading = true;
    const limit = 100;
    while (this.#more && !this.#stopped) {
      this.#more = false;
      const after = this.got.at(-1) ?? 0;
      const rows = await this.#feed.read(after, limit, async () => {
        const options = { topic: TOPIC, shard: this.#shard, after, limit };
        const found = await this.#store.read(({ db }) => readLog(db, options));
        this.fromStore += found.length;
        return found;
      });
      if (rows.length === limit) this.#more = true;
      const now = performance.now();
      for (const row of rows) {
        this.got.push(row.seq);
        this.rows.push(row);
        this.at.push(now);
      }
    }
    this.#reading = false;
  }
}

/** Waits until it holds; an error with `what` after `ms`. */
export async function until(what: string, ms: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${ms} ms: ${what}`);
    await delay(10);
  }
}

function recorder(lines: string[]): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return logger;
}
