import { findPostgres, POSTGRES_MISSING, startPostgres } from '../../scripts/servers/postgres.ts';
import { loadPeer } from './peers.ts';

/** The one PostgreSQL set-up for all that run on it: durable as it comes, with memory and WAL for this load. */
const SETTINGS = { shared_buffers: '512MB', max_wal_size: '4GB' };
/** Connections of one contestant: more bring no more on two cores. */
export const POOL = 32;

export const missingPostgres = (): string | undefined => (findPostgres() === undefined ? POSTGRES_MISSING : undefined);

export interface BenchPostgres {
  readonly facts: Readonly<Record<string, string>>;
  /** A connection string to a new database on the server. */
  newDatabase(): Promise<string>;
  /** The number `n` that a query answers on that database. */
  count(sql: string): Promise<number>;
  stop(): Promise<void>;
}

interface Client {
  connect(): Promise<void>;
  query(sql: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
}
interface Pg {
  readonly Client: new (options: { readonly connectionString: string }) => Client;
}

export async function startBenchPostgres(): Promise<BenchPostgres> {
  const { Client } = await loadPeer<Pg>('pg');
  const server = await startPostgres({ settings: SETTINGS });
  const connect = async (connectionString: string): Promise<Client> => {
    const client = new Client({ connectionString });
    client.on('error', (error) => console.error('postgres', error.message));
    await client.connect();
    return client;
  };
  const operator = await connect(server.url);
  let current = operator;
  let databases = 0;
  const close = async () => {
    if (current !== operator) await current.end();
    current = operator;
  };
  const facts: Record<string, string> = {};
  for (const name of ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers'])
    facts[name] = String((await operator.query(`SHOW ${name}`)).rows[0]?.[name]);
  return {
    facts,
    newDatabase: async () => {
      await close();
      const name = `bench${databases++}`;
      await operator.query(`CREATE DATABASE ${name}`);
      // What an earlier database left to write must not fall into the next measurement.
      await operator.query('CHECKPOINT');
      current = await connect(server.urlOf(name));
      return server.urlOf(name);
    },
    count: async (sql) => Number((await current.query(sql)).rows[0]?.n),
    stop: async () => {
      await close();
      await operator.end();
      await server.stop();
    },
  };
}
