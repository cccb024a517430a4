import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection, SubscriptionOptions } from '@nats-io/transport-node';
import { missingNats, unusableNats } from '../../../scripts/servers/find-nats.ts';
import { type NatsServers, startNats } from '../../../scripts/servers/nats.ts';
import {
  findPostgres,
  POSTGRES_MISSING,
  type PostgresServer,
  startPostgres,
} from '../../../scripts/servers/postgres.ts';
import { type NatsCarrier, openNatsCarrier } from '../../../src/adapters/broker/nats/carrier.ts';
import { NatsLink } from '../../../src/adapters/broker/nats/link.ts';
import { subjectOf } from '../../../src/adapters/broker/nats/message.ts';
import { NatsFeed } from '../../../src/adapters/broker/nats/nats-feed.ts';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openPostgresStore } from '../../../src/adapters/store/postgres/store.ts';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { type Rig, silent, TOPIC } from './rig.ts';

/** The broker on PostgreSQL, and the same with NATS, for the contract: one server of each for a file of tests. */
export interface Servers {
  readonly postgres: PostgresServer;
  readonly nats: NatsServers | undefined;
  stop(): Promise<void>;
}

/** Why these tests cannot run here; undefined: all is there. In CI what is missing altogether is an error. */
export function missingServers(withNats: boolean): string | undefined {
  const missing = findPostgres() === undefined ? POSTGRES_MISSING : withNats ? missingNats() : undefined;
  if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
  return missing ?? (withNats ? unusableNats() : undefined);
}

export async function startServers(withNats: boolean): Promise<Servers> {
  const postgres = await startPostgres();
  const nats = withNats ? await startNats({ sync: '1m' }) : undefined;
  return {
    postgres,
    nats,
    stop: async () => {
      await nats?.stop();
      await postgres.stop();
    },
  };
}

let rigs = 0;
let seeds = 0;
const SHARDS = 3;
const ARRIVAL_MS = 10_000;

interface Life {
  readonly clock: ManualClock;
  readonly store: SqlStore;
  readonly broker: SqlBroker;
  readonly carrier: NatsCarrier | undefined;
  readonly watched: WatchedFeed | undefined;
  /** Reads and transactions that have not answered. */
  readonly counter: { pending: number };
}

export async function serverRig({ postgres, nats }: Servers): Promise<Rig> {
  const name = `rig${++rigs}`;
  const old: Life[] = [];
  const open = async (clock: ManualClock): Promise<Life> => {
    const counter = { pending: 0 };
    const inner = await openPostgresStore({ url: postgres.url, schema: name, clock, logger: silent, shards: SHARDS });
    const counted =
      <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        counter.pending++;
        try {
          return await call(...args);
        } finally {
          counter.pending--;
        }
      };
    const store: SqlStore = {
      ...inner,
      transact: counted(inner.transact) as SqlStore['transact'],
      effect: counted(inner.effect) as SqlStore['effect'],
      read: counted(inner.read) as SqlStore['read'],
    };
    const carrier =
      nats &&
      (await openNatsCarrier({
        urls: nats.urls,
        store: inner,
        clock,
        logger: silent,
        prefix: name,
        syncsAlways: true,
      }));
    const watched = nats && (await WatchedFeed.open(nats, name, clock));
    const feed = watched?.feed;
    const life: Life = {
      clock,
      store,
      carrier,
      watched,
      counter,
      broker: new SqlBroker({ store, clock, logger: silent, feed }),
    };
    if (carrier !== undefined) {
      const [lease] = await store.transact((tx) => tx.leases.take('test', ['relay/0'], 3_600_000, 'ignore'));
      carrier.take(0, lease!);
    }
    return life;
  };
  const close = async (life: Life): Promise<void> => {
    await life.broker.close();
    await life.watched?.close();
    await life.carrier?.close();
    await life.store.close();
  };
  let life = await open(new ManualClock());
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < 3; turns++) {
      await settle();
      if (life.counter.pending > 0) turns = -1;
      if (life.counter.pending > 0) await delay(1);
    }
  };
  const rig: Rig & { store: SqlStore } = {
    clock: life.clock,
    broker: life.broker,
    store: life.store,
    append: async (events, seed = `seed${seeds++}`) => {
      const { watched } = life;
      await watched?.ready();
      const complete = await life.store.transact((tx) => tx.append(events, { source: 'test', seed }));
      const ids = complete.map(({ id }) => id);
      if (watched !== undefined) await watched.has(await placesOf(life.store, ids));
      return ids;
    },
    settle: quiet,
    crash: async () => {
      old.push(life);
      // A clock of its own, so that the old life never wakes again.
      life = await open(new ManualClock(life.clock.now()));
      Object.assign(rig, { clock: life.clock, broker: life.broker, store: life.store });
    },
    restart: async () => {
      await close(life);
      life = await open(life.clock);
      Object.assign(rig, { clock: life.clock, broker: life.broker, store: life.store });
    },
    dispose: async () => {
      for (const one of [life, ...old]) await close(one);
    },
  };
  return rig;
}

async function placesOf(store: SqlStore, ids: readonly string[]) {
  const places: { readonly shard: number; readonly seq: number }[] = [];
  for (let i = 0; i < ids.length; i += 1000)
    places.push(
      ...(await store.read(({ db }) =>
        db
          .selectFrom('log')
          .select(['shard', 'seq'])
          .where('topic', '=', TOPIC)
          .where('id', 'in', ids.slice(i, i + 1000))
          .execute(),
      )),
    );
  return places;
}

/** A feed that tells what it has given to its followers, so that a test knows when what it appended is there. */
class WatchedFeed {
  readonly feed: NatsFeed;
  readonly #link: NatsLink;
  readonly #prefix: string;
  /** The highest number that came, by subject. */
  readonly #came = new Map<string, number>();

  constructor(link: NatsLink, prefix: string, clock: Clock) {
    this.#link = link;
    this.#prefix = prefix;
    const came = this.#came;
    const real = link.connection!;
    const connection: NatsConnection = Object.create(real, {
      subscribe: {
        value: (subject: string, { callback = () => {}, ...options }: SubscriptionOptions) => {
          came.set(subject, 0);
          return real.subscribe(subject, {
            ...options,
            callback: (error, message) => {
              callback(error, message);
              came.set(subject, Number(message.headers?.get('Tripwatch-Seq')));
            },
          });
        },
      },
    });
    this.feed = new NatsFeed({ link: { connection, onChange: () => () => {} }, prefix, clock, logger: silent });
  }

  static async open(nats: NatsServers, prefix: string, clock: Clock): Promise<WatchedFeed> {
    const link = new NatsLink({ urls: nats.urls }, clock, silent);
    await link.ready(ARRIVAL_MS);
    return new WatchedFeed(link, prefix, clock);
  }

  /** Whoever follows now will be given what is published from now on. */
  async ready(): Promise<void> {
    await this.#link.connection?.flush();
  }

  async has(rows: readonly { readonly shard: number; readonly seq: number }[]): Promise<void> {
    const giveUpAt = performance.now() + ARRIVAL_MS;
    const isThere = ({ shard, seq }: (typeof rows)[number]): boolean =>
      (this.#came.get(subjectOf(this.#prefix, TOPIC, shard)) ?? seq) >= seq;
    while (!rows.every(isThere)) {
      if (performance.now() > giveUpAt)
        throw new Error(`NATS has not brought within ${ARRIVAL_MS} ms what was appended`);
      await delay(1);
    }
  }

  async close(): Promise<void> {
    await this.feed.close();
    await this.#link.close();
  }
}
