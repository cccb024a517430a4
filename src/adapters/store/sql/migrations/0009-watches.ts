import type { Migration } from './ddl.ts';

/**
 * Mailboxes that we go to. A mail of theirs is on the ledger before it is fetched: what makes it one (`identity`) is the
 * digest of its bytes where they were brought to us, of its header block where it was listed; `raw` is empty until it is
 * fetched, `ref` is where. `watch`: how far each mailbox has been read, and how it stands.
 */
export const watches: Migration = {
  id: 9,
  name: 'watches',
  up: ({ int }) => [
    'ALTER TABLE mail RENAME COLUMN raw TO identity',
    'ALTER TABLE mail ADD COLUMN raw TEXT',
    'ALTER TABLE mail ADD COLUMN ref TEXT',
    'ALTER TABLE mail ADD COLUMN folder TEXT',
    'UPDATE mail SET raw = identity',
    "CREATE INDEX mail_undecided_of ON mail (tenant, mailbox) WHERE disposition IN ('seen', 'collected')",
    `CREATE TABLE watch (
      tenant TEXT NOT NULL, mailbox TEXT NOT NULL, traveller TEXT NOT NULL, kind TEXT NOT NULL, settings TEXT NOT NULL,
      sealed_credentials TEXT, since_at ${int} NOT NULL, live_cursor TEXT, backfill_cursor TEXT,
      backfill_done ${int} NOT NULL, backfill_left ${int}, state TEXT NOT NULL, reason_code TEXT NOT NULL,
      reason TEXT NOT NULL, state_at ${int} NOT NULL, checked_at ${int}, due_at ${int}, seen ${int} NOT NULL,
      subscription TEXT, renew_at ${int}, push_name TEXT, created_at ${int} NOT NULL, shard ${int} NOT NULL,
      resting ${int} NOT NULL, gone ${int} NOT NULL, touched_at ${int} NOT NULL, wake_at ${int} NOT NULL,
      PRIMARY KEY (tenant, mailbox))`,
    'CREATE INDEX watch_shard ON watch (shard)',
    'CREATE INDEX watch_touched ON watch (touched_at)',
    'CREATE INDEX watch_push ON watch (push_name) WHERE push_name IS NOT NULL',
  ],
};
