import type { Migration } from './ddl.ts';

/**
 * Work that operators have stopped; and the books of the law of conservation: how far each shard of a consumer has been
 * accounted for (`audited`), what each tenant has there (`balance`), and what was open when the mark passed (`unsettled`).
 */
export const controlAndConservation: Migration = {
  id: 6,
  name: 'control-and-conservation',
  up: ({ int, clustered }) => [
    `CREATE TABLE pause (
      tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
      at ${int} NOT NULL, PRIMARY KEY (tenant, kind, id))`,
    `CREATE TABLE audited (
      consumer TEXT NOT NULL, shard ${int} NOT NULL, seq ${int} NOT NULL, turn ${int} NOT NULL,
      checked_at ${int} NOT NULL, PRIMARY KEY (consumer, shard))`,
    `CREATE TABLE balance (
      consumer TEXT NOT NULL, shard ${int} NOT NULL, tenant TEXT NOT NULL, passed ${int} NOT NULL,
      settled ${int} NOT NULL, ahead ${int} NOT NULL, ahead_settled ${int} NOT NULL, failed ${int} NOT NULL,
      overdue ${int} NOT NULL, lost ${int} NOT NULL, recovered ${int} NOT NULL,
      PRIMARY KEY (consumer, shard, tenant))${clustered}`,
    'CREATE INDEX balance_tenant ON balance (tenant)',
    `CREATE TABLE unsettled (
      consumer TEXT NOT NULL, shard ${int} NOT NULL, seq ${int} NOT NULL, event_id TEXT NOT NULL,
      tenant TEXT NOT NULL, PRIMARY KEY (consumer, shard, seq))${clustered}`,
    "CREATE INDEX dead_letter_open ON dead_letter (consumer, event_seq) WHERE state = 'open'",
    "CREATE INDEX dead_letter_replayed ON dead_letter (consumer, decided_at) WHERE state = 'replayed'",
    "CREATE INDEX mail_undecided ON mail (updated_at) WHERE disposition IN ('seen', 'collected')",
  ],
};
