import type { Migration } from './ddl.ts';

/** The next few deliveries of each endpoint, found without reading all that wait: a slow receiver may have thousands. */
export const pending: Migration = {
  id: 3,
  name: 'pending',
  up: () => [
    "CREATE INDEX notification_pending ON notification (endpoint, next_at, created_at, id) WHERE state = 'pending'",
  ],
};
