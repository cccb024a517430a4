import { ERROR_KINDS } from '../../../../domain/errors.ts';
import type { Migration } from './ddl.ts';

/**
 * What one asks of dead letters becomes columns (kind, provider, place of the event in the log), who decided stands
 * beside why, and every act of an operator is on record. Which provider older letters concern is not known.
 */
export const deadLettersAndAudit: Migration = {
  id: 5,
  name: 'dead-letters-and-audit',
  up: ({ int }) => [
    "ALTER TABLE dead_letter ADD COLUMN kind TEXT NOT NULL DEFAULT 'poison'",
    'ALTER TABLE dead_letter ADD COLUMN provider TEXT',
    `ALTER TABLE dead_letter ADD COLUMN event_seq ${int} NOT NULL DEFAULT 0`,
    'ALTER TABLE dead_letter ADD COLUMN decided_by TEXT',
    'ALTER TABLE dead_letter ADD COLUMN edited_event TEXT',
    // The last attempt has the code of the letter; attempts are JSON as we wrote it.
    ...KINDS.map(
      (kind) =>
        `UPDATE dead_letter SET kind = '${kind}' WHERE attempts LIKE '%"kind":"${kind}","code":"' || code || '"%'`,
    ),
    `UPDATE dead_letter SET event_seq = coalesce((SELECT seq FROM log WHERE log.id = dead_letter.event_id), 0)`,
    "UPDATE dead_letter SET decided_by = decision, decision = NULL WHERE state = 'replayed'",
    'DROP INDEX dead_letter_newest',
    'CREATE INDEX dead_letter_newest ON dead_letter (tenant, created_at, id)',
    'CREATE INDEX dead_letter_newest_of ON dead_letter (tenant, state, created_at, id)',
    'CREATE INDEX dead_letter_order ON dead_letter (tenant, state, event_seq, id)',
    `CREATE TABLE audit (
      tenant TEXT NOT NULL, id TEXT NOT NULL, at ${int} NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
      target TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY (tenant, id))`,
    'CREATE INDEX audit_newest ON audit (tenant, at, id)',
  ],
};

const KINDS = Object.keys(ERROR_KINDS);
