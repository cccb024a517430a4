import type { Migration } from './ddl.ts';

/**
 * Which life of the store a number of the change stream was given in: each start begins one. A store that came back from a
 * backup gives the same numbers again, in another life, so a reader that has seen the first ones can be told.
 */
export const feedEpochs: Migration = {
  id: 17,
  name: 'feed-epochs',
  up: ({ int }) => [
    `CREATE TABLE feed_epoch (epoch TEXT PRIMARY KEY, after_seq ${int} NOT NULL, begun_at ${int} NOT NULL)`,
    'CREATE INDEX feed_epoch_after ON feed_epoch (after_seq, epoch)',
  ],
};
