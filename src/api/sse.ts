import type { ServerResponse } from 'node:http';
import type { TenantId, TravellerId } from '../domain/ids.ts';
import type { Logger } from '../ports/logger.ts';
import type { FeedCursor, FeedItem } from '../ports/store/itineraries.ts';
import type { Store } from '../ports/store.ts';

/**
 * The change stream over Server-Sent Events. One reader a tenant follows the feed and hands each item to the clients that
 * may see it; a client that comes in with an older cursor first reads on its own until it has caught up.
 *
 * A client is `catching up` (reads pages from the store) and then `live` (is handed items); it goes from the first to the
 * second only when nothing was handed out since its last page was read, so nothing is skipped and nothing comes twice.
 *
 * `wake` says that something was committed; without it the feed is looked at every POLL_MS. Real time throughout: the
 * clock of the sandbox may be fast, a proxy's patience is not.
 */
const POLL_MS = 200;
const PING_MS = 15_000;
const PAGE = 500;
/** Clients of one tenant: browsers use a few each. */
export const CLIENTS_PER_TENANT_MAX = 200;
/** Bytes waiting for a slow client before it is cut off; it comes back with its cursor. */
export const BUFFER_BYTES_MAX = 1024 * 1024;

interface Client {
  readonly response: ServerResponse;
  readonly tenant: TenantId;
  readonly traveller: TravellerId | undefined;
  after: number;
  live: boolean;
  closed: boolean;
  readonly ping: NodeJS.Timeout;
}

interface Tail {
  readonly tenant: TenantId;
  readonly clients: Set<Client>;
  last: number;
  reading: boolean;
  again: boolean;
}

export class ChangeStream {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #pingMs: number;
  readonly #tails = new Map<TenantId, Tail>();
  #poll: NodeJS.Timeout | undefined;

  constructor(store: Store, logger: Logger, pingMs = PING_MS) {
    this.#store = store;
    this.#logger = logger;
    this.#pingMs = pingMs;
  }

  /** This tenant has as many clients as it may. */
  full(tenant: TenantId): boolean {
    return (this.#tails.get(tenant)?.clients.size ?? 0) >= CLIENTS_PER_TENANT_MAX;
  }

  /**
   * Takes the response over for as long as the client stays. `cursor` undefined: from now on. `allowed` is asked with
   * every ping, so that a revoked token ends its streams too.
   */
  async open(
    response: ServerResponse,
    who: { readonly tenant: TenantId; readonly traveller: TravellerId | undefined },
    cursor: FeedCursor | undefined,
    allowed: () => Promise<boolean>,
  ): Promise<void> {
    const { start, bounds } = await this.#store.read(async ({ itineraries }) => ({
      start: await itineraries.resume(who.tenant, cursor),
      bounds: await itineraries.feedBounds(who.tenant),
    }));
    const tail = this.#tail(who.tenant, bounds.last);
    const client: Client = {
      response,
      ...who,
      after: start.after,
      live: false,
      closed: false,
      ping: setInterval(() => void this.#ping(client, tail, allowed), this.#pingMs),
    };
    client.ping.unref();
    tail.clients.add(client);
    response.on('close', () => this.#drop(client, tail));
    this.#write(client, tail, 'retry: 2000\n\n');
    if (start.reset)
      this.#write(client, tail, `id: ${start.last}\nevent: reset\ndata: ${JSON.stringify({ after: start.last })}\n\n`);
    this.#poll ??= setInterval(() => this.wake(), POLL_MS).unref();
    void this.#catchUp(client, tail);
  }

  /** Something may have been committed. Cheap; reads that are under way are not doubled. */
  wake(): void {
    for (const tail of this.#tails.values()) void this.#read(tail);
  }

  close(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    for (const tail of this.#tails.values()) {
      for (const client of [...tail.clients]) {
        client.response.end();
        this.#drop(client, tail);
      }
    }
  }

  async #ping(client: Client, tail: Tail, allowed: () => Promise<boolean>): Promise<void> {
    // A store that cannot answer now says nothing about the token.
    if (await allowed().catch(() => true)) {
      this.#write(client, tail, ': ping\n\n');
      return;
    }
    client.response.end();
    this.#drop(client, tail);
  }

  #tail(tenant: TenantId, last: number): Tail {
    const known = this.#tails.get(tenant);
    if (known !== undefined) return known;
    const tail: Tail = { tenant, clients: new Set(), last, reading: false, again: false };
    this.#tails.set(tenant, tail);
    return tail;
  }

  async #read(tail: Tail): Promise<void> {
    if (tail.reading) {
      tail.again = true;
      return;
    }
    tail.reading = true;
    try {
      do {
        tail.again = false;
        const items = await this.#store.read((tx) => tx.itineraries.feed(tail.tenant, tail.last, PAGE));
        if (items.length === PAGE) tail.again = true;
        const last = items.at(-1);
        if (last === undefined) continue;
        tail.last = last.seq;
        for (const client of tail.clients) if (client.live) this.#hand(client, tail, items);
      } while (tail.again && tail.clients.size > 0);
    } catch (error) {
      this.#logger.warn({ error: String(error) }, 'change stream could not read the feed; tries again');
    } finally {
      tail.reading = false;
    }
  }

  async #catchUp(client: Client, tail: Tail): Promise<void> {
    try {
      while (!client.closed) {
        const seen = tail.last;
        const items = await this.#store.read((tx) =>
          tx.itineraries.feed(client.tenant, client.after, PAGE, client.traveller),
        );
        this.#hand(client, tail, items);
        // Synchronous from here: if nobody moved the tail meanwhile, this page covered all up to it.
        if (items.length < PAGE && tail.last === seen) {
          client.after = Math.max(client.after, seen);
          client.live = true;
          return;
        }
        await this.#drained(client);
      }
    } catch (error) {
      this.#logger.warn({ error: String(error) }, 'change stream could not catch up; the client may come back');
      client.response.end();
      this.#drop(client, tail);
    }
  }

  /** A page at a time: the next only when this one has left. */
  #drained(client: Client): Promise<void> {
    if (client.closed || client.response.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      client.response.once('drain', resolve);
      client.response.once('close', resolve);
    });
  }

  #hand(client: Client, tail: Tail, items: readonly FeedItem[]): void {
    let text = '';
    for (const item of items) {
      if (item.seq <= client.after) continue;
      client.after = item.seq;
      if (client.traveller !== undefined && item.traveller !== client.traveller) continue;
      text += `id: ${item.cursor}\nevent: change\ndata: ${JSON.stringify(publicEvent(item))}\n\n`;
    }
    if (text !== '') this.#write(client, tail, text);
  }

  #write(client: Client, tail: Tail, text: string): void {
    if (client.closed) return;
    client.response.write(text);
    if (client.response.writableLength > BUFFER_BYTES_MAX) {
      this.#logger.debug({ bytes: client.response.writableLength }, 'change stream client too slow; closed');
      client.response.destroy();
      this.#drop(client, tail);
    }
  }

  #drop(client: Client, tail: Tail): void {
    client.closed = true;
    clearInterval(client.ping);
    tail.clients.delete(client);
    if (tail.clients.size === 0) this.#tails.delete(tail.tenant);
    if (this.#tails.size === 0) {
      clearInterval(this.#poll);
      this.#poll = undefined;
    }
  }
}

/** A CloudEvent: our topic is told by its type. */
export function publicEvent(item: FeedItem): Record<string, unknown> {
  const { topic: _, ...event } = item.event;
  return event;
}
