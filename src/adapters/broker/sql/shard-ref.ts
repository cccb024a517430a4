import type { Topic } from '../../../contracts/topics.ts';

/** One shard of a consumer's events. */
export interface ShardRef {
  readonly consumer: string;
  readonly topic: Topic;
  readonly shard: number;
}
