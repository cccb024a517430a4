import { sql } from 'kysely';
import { statement } from '../adapters/store/sql/rows.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import type { Observation } from '../domain/observation.ts';
import type { Change, Reservation } from '../domain/reservation.ts';
import type { SubjectSpec } from '../ports/provider.ts';
import { STAGES } from '../stages/stages.ts';
import type { Look } from './history.ts';

/** The store as it stands, for checkers: rows, not repositories, so that a wrong repository is seen too. */
export interface Tables {
  readonly mails: readonly {
    readonly id: string;
    readonly raw: string | undefined;
    readonly disposition: string;
    readonly reasonCode: string;
    readonly timesSeen: number;
  }[];
  readonly log: readonly { readonly seq: number; readonly event: AnyEvent }[];
  readonly processed: readonly { readonly consumer: string; readonly eventId: string }[];
  readonly deadLetters: readonly {
    readonly consumer: string;
    readonly eventId: string;
    readonly state: string;
    readonly code: string;
    readonly attempts: number;
  }[];
  readonly deliveries: readonly { readonly consumer: string; readonly eventId: string; readonly state: string }[];
  readonly observations: readonly Observation[];
  readonly reservations: readonly { readonly reservation: Reservation; readonly mergedInto: string | undefined }[];
  readonly versions: readonly {
    readonly reservation: string;
    readonly version: number;
    readonly changes: readonly Change[];
  }[];
  readonly feed: readonly { readonly seq: number; readonly event: AnyEvent }[];
  readonly itineraries: readonly { readonly reservation: string; readonly version: number; readonly gone: boolean }[];
  readonly notifications: readonly {
    readonly id: string;
    readonly endpoint: string;
    readonly eventId: string;
    readonly body: string;
    readonly state: string;
    readonly attempts: number;
    readonly nextAt: number;
  }[];
  readonly endpoints: readonly {
    readonly id: string;
    readonly url: string;
    readonly traveller: string | undefined;
    readonly state: string;
  }[];
  readonly subjects: readonly {
    readonly id: string;
    readonly state: string;
    readonly fromAt: number;
    readonly checkedAt: number | undefined;
    readonly failure: string | undefined;
  }[];
}

/** Tables that only ever grow while nobody cuts the log, the tokens of all leases, and what is said to be fresh. */
export function lookInto(store: SqlStore): Promise<Omit<Look, 'at'>> {
  return store.read(async ({ db }) => {
    const { rows } = await countAll(db, []);
    // The law of conservation: what is behind the cursor is done, or has a row that says what it waits for.
    const lost = await selectLost(db, []);
    const { rows: subjects } = await selectChecked(db, []);
    return {
      counts: rows[0] ?? {},
      lost: lost.rows,
      checked: subjects.flatMap(({ spec, checked_at: checkedAt }) => {
        const { carrier, number, day } = (JSON.parse(spec) as SubjectSpec).query;
        return checkedAt === null ? [] : [{ about: `${carrier}${number}/${day}`, checkedAt }];
      }),
    };
  });
}

/** With what was let go since. */
const EVER_LOGGED = sql.raw(`(SELECT seq, id, topic, shard, body FROM log
  UNION ALL SELECT seq, id, topic, shard, body FROM gone_log)`);

const countAll = statement((db) => ({
  compile: () =>
    sql<Record<string, number>>`
      SELECT (SELECT count(*) FROM log) + (SELECT count(*) FROM gone_log) AS events,
        (SELECT count(*) FROM gone_log) AS gone, (SELECT count(*) FROM processed) AS marks,
        (SELECT count(*) FROM mail) AS mails, (SELECT count(*) FROM observation) AS observations,
        (SELECT count(*) FROM reservation_version) AS versions,
        (SELECT count(*) FROM feed) + (SELECT count(*) FROM gone_feed) AS feed,
        (SELECT count(*) FROM notification) AS notifications,
        (SELECT count(*) FROM notification WHERE state <> 'pending') AS settled,
        (SELECT count(*) FROM mail WHERE disposition NOT IN ('seen', 'collected', 'vanished')) AS decided,
        (SELECT coalesce(sum(token), 0) FROM lease) AS tokens`.compile(db),
}));

/** The rows of a table that names each stage and the topic it reads. */
export const STAGES_SQL = sql.raw(STAGES.map(({ name, reads }) => `('${name}', '${reads}')`).join(', '));

const selectLost = statement((db) => ({
  compile: () =>
    sql<{ consumer: string; id: string }>`
      WITH stage (name, reads) AS (VALUES ${STAGES_SQL})
      SELECT stage.name AS consumer, log.id AS id
      FROM stage JOIN consumer_cursor c ON c.consumer = stage.name
        JOIN ${EVER_LOGGED} AS log ON log.topic = stage.reads AND log.shard = c.shard AND log.seq <= c.seq
      WHERE NOT EXISTS (SELECT 1 FROM processed p WHERE p.event_id = log.id AND p.consumer = stage.name)
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.consumer = stage.name AND d.seq = log.seq)
      ORDER BY log.seq`.compile(db),
}));

const selectChecked = statement((db) => db.selectFrom('subject').select(['spec', 'checked_at']).orderBy('id'));

const selectLog = statement((db) => ({
  compile: () => sql<{ seq: number; body: string }>`SELECT seq, body FROM ${EVER_LOGGED} ORDER BY seq`.compile(db),
}));

const selectFeed = statement((db) => ({
  compile: () =>
    sql<{ seq: number; event: string }>`
      SELECT seq, event FROM feed UNION ALL SELECT seq, event FROM gone_feed ORDER BY seq`.compile(db),
}));

export function readTables(store: SqlStore): Promise<Tables> {
  return store.read(async ({ db }) => ({
    mails: (await db.selectFrom('mail').selectAll().orderBy('id').execute()).map((row) => ({
      id: row.id,
      raw: row.raw ?? undefined,
      disposition: row.disposition,
      reasonCode: row.reason_code,
      timesSeen: row.times_seen,
    })),
    log: (await selectLog(db, [])).rows.map((row) => ({
      seq: row.seq,
      event: JSON.parse(row.body) as AnyEvent,
    })),
    processed: (await db.selectFrom('processed').selectAll().execute()).map((row) => ({
      consumer: row.consumer,
      eventId: row.event_id,
    })),
    deadLetters: (await db.selectFrom('dead_letter').selectAll().execute()).map((row) => ({
      consumer: row.consumer,
      eventId: row.event_id,
      state: row.state,
      code: row.code,
      attempts: (JSON.parse(row.attempts) as unknown[]).length,
    })),
    deliveries: (await db.selectFrom('delivery').selectAll().execute()).map((row) => ({
      consumer: row.consumer,
      eventId: row.event_id,
      state: row.state,
    })),
    observations: (await db.selectFrom('observation').select('body').orderBy('id').execute()).map(
      (row) => JSON.parse(row.body) as Observation,
    ),
    reservations: (await db.selectFrom('reservation').selectAll().orderBy('id').execute()).map((row) => ({
      reservation: JSON.parse(row.body) as Reservation,
      mergedInto: row.merged_into ?? undefined,
    })),
    versions: (
      await db.selectFrom('reservation_version').selectAll().orderBy('reservation').orderBy('version').execute()
    ).map((row) => ({
      reservation: row.reservation,
      version: row.version,
      changes: JSON.parse(row.changes) as Change[],
    })),
    feed: (await selectFeed(db, [])).rows.map((row) => ({
      seq: row.seq,
      event: JSON.parse(row.event) as AnyEvent,
    })),
    itineraries: (await db.selectFrom('itinerary').selectAll().orderBy('reservation').execute()).map((row) => ({
      reservation: row.reservation,
      version: row.version,
      gone: row.gone !== 0,
    })),
    notifications: (await db.selectFrom('notification').selectAll().orderBy('id').execute()).map((row) => ({
      id: row.id,
      endpoint: row.endpoint,
      eventId: row.event_id,
      body: row.body,
      state: row.state,
      attempts: row.attempts,
      nextAt: row.next_at,
    })),
    endpoints: (await db.selectFrom('endpoint').selectAll().orderBy('id').execute()).map((row) => ({
      id: row.id,
      url: row.url,
      traveller: row.traveller ?? undefined,
      state: row.state,
    })),
    subjects: (await db.selectFrom('subject').selectAll().orderBy('id').execute()).map((row) => ({
      id: row.id,
      state: row.state,
      fromAt: (JSON.parse(row.spec) as { fromAt: number }).fromAt,
      checkedAt: row.checked_at ?? undefined,
      failure: row.failure ?? undefined,
    })),
  }));
}
