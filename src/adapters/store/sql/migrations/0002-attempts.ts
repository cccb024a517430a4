import type { Migration } from './ddl.ts';

/**
 * What the story of an event needs: the failed attempts before the one that worked (null: it worked at once), and its
 * dead letters without a search through all of them.
 */
export const attempts: Migration = {
  id: 2,
  name: 'attempts',
  up: () => [
    'ALTER TABLE processed ADD COLUMN attempts TEXT',
    'CREATE INDEX dead_letter_event ON dead_letter (tenant, event_id)',
  ],
};
