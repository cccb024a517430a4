import type { Migration } from './ddl.ts';

/**
 * Since when a mailbox needs its owner: set once for each time that it stops for them, taken away when it works again, so
 * that one notice goes out in between. And why nothing is pushed for a mailbox that could be,
 * and the way to one by its id alone, as a pushed notice names it.
 */
export const mailboxNeeds: Migration = {
  id: 13,
  name: 'mailbox-needs',
  up: ({ int }) => [
    `ALTER TABLE watch ADD COLUMN needs_since ${int}`,
    'ALTER TABLE watch ADD COLUMN push_fault TEXT',
    'CREATE INDEX watch_mailbox ON watch (mailbox)',
    'CREATE INDEX watch_needs ON watch (needs_since) WHERE needs_since IS NOT NULL',
    "UPDATE watch SET needs_since = state_at WHERE state = 'needs-you' AND gone = 0",
  ],
};
