import type { Contestant } from './contestant.ts';
import { bullmq } from './peer/bullmq.ts';
import { graphileWorker } from './peer/graphile-worker.ts';
import { jetStream } from './peer/jetstream.ts';
import { pgBoss } from './peer/pg-boss.ts';
import { onNatsAndPostgres, onPostgresAlone, onPostgresTwice, onSyncingNatsAndPostgres } from './tripwatch/postgres.ts';
import { embedded, embeddedTwice } from './tripwatch/sqlite.ts';

/** By the name that the command line takes. */
export const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  embedded,
  'embedded-2': embeddedTwice,
  postgres: onPostgresAlone,
  'postgres-2': onPostgresTwice,
  nats: onNatsAndPostgres,
  'nats-synced': onSyncingNatsAndPostgres,
  bullmq,
  'pg-boss': pgBoss,
  graphile: graphileWorker,
  jetstream: jetStream,
};
