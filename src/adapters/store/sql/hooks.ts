import type { RawBuilder } from 'kysely';
import type { Topic } from '../../../contracts/topics.ts';
import type { Schema } from './schema.ts';

/** A row of the log before it has its number. */
export type LogInsert = Omit<Schema['log'], 'seq'>;
export type FeedInsert = Omit<Schema['feed'], 'seq'>;

/** What the repositories need from the database that they run on, beyond SQL that both understand. */
export interface SqlHooks {
  /** How many shards the log has; fixed when an installation is made. */
  readonly shards: number;
  /** There is something to deliver on a topic, once this transaction has committed. */
  touch(topic: Topic, shard: number): void;
  /** Adds rows to the log, in this order and in the order of commits; a repeat of an id changes nothing. */
  appendLog(rows: readonly LogInsert[]): Promise<void>;
  /** The same for the public feed. */
  appendFeed(row: FeedInsert): Promise<void>;
  /** The store's own clock, epoch ms, as SQL. */
  now(): RawBuilder<number>;
  /**
   * The values of one `now()` in a statement that is compiled once: the time, where it is bound; none, where the database
   * looks at its own clock.
   */
  nowValues(): readonly number[];
  /** The same clock, read. */
  readNow(): Promise<number>;
  /** Ms of that clock in one real ms: more than 1 only in the sandbox on SQLite. */
  readonly speed: number;
  /**
   * Whoever locks the same name waits until this transaction has ended: for what is read first and written then. What is
   * asked after it, also without waiting for it, sees what the one before has written. `log`: what is written is appended
   * to the log, where works of the same commit cannot see it either, so they wait too. Nothing in a reading transaction,
   * and on SQLite, which has one writer.
   */
  lock(names: string | readonly string[], writes?: 'rows' | 'log'): Promise<void>;
  /** Who locks this name waits until this transaction has ended; who shares it does not. */
  share(name: string): Promise<void>;
}

/** The shard of a key: FNV-1a over its UTF-16 code units. */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}
