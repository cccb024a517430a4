import type { Topic } from '../../../contracts/topics.ts';
import type { LogRow } from '../sql/delivery-rows.ts';

/**
 * Rows of the log that come by another way than reading the store. Whatever that way loses, doubles or reorders, a reader
 * gets every row of its shard once and in order: what cannot be proven to follow without a hole is read from the store.
 */
export interface LogFeed {
  /**
   * Listens to a shard of a topic from now on. `onNews`: there may be something to read; called often, and also where it
   * is only doubtful whether something was missed. Several may follow the same shard.
   */
  follow(topic: Topic, shard: number, onNews: () => void): ShardFeed;
  /** Ends what follows; reading goes on from the store. */
  close(): Promise<void>;
}

export interface ShardFeed {
  /**
   * The rows after `after`, in order and without a hole, at most `limit`; fewer mean that there are no more now, and
   * `onNews` tells when there are. `fromStore` reads the same rows from the store: called when nothing else is certain,
   * and every two seconds where nothing comes. Not to be called again before it has resolved.
   */
  read(after: number, limit: number, fromStore: () => Promise<readonly LogRow[]>): Promise<readonly LogRow[]>;
  /**
   * The store says that something was appended in the shard. Where it does not arrive soon, though nothing else does
   * either, it is read from the store.
   */
  noticed(): void;
  /** Up to here the reader has read in another way: it needs none of these rows any more. */
  passed(seq: number): void;
  /** Something suggests that rows were missed: the next read that finds nothing here asks the store. */
  doubt(): void;
  stop(): void;
}

/** A row as it is carried: it says which row of its topic and shard comes before it. */
export interface CarriedRow extends LogRow {
  /** No row of the topic and shard has a number between this and `seq`; 0: none comes before. */
  readonly prev: number;
}
