import type { Migration } from './ddl.ts';

/** Raw mails that were read and are still kept, oldest first: found without looking at those that are gone. */
export const keptMails: Migration = {
  id: 12,
  name: 'kept-mails',
  up: () => [
    `CREATE INDEX mail_kept ON mail (updated_at)
      WHERE raw IS NOT NULL AND disposition NOT IN ('seen', 'collected')`,
    'CREATE INDEX mail_raw ON mail (raw) WHERE raw IS NOT NULL',
  ],
};
