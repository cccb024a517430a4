import type { Migration } from './ddl.ts';

/**
 * How far the log has been published by NATS: one row a relay. `seq` and `stream_seq`: place in the log and in the stream
 * of the last event acknowledged without a hole; the same with `audited_` of the last that was compared. `epoch`: of the
 * stream that these belong to.
 */
export const relay: Migration = {
  id: 7,
  name: 'relay',
  up: ({ int }) => [
    `CREATE TABLE relay (
      relay ${int} PRIMARY KEY, seq ${int} NOT NULL, stream_seq ${int} NOT NULL, audited_seq ${int} NOT NULL,
      audited_stream_seq ${int} NOT NULL, epoch TEXT NOT NULL)`,
  ],
};
