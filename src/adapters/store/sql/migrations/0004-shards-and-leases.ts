import type { Migration } from './ddl.ts';

/**
 * Several processes at work: the log falls into shards of keys, each consumer has a cursor for each, and who works on
 * what is written down, with tokens that only grow. An installation from before has one shard.
 */
export const shardsAndLeases: Migration = {
  id: 4,
  name: 'shards-and-leases',
  up: ({ int }) => [
    'CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
    `ALTER TABLE log ADD COLUMN shard ${int} NOT NULL DEFAULT 0`,
    'DROP INDEX log_topic',
    'CREATE INDEX log_topic ON log (topic, shard, seq)',
    'ALTER TABLE consumer_cursor RENAME TO consumer_cursor_before',
    `CREATE TABLE consumer_cursor (
      consumer TEXT NOT NULL, shard ${int} NOT NULL, topic TEXT NOT NULL, seq ${int} NOT NULL,
      PRIMARY KEY (consumer, shard))`,
    `INSERT INTO consumer_cursor (consumer, shard, topic, seq)
      SELECT consumer, 0, topic, seq FROM consumer_cursor_before`,
    'DROP TABLE consumer_cursor_before',
    `ALTER TABLE delivery ADD COLUMN shard ${int} NOT NULL DEFAULT 0`,
    'DROP INDEX delivery_due',
    'CREATE INDEX delivery_due ON delivery (consumer, shard, next_at)',
    `CREATE TABLE lease (
      resource TEXT PRIMARY KEY, owner TEXT NOT NULL, token ${int} NOT NULL, expires_at ${int} NOT NULL,
      UNIQUE (resource, token))`,
    'CREATE INDEX lease_owner ON lease (owner)',
    `CREATE TABLE worker (
      id TEXT PRIMARY KEY, groups TEXT NOT NULL, label TEXT NOT NULL, started_at ${int} NOT NULL,
      seen_at ${int} NOT NULL, load TEXT NOT NULL)`,
  ],
};
