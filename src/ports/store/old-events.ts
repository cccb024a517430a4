import type { Topic } from '../../contracts/topics.ts';

/** One shard of a topic, and every stage that reads the topic. */
export interface LogPlace {
  readonly topic: Topic;
  readonly shard: number;
  readonly readers: readonly string[];
}

export interface OldEvents {
  /** Numbers that may go; `cut` and `cutFeed` look again. */
  readonly seqs: readonly number[];
  /** Where the next page begins; undefined: there is nothing older left to look at. */
  readonly next: number | undefined;
}

/**
 * Events that everybody is done with and that are older than they are to be kept. Marks of what was processed are not
 * events and stay for ever: by them a repeat falls away also when its event has gone. Operator-wide.
 */
export interface OldEventsRepo {
  /**
   * Rows of the log appended before `before` (epoch ms), after the number `after`, at most `limit`, up to the slowest of
   * those who hold a place in the log: cursors of consumers, the books of conservation, relays. A reader that never
   * began has its place at the beginning.
   */
  due(
    place: LogPlace,
    options: { readonly before: number; readonly after: number; readonly limit: number },
  ): Promise<OldEvents>;
  /**
   * Deletes of these what each reader has marked as processed and nothing rests on: no delivery, no open dead letter,
   * nothing that the books remember as not done. Returns how many went.
   */
  cut(place: LogPlace, seqs: readonly number[]): Promise<number>;
  /** The same of the change stream, all tenants together. */
  dueFeed(options: { readonly before: number; readonly after: number; readonly limit: number }): Promise<OldEvents>;
  /** The newest of each tenant stays: by it a reader that has seen everything is told from one that has missed something. */
  cutFeed(seqs: readonly number[]): Promise<number>;
}
