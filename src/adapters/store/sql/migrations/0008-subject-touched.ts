import type { Migration } from './ddl.ts';

/**
 * The stage that keeps the list of subjects and the one who asks may be different processes: the asker looks for what was
 * touched since it last looked. `wake_at`: ask at once.
 */
export const subjectTouched: Migration = {
  id: 8,
  name: 'subject-touched',
  up: ({ int }) => [
    `ALTER TABLE subject ADD COLUMN touched_at ${int} NOT NULL DEFAULT 0`,
    `ALTER TABLE subject ADD COLUMN wake_at ${int} NOT NULL DEFAULT 0`,
    'CREATE INDEX subject_touched ON subject (account, touched_at)',
  ],
};
