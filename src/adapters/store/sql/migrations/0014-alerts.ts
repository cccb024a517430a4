import type { Migration } from './ddl.ts';

/** What travellers were told of each reservation, when to look at it again by the clock, and what they want to be told. */
export const alerts: Migration = {
  id: 14,
  name: 'alerts',
  up: ({ int, clustered }) => [
    `CREATE TABLE told (
      tenant TEXT NOT NULL, reservation TEXT NOT NULL, traveller TEXT NOT NULL, body TEXT NOT NULL, due_at ${int},
      PRIMARY KEY (tenant, reservation))`,
    'CREATE INDEX told_due ON told (due_at) WHERE due_at IS NOT NULL',
    `CREATE TABLE alert_setting (
      tenant TEXT NOT NULL, traveller TEXT NOT NULL, body TEXT NOT NULL, updated_at ${int} NOT NULL,
      PRIMARY KEY (tenant, traveller))${clustered}`,
    'CREATE INDEX subject_failing ON subject (failing_since) WHERE failing_since IS NOT NULL',
  ],
};
