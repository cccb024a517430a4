import type { Migration } from './ddl.ts';

/**
 * What became of each thing that a mail said, so that its receipt can say whether it brought anything. And mails by their
 * Message-ID: whether the same one came before by another way. And whose mails a host asks to forward here, until they do.
 */
export const whatMailsBrought: Migration = {
  id: 15,
  name: 'what-mails-brought',
  up: ({ clustered }) => [
    `CREATE TABLE mail_observation (
      tenant TEXT NOT NULL, mail TEXT NOT NULL, observation TEXT NOT NULL, effect TEXT,
      PRIMARY KEY (tenant, mail, observation))${clustered}`,
    'ALTER TABLE mail ADD COLUMN found TEXT',
    'ALTER TABLE mail ADD COLUMN asks_for TEXT',
    "CREATE INDEX mail_needs_you ON mail (tenant, mailbox) WHERE disposition = 'needs-you'",
    'CREATE INDEX mail_message ON mail (tenant, traveller, message_id) WHERE message_id IS NOT NULL',
  ],
};
