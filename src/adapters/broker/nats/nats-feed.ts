import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Topic } from '../../../contracts/topics.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { LogFeed, ShardFeed } from './feed.ts';
import { FEED_SETTLE_MS, FEED_SILENT_MS, FEED_TICK_MS } from './limits.ts';
import type { NatsLink } from './link.ts';
import { decode, hintOf, subjectOf } from './message.ts';
import { FeedBudget, ShardBuffer } from './shard-buffer.ts';

export interface NatsFeedOptions {
  readonly link: Pick<NatsLink, 'connection' | 'onChange'>;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One subscription, shared by all in this process who follow the shard. */
interface Followed {
  readonly subject: string;
  readonly buffers: Set<ShardBuffer>;
  subscription: Subscription | undefined;
}

/**
 * The log as it is published, heard as it passes: plain subscriptions to the subjects that the stream keeps. A consumer
 * of JetStream would wait until the stream has a row safe, on three servers perhaps; the store has had it safe before it
 * was published, and rows that are missed are read there. Nothing is kept on the servers for a reader.
 */
export class NatsFeed implements LogFeed {
  readonly #options: NatsFeedOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #budget = new FeedBudget();
  readonly #closing = new AbortController();
  readonly #unlisten: () => void;
  #connection: NatsConnection | undefined;
  /** Grows with every connection and subscription: what was begun before is over. */
  #round = 0;
  #flushing = false;
  #expecting = false;
  #heard = 0;

  constructor(options: NatsFeedOptions) {
    this.#options = options;
    this.#unlisten = options.link.onChange(() => this.#connect());
    this.#connect();
    void this.#watch();
  }

  /** Rows that have come. */
  get heard(): number {
    return this.#heard;
  }

  follow(topic: Topic, shard: number, onNews: () => void): ShardFeed {
    const subject = subjectOf(this.#options.prefix, topic, shard);
    let followed = this.#followed.get(subject);
    if (followed === undefined) {
      followed = { subject, buffers: new Set(), subscription: undefined };
      this.#followed.set(subject, followed);
      this.#subscribe(followed);
    }
    const { buffers } = followed;
    const buffer: ShardBuffer = new ShardBuffer({
      clock: this.#options.clock,
      budget: this.#budget,
      onNews,
      onExpect: () => void this.#expect(),
      onStop: () => {
        buffers.delete(buffer);
        if (buffers.size > 0) return;
        const last = this.#followed.get(subject);
        if (last?.buffers !== buffers) return;
        last.subscription?.unsubscribe();
        this.#followed.delete(subject);
      },
    });
    buffers.add(buffer);
    void this.#becomeLive();
    return buffer;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#unlisten();
    for (const { buffers } of [...this.#followed.values()]) for (const buffer of [...buffers]) buffer.stop();
  }

  *#buffers(): IterableIterator<ShardBuffer> {
    for (const { buffers } of this.#followed.values()) yield* buffers;
  }

  /** A connection came or went. Subscriptions live as long as the client's object, over its reconnections. */
  #connect(): void {
    const connection = this.#options.link.connection;
    this.#round++;
    for (const buffer of this.#buffers()) buffer.setLive(false);
    if (connection === undefined || this.#closing.signal.aborted) return;
    if (connection !== this.#connection) {
      this.#connection = connection;
      for (const followed of this.#followed.values()) this.#subscribe(followed);
    }
    void this.#becomeLive();
  }

  #subscribe(followed: Followed): void {
    const connection = this.#connection;
    followed.subscription?.unsubscribe();
    followed.subscription = undefined;
    if (connection === undefined || connection.isClosed()) return;
    followed.subscription = connection.subscribe(followed.subject, {
      callback: (error, message) => {
        if (error === null) this.#arrived(followed, message);
        else for (const buffer of followed.buffers) buffer.gap();
      },
    });
  }

  #arrived(followed: Followed, message: Msg): void {
    this.#heard++;
    // Most often this process has appended it itself, and its readers had it from memory before it was published.
    const hint = hintOf(message);
    let needed = false;
    for (const buffer of followed.buffers) needed = !buffer.knows(hint) || needed;
    if (!needed) return;
    const row = decode(message);
    for (const buffer of followed.buffers)
      if (row === undefined) buffer.gap();
      else buffer.offer(row);
  }

  /**
   * The server has all subscriptions made so far when it answers; other servers of a cluster hear of them a little later,
   * so what was taken for certain until then is doubted once more.
   */
  async #becomeLive(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let done = -1; done !== this.#round; ) {
        // Whoever follows meanwhile needs another answer.
        await Promise.resolve();
        done = this.#round;
        const waiting = [...this.#buffers()];
        const connection = this.#connection;
        if (connection === undefined || this.#options.link.connection !== connection) return;
        await connection.flush();
        if (done !== this.#round) continue;
        for (const buffer of waiting) if (!buffer.live) buffer.setLive(true);
        void this.#doubtLater(waiting);
        if ([...this.#buffers()].some((buffer) => !buffer.live)) done = -1;
      }
    } catch {
      // The connection broke: its return begins this anew.
    } finally {
      this.#flushing = false;
    }
  }

  async #doubtLater(buffers: readonly ShardBuffer[]): Promise<void> {
    const { clock } = this.#options;
    try {
      await clock.sleep(FEED_SETTLE_MS * clock.speed, this.#closing.signal);
    } catch {
      return;
    }
    for (const buffer of buffers) buffer.gap();
  }

  /** While something is expected: looks now and then whether it has come. */
  async #expect(): Promise<void> {
    if (this.#expecting) return;
    this.#expecting = true;
    const { clock } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await clock.sleep(FEED_TICK_MS * clock.speed, signal).catch(() => {});
      let expected = false;
      for (const buffer of this.#buffers()) expected = buffer.tick() || expected;
      if (!expected) break;
    }
    this.#expecting = false;
  }

  /** A subscription that brings nothing, though the store has rows, is made anew. */
  async #watch(): Promise<void> {
    const { clock, logger } = this.#options;
    for (;;) {
      await clock.sleep((FEED_SILENT_MS / 6) * clock.speed, this.#closing.signal).catch(() => {});
      if (this.#closing.signal.aborted) return;
      const before = clock.monotonic() - FEED_SILENT_MS * clock.speed;
      for (const followed of this.#followed.values()) {
        const silent = [...followed.buffers].some(
          ({ silentSince = Number.POSITIVE_INFINITY }) => silentSince <= before,
        );
        if (!silent) continue;
        logger.warn({ subject: followed.subject }, 'a subscription is silent though there are events; made anew');
        this.#subscribe(followed);
        for (const buffer of followed.buffers) buffer.setLive(false);
      }
      void this.#becomeLive();
    }
  }
}
