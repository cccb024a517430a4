import type { Migration } from './ddl.ts';

/** What was learned about the provider of an account and must survive a restart: walls, limits, what is spent. */
export const providerState: Migration = {
  id: 11,
  name: 'provider-state',
  up: ({ int }) => [
    `CREATE TABLE provider_state (
      account TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, updated_at ${int} NOT NULL)`,
  ],
};
