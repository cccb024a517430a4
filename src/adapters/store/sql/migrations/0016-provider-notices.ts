import type { Migration } from './ddl.ts';

/**
 * What providers push is stored before it is answered: each notice once for all processes (`notice`), and with the
 * subjects that it wakes the reason (`wake_why`), until whoever asks has asked (`heard_at` reaches `wake_at`).
 */
export const providerNotices: Migration = {
  id: 16,
  name: 'provider-notices',
  up: ({ int, clustered }) => [
    `CREATE TABLE notice (
      account TEXT NOT NULL, id TEXT NOT NULL, signed ${int} NOT NULL, at ${int} NOT NULL,
      PRIMARY KEY (account, id))${clustered}`,
    'CREATE INDEX notice_at ON notice (account, at)',
    'ALTER TABLE subject ADD COLUMN wake_why TEXT',
    `ALTER TABLE subject ADD COLUMN heard_at ${int} NOT NULL DEFAULT 0`,
    'UPDATE subject SET heard_at = wake_at',
  ],
};
