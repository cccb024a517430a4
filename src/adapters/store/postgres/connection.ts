import pg from 'pg';
import { TripwatchError } from '../../../domain/errors.ts';
import { cleanText } from './binary.ts';
import { endsConnection, lost, translate, translateFirst } from './errors.ts';
import {
  ANSWER_MS,
  CONNECT_MS,
  CONNECT_PAUSE_MS,
  CONNECT_TOTAL_MS,
  IDLE_IN_TRANSACTION_MS,
  KEEPALIVE_MS,
  LOCK_MS,
  MIGRATE_ANSWER_MS,
  STATEMENT_MS,
  STATEMENTS_MAX,
} from './limits.ts';

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`. Never logged. */
  readonly url: string;
  /** Where the tables are: a name of small letters, digits and `_`. */
  readonly schema: string;
  /** Default: `writing`. */
  readonly use?: 'writing' | 'reading' | 'listening' | 'migrating';
  /** How long the server may be silent. Default: ANSWER_MS. */
  readonly answerMs?: number | undefined;
}

export interface Rows<R = Record<string, unknown>> {
  readonly rows: R[];
  /** INSERT, COMMIT, ROLLBACK, … */
  readonly command: string;
  readonly rowCount: number | null;
}

/** Types of columns that come back as numbers: all ours are below 2^53. */
const NUMBERS = new Set<number>([20, 21, 23, 1700]);
const BYTES = 17;
const asIs = (value: string) => value;
/** `\x` and hex digits. */
const fromHex = (value: string) => Buffer.from(value.slice(2), 'hex');

/**
 * One session on the server. Queries are sent at once, also while earlier ones are under way, and are answered in that
 * order; what is sent within one turn of the event loop travels in one packet. Once broken it stays so: make another.
 */
export class Connection {
  readonly #client: pg.Client;
  readonly #where: 'reading' | 'writing';
  readonly #answerMs: number;
  readonly #names = new Map<string, string>();
  readonly #onNotice: (payload: string) => void;
  #outstanding = 0;
  /** When the server last answered, or was first asked after silence. */
  #progressAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #broken: Error | undefined;
  #corked = false;
  #onBroken: (() => void) | undefined;

  private constructor(client: pg.Client, options: ConnectionOptions, onNotice: (payload: string) => void) {
    this.#client = client;
    this.#where = options.use === 'reading' ? 'reading' : 'writing';
    this.#answerMs = options.use === 'migrating' ? MIGRATE_ANSWER_MS : (options.answerMs ?? ANSWER_MS);
    this.#onNotice = onNotice;
    client.on('error', (error) => this.#break(error));
    client.on('end', () => this.#break(new Error('the server closed the connection')));
    client.on('notification', (message) => this.#onNotice(message.payload ?? ''));
  }

  /**
   * Connects and makes the settings of a session. A server that is starting is asked again for a while. Errors:
   * transient `store-lost`, also where the server is a standby; permanent `store-cannot-open`.
   */
  static async open(options: ConnectionOptions, onNotice: (payload: string) => void = () => {}): Promise<Connection> {
    const giveUpAt = performance.now() + CONNECT_TOTAL_MS;
    for (;;) {
      try {
        return await Connection.#openOnce(options, onNotice);
      } catch (error) {
        const { code } = error as TripwatchError;
        if (code !== 'store-lost' || performance.now() + CONNECT_PAUSE_MS > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
      }
    }
  }

  static async #openOnce(options: ConnectionOptions, onNotice: (payload: string) => void): Promise<Connection> {
    let connection: Connection | undefined;
    try {
      const client = new pg.Client({
        connectionString: options.url,
        application_name: 'tripwatch',
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEPALIVE_MS,
        pipeline: true,
        types: {
          getTypeParser: (oid: number) => parserOf(oid) as never,
        },
      });
      connection = new Connection(client, options, onNotice);
      await client.connect();
      await connection.#settle(options);
      return connection;
    } catch (error) {
      connection?.destroy();
      // Such an error holds the whole address, password included.
      if ((error as { code?: unknown }).code === 'ERR_INVALID_URL') throw invalidUrl();
      throw options.use === 'migrating' ? translateFirst(error) : translate(error);
    }
  }

  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Called once when the connection breaks or is closed. */
  onBroken(listener: () => void): void {
    this.#onBroken = listener;
    if (this.#broken !== undefined) listener();
  }

  /** Runs a statement, prepared where its text is met again. Errors: as `translate` says. */
  query<R = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Rows<R>> {
    const bound = values.map(bindable);
    return this.#send({ name: this.#nameOf(text), text, values: bound }) as Promise<Rows<R>>;
  }

  /** BEGIN, COMMIT and their like: no parameters, nothing prepared. */
  command(text: string): Promise<Rows> {
    return this.#send({ text });
  }

  /** Resolves when the server has heard of it, at most after a moment. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#broken !== undefined) return;
    this.#broken = new Error('closed');
    await Promise.race([this.#client.end(), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    this.destroy();
  }

  /** Drops it at once; what is under way rejects. */
  destroy(why: Error = new Error('given up')): void {
    this.#break(why);
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  #send(query: pg.QueryConfig): Promise<Rows> {
    if (this.#broken !== undefined) return Promise.reject(lost(this.#broken));
    this.#cork();
    this.#watch();
    return new Promise((resolve, reject) => {
      this.#client.query(query, ((error: Error | null, result: Rows) => {
        this.#outstanding--;
        this.#progressAt = performance.now();
        if (error === null) {
          resolve(result);
          return;
        }
        if (endsConnection(error, this.#where)) this.destroy(error);
        reject(translate(error, this.#where));
      }) as never);
    });
  }

  /** What is sent until the promises that run now are through goes out together. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const { stream } = (this.#client as unknown as { connection: { stream: { cork(): void; uncork(): void } } })
      .connection;
    stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  /** A server that has not answered for long will not answer: a dead host or a network that swallows packets. */
  #watch(): void {
    if (this.#outstanding++ === 0) this.#progressAt = performance.now();
    if (this.#timer !== undefined) return;
    const look = () => {
      this.#timer = undefined;
      if (this.#outstanding === 0) return;
      const silentMs = performance.now() - this.#progressAt;
      if (silentMs >= this.#answerMs) this.destroy(new Error(`no answer for ${this.#answerMs} ms`));
      else this.#timer = setTimeout(look, this.#answerMs - silentMs + 1).unref();
    };
    this.#timer = setTimeout(look, this.#answerMs).unref();
  }

  #break(error: Error): void {
    if (this.#broken === undefined) this.#broken = error;
    clearTimeout(this.#timer);
    const listener = this.#onBroken;
    this.#onBroken = undefined;
    listener?.();
  }

  #nameOf(text: string): string | undefined {
    const found = this.#names.get(text);
    if (found !== undefined || this.#names.size >= STATEMENTS_MAX) return found;
    const name = `t${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  async #settle({ schema, use = 'writing' }: ConnectionOptions): Promise<void> {
    const endless = use === 'migrating';
    const settings: readonly (readonly [string, string])[] = [
      ['search_path', `"${schema}"`],
      ['statement_timeout', endless ? '0' : String(STATEMENT_MS)],
      ['lock_timeout', endless ? '0' : String(LOCK_MS)],
      ['idle_in_transaction_session_timeout', endless ? '0' : String(IDLE_IN_TRANSACTION_MS)],
      ['timezone', 'UTC'],
      ['jit', 'off'],
      // Nothing that a listening connection writes is worth a sync: it only sends notices.
      ['synchronous_commit', use === 'listening' ? 'off' : 'on'],
      ['default_transaction_isolation', 'read committed'],
    ];
    const set = settings.map(([name], n) => {
      const value = `$${n + 1}`;
      // Stronger than "on": also waits until standbys show it. The operator's choice stays.
      const now = `current_setting('${name}')`;
      const kept = `CASE ${now} WHEN 'remote_apply' THEN ${now} ELSE ${value} END`;
      const keeps = name === 'synchronous_commit' && use !== 'listening';
      return `set_config('${name}', ${keeps ? kept : value}, false) AS s${n}`;
    });
    const { rows } = await this.query<{ standby: 't' | 'f' }>(
      `SELECT pg_is_in_recovery() AS standby, ${set.join(', ')}`,
      settings.map(([, value]) => value),
    );
    // A failover may lead us to another server at any time, so each new connection asks.
    const [server] = rows;
    if (server?.standby === 't' && use !== 'migrating') {
      throw lost(new Error('the server is a standby, which takes no writes and may be behind'));
    }
  }
}

function parserOf(oid: number): (value: string) => unknown {
  if (NUMBERS.has(oid)) return Number;
  return oid === BYTES ? fromHex : asIs;
}

/** Numbers of ours are whole in the tables: a fraction of a millisecond is dropped, as nothing depends on it. */
function bindable(value: unknown): string | Buffer | null {
  switch (typeof value) {
    case 'string':
      return cleanText(value);
    case 'number':
      return String(Math.trunc(value));
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === undefined || value === null ? null : (value as Buffer);
  }
}

function invalidUrl(): TripwatchError {
  return new TripwatchError(
    'permanent',
    'store-cannot-open',
    'The address of the PostgreSQL server cannot be read. Write it like postgres://user:password@host:5432/database.',
  );
}
