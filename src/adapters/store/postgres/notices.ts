import { setTimeout as delay } from 'node:timers/promises';
import { TOPICS, type Topic } from '../../../contracts/topics.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Appended } from '../sql/sql-store.ts';
import type { Connection } from './connection.ts';
import { LISTEN_RETRY_MS_MAX, LISTEN_RETRY_MS_MIN, NOTICE_CHARS_MAX, NOTICE_PAUSE_MS } from './limits.ts';

export interface NoticesOptions {
  /** Names the channel: processes on other schemas of the database do not hear. */
  readonly schema: string;
  readonly shards: number;
  readonly logger: Logger;
  readonly open: (onNotice: (payload: string) => void) => Promise<Connection>;
  /** What another process has appended. */
  readonly heard: (appended: Appended) => void;
  /** How this process knows its own notices. */
  readonly self: string;
}

const EVERYTHING = '*';

/**
 * Tells other processes what was appended, and hears it from them, on a connection of its own: NOTIFY within the
 * transactions would make all of them commit one after the other. Notices may be lost; whoever needs more polls.
 */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #toTell = new Map<Topic, Set<number>>();
  #telling = false;
  #loop: Promise<void>;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#loop = this.#listen();
  }

  tell(appended: Appended): void {
    for (const [topic, shards] of appended) {
      const found = this.#toTell.get(topic);
      this.#toTell.set(topic, found === undefined ? new Set(shards) : found.union(shards));
    }
    if (!this.#telling) void this.#send();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#toTell.size > 0 && this.#connection?.broken === false) void this.#post(this.#connection);
    await this.#connection?.close();
    await this.#loop;
  }

  get #channel(): string {
    return `${this.#options.schema}_log`;
  }

  /** The first at once, those that come soon after together. */
  async #send(): Promise<void> {
    this.#telling = true;
    while (this.#toTell.size > 0 && this.#connection?.broken === false) {
      await this.#post(this.#connection);
      await delay(NOTICE_PAUSE_MS);
    }
    // Without a connection there is nobody to tell: others look for themselves every few seconds.
    this.#toTell = new Map();
    this.#telling = false;
  }

  async #post(connection: Connection): Promise<void> {
    const payload = `${this.#options.self} ${written(this.#toTell)}`;
    this.#toTell = new Map();
    await connection.query('SELECT pg_notify($1, $2)', [this.#channel, payload]).catch(() => {});
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    let pause = LISTEN_RETRY_MS_MIN;
    while (!signal.aborted) {
      try {
        const { ended } = await this.#listenOnce();
        pause = LISTEN_RETRY_MS_MIN;
        await ended;
        throw new Error('the connection broke');
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.warn({ error: String(error) }, 'new events of others are not heard of; connecting again');
      }
      await delay(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(pause * 2, LISTEN_RETRY_MS_MAX);
    }
  }

  /** Resolves when it listens, with a promise of the connection's end in a box. */
  async #listenOnce(): Promise<{ readonly ended: Promise<void> }> {
    const { open, heard, shards } = this.#options;
    const connection = await open((payload) => this.#hear(payload));
    this.#connection = connection;
    const ended = new Promise<void>((resolve) => connection.onBroken(resolve));
    // Closing may have begun while it was opened.
    if (this.#closing.signal.aborted) await connection.close();
    else await connection.command(`LISTEN "${this.#channel}"`);
    // What was said while nobody listened.
    heard(everything(shards));
    return { ended };
  }

  #hear(payload: string): void {
    const cut = payload.indexOf(' ');
    if (payload.slice(0, cut) === this.#options.self) return;
    const text = payload.slice(cut + 1);
    this.#options.heard(text === EVERYTHING ? everything(this.#options.shards) : read(text));
  }
}

/** `mail.seen:0,3 mail.collected:1` */
function written(appended: Appended): string {
  const text = [...appended].map(([topic, shards]) => `${topic}:${[...shards].join(',')}`).join(' ');
  return text.length > NOTICE_CHARS_MAX ? EVERYTHING : text;
}

function read(text: string): Appended {
  const appended = new Map<Topic, Set<number>>();
  for (const part of text.split(' ')) {
    const [topic = '', shards = ''] = part.split(':');
    // A newer version may know more topics.
    if (Object.hasOwn(TOPICS, topic)) appended.set(topic as Topic, new Set(shards.split(',').map(Number)));
  }
  return appended;
}

function everything(shards: number): Appended {
  const all = new Set(Array.from({ length: shards }, (_, shard) => shard));
  return new Map((Object.keys(TOPICS) as Topic[]).map((topic) => [topic, all]));
}
