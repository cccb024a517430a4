import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import { isUnauthorised, translate } from './errors.ts';
import { CONNECT_MS, PING_MS, RECONNECT_MS, REFUSED_MS_MAX } from './limits.ts';
import { checkVersion } from './version.ts';

/** Where the servers are and how to be let in. Secrets are values here: the app resolves references. */
export interface NatsSettings {
  /** `nats://host:4222` or `tls://host:4222`, one or more of a cluster; may name `user:password@` or `token@`. */
  readonly urls: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** PEM texts. Present, or a `tls://` address: an unencrypted connection is refused. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** The name in the servers' certificate, where it is not the one in their address. */
    readonly serverName?: string;
  };
  /** For people, in the server's list of connections. */
  readonly name?: string;
}

/**
 * A connection that comes back. Modes: connecting → up ⇄ down → closed; or refused, when a server is none that we may
 * use, which is tried again slowly. Only while it is up is there a `connection`, and it is always the same one between
 * two changes to up.
 */
export class NatsLink {
  /** The servers without credentials, for messages. */
  readonly where: string;
  readonly #options: NodeConnectionOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(up: boolean) => void>();
  readonly #closing = new AbortController();
  #raw: NatsConnection | undefined;
  #up = false;
  #refusal: TripwatchError | undefined;
  #changed = Promise.withResolvers<void>();
  readonly #running: Promise<void>;

  constructor(settings: NatsSettings, clock: Clock, logger: Logger) {
    const { options, where } = connectionOptions(settings);
    this.#options = options;
    this.where = where;
    this.#clock = clock;
    this.#logger = logger;
    this.#running = this.#run();
  }

  get connection(): NatsConnection | undefined {
    return this.#up ? this.#raw : undefined;
  }

  /** Called at each change; not for the state there is. Returns its own undoing. */
  onChange(listener: (up: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves when it is up, or after `ms`: true, or false. Errors: what refuses us for good, `permanent`:
   * `broker-version`, `broker-unauthorised`.
   */
  async ready(ms: number): Promise<boolean> {
    const patience = new AbortController();
    const over = this.#clock.sleep(ms * this.#clock.speed, patience.signal).catch(() => {});
    let late = false;
    void over.then(() => {
      late = true;
    });
    while (!this.#up && !late) {
      if (this.#refusal !== undefined) {
        patience.abort();
        throw this.#refusal;
      }
      await Promise.race([this.#changed.promise, over]);
    }
    patience.abort();
    return this.#up;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#set(false);
    await this.#raw?.close().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const connection = await this.#connect();
      if (connection === undefined) continue;
      this.#raw = connection;
      if (this.#closing.signal.aborted) {
        await connection.close().catch(() => {});
        return;
      }
      this.#logger.info({ server: connection.getServer(), version: connection.info?.version }, 'NATS is connected');
      this.#set(true);
      await this.#watch(connection);
      this.#set(false);
      await connection.close().catch(() => {});
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    let connection: NatsConnection | undefined;
    try {
      connection = await connect(this.#options);
      checkVersion(connection.info?.version, this.#logger);
      this.#refusal = undefined;
      return connection;
    } catch (error) {
      await connection?.close().catch(() => {});
      const fault = translate(error, this.where);
      const permanent = fault instanceof TripwatchError && fault.kind === 'permanent';
      this.#refusal = permanent ? fault : undefined;
      this.#announce();
      const message = 'NATS cannot be used; the log is read from the store meanwhile';
      if (permanent) this.#logger.error({ code: fault.code, error: fault.message }, message);
      else this.#logger.warn({ error: fault instanceof Error ? fault.message : String(fault) }, message);
      await this.#pause(permanent ? REFUSED_MS_MAX : RECONNECT_MS);
      return undefined;
    }
  }

  /** Until this connection is closed for good. */
  async #watch(connection: NatsConnection): Promise<void> {
    try {
      for await (const status of connection.status()) {
        if (status.type === 'disconnect') {
          this.#logger.warn(
            { server: status.server },
            'NATS is not connected; the log is read from the store meanwhile',
          );
          this.#set(false);
        } else if (status.type === 'reconnect') {
          // It may be another server.
          checkVersion(connection.info?.version, this.#logger);
          this.#logger.info({ server: status.server }, 'NATS is connected again');
          this.#set(true);
        } else if (status.type === 'error') this.#logger.warn({ error: status.error.message }, 'NATS says');
        else if (status.type === 'close') return;
      }
    } catch (error) {
      if (isUnauthorised(error)) return;
      this.#logger.warn({ error: String(error) }, 'NATS is left');
    }
  }

  #set(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#announce();
    for (const listener of this.#listeners) listener(up);
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #pause(ms: number): Promise<void> {
    await this.#clock.sleep(ms * this.#clock.speed, this.#closing.signal).catch(() => {});
  }
}

function connectionOptions(settings: NatsSettings): {
  readonly options: NodeConnectionOptions;
  readonly where: string;
} {
  const urls = settings.urls.map(parseUrl);
  const first = urls[0];
  if (first === undefined)
    throw new TripwatchError('permanent', 'broker-address', 'No address of a NATS server is given.');
  const decoded = (text: string) => (text === '' ? undefined : decodeURIComponent(text));
  const password = settings.password ?? decoded(first.password);
  const name = decoded(first.username);
  const user = settings.user ?? (password === undefined ? undefined : name);
  const token = settings.token ?? (password === undefined ? name : undefined);
  const encrypted = settings.tls !== undefined || urls.some(({ protocol }) => protocol === 'tls:');
  const { ca, cert, key, serverName } = settings.tls ?? {};
  const named = serverName && { servername: serverName };
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...named };
  const servers = urls.map(({ host, port }) => (port === '' ? `${host}:4222` : host));
  return {
    where: servers.join(', '),
    options: {
      servers,
      name: settings.name ?? 'tripwatch',
      timeout: CONNECT_MS,
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_MS,
      reconnectJitterTLS: RECONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
      // Credentials may change under us, first on one side and then on the other.
      ignoreAuthErrorAbort: true,
      noAsyncTraces: true,
      ...(user !== undefined && password !== undefined ? { user, pass: password } : {}),
      ...(token !== undefined ? { token } : {}),
      ...(encrypted ? { tls } : {}),
    },
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'nats:' || url.protocol === 'tls:') && url.hostname !== '') return url;
  throw new TripwatchError(
    'permanent',
    'broker-address',
    `An address of a NATS server cannot be used: ${text.replace(/\/\/[^@/]*@/, '//…@')}. Write it like nats://host:4222 or tls://host:4222.`,
  );
}
