import { type RawBuilder, sql } from 'kysely';
import type { EventId, TenantId } from '../../../domain/ids.ts';
import type { OpenEvent, ShardLook, ShardPlace, Tally } from '../../../ports/store/conservation.ts';
import type { Db } from './schema.ts';

/** Rows of what was not done at earlier looks that one look goes through; the next goes on behind them. */
const UNSETTLED_MAX = 20_000;
/** Replays are looked for this far before the last check: the clocks of those who decide differ. */
const REPLAYS_MARGIN_MS = 600_000;
/**
 * Null, or 1 where the event is done or set aside. A subquery and no join: so both databases ask by the primary key, row
 * by row, however large the table is.
 */
export const markOf = (consumer: string, eventId: string): RawBuilder<number | null> =>
  sql`(SELECT 1 FROM processed WHERE processed.event_id = ${sql.ref(eventId)} AND processed.consumer = ${consumer})`;
const rowOf = (consumer: string, seq: string): RawBuilder<number | null> =>
  sql`(SELECT 1 FROM delivery WHERE delivery.consumer = ${consumer} AND delivery.seq = ${sql.ref(seq)})`;

export const EMPTY: Tally = { passed: 0, passedSettled: 0, ahead: 0, aheadSettled: 0, failed: 0, overdue: 0 };

interface Counted {
  readonly rows: number;
  readonly settled: number;
  /** Of the last one counted. */
  readonly lastSeq: number;
  /** When the oldest that is not done was appended. */
  readonly since: number | undefined;
  readonly tenants: readonly { readonly tenant: string; readonly count: number; readonly settled: number }[];
}
export const NOTHING: Counted = { rows: 0, settled: 0, lastSeq: 0, since: undefined, tenants: [] };

/** Events of the shard after `after`, by tenant, and how many of them are done. */
export async function countRows(
  db: Db,
  { consumer, topic, shard }: ShardPlace,
  { after, upTo, limit }: { readonly after: number; readonly upTo?: number; readonly limit: number },
): Promise<Counted> {
  if (upTo !== undefined && upTo <= after) return NOTHING;
  const { rows } = await sql<{ tenant: string; n: number; settled: number; last: number; since: number | null }>`
    SELECT tenant, count(*) AS n, count(mark) AS settled, max(seq) AS last,
      min(CASE WHEN mark IS NULL THEN at END) AS since
    FROM (
      SELECT log.seq AS seq, log.tenant AS tenant, log.at AS at, ${markOf(consumer, 'log.id')} AS mark FROM log
      WHERE log.topic = ${topic} AND log.shard = ${shard} AND log.seq > ${after}
      ${upTo === undefined ? sql`` : sql`AND log.seq <= ${upTo}`}
      ORDER BY log.seq LIMIT ${limit}
    ) AS rows_found GROUP BY tenant`.execute(db);
  const tenants = rows.map((row) => ({ tenant: row.tenant, count: Number(row.n), settled: Number(row.settled) }));
  const since = rows.flatMap((row) => (row.since === null ? [] : [Number(row.since)]));
  return {
    rows: tenants.reduce((sum, one) => sum + one.count, 0),
    settled: tenants.reduce((sum, one) => sum + one.settled, 0),
    lastSeq: Math.max(0, ...rows.map((row) => Number(row.last))),
    since: since.length === 0 ? undefined : Math.min(...since),
    tenants,
  };
}

/** Not done and without a delivery row, although the cursor is beyond them. */
export async function lostBetween(
  db: Db,
  { consumer, topic, shard }: ShardPlace,
  after: number,
  upTo: number,
): Promise<readonly OpenEvent[]> {
  const { rows } = await sql<{ seq: number; id: string; tenant: string }>`
    SELECT log.seq AS seq, log.id AS id, log.tenant AS tenant FROM log
    WHERE log.topic = ${topic} AND log.shard = ${shard} AND log.seq > ${after} AND log.seq <= ${upTo}
      AND ${rowOf(consumer, 'log.seq')} IS NULL AND ${markOf(consumer, 'log.id')} IS NULL
    ORDER BY log.seq`.execute(db);
  return rows.map(({ seq, id, tenant }) => openEvent(seq, id, tenant));
}

/** What was not done at earlier looks: what became of it. */
export async function walkUnsettled(
  db: Db,
  { consumer, shard }: ShardPlace,
  turn: number,
): Promise<Pick<ShardLook, 'closed' | 'lost' | 'turn'>> {
  const some = sql`SELECT unsettled.seq AS seq, unsettled.event_id AS event_id, unsettled.tenant AS tenant FROM unsettled
    WHERE unsettled.consumer = ${consumer} AND unsettled.shard = ${shard} AND unsettled.seq > ${turn}
    ORDER BY unsettled.seq LIMIT ${UNSETTLED_MAX}`;
  const { rows: walked } = await sql<{ n: number; last: number | null }>`
    SELECT count(*) AS n, max(seq) AS last FROM (${some}) AS rows_found`.execute(db);
  const n = Number(walked[0]?.n ?? 0);
  const next = n === UNSETTLED_MAX ? Number(walked[0]!.last) : 0;
  if (n === 0) return { closed: [], lost: [], turn: next };
  const { rows } = await sql<{ seq: number; event_id: string; tenant: string; mark: 1 | null; logged: 1 | null }>`
    SELECT * FROM (
      SELECT rows_found.seq, rows_found.event_id, rows_found.tenant, ${markOf(consumer, 'rows_found.event_id')} AS mark,
        ${rowOf(consumer, 'rows_found.seq')} AS row_there, (SELECT 1 FROM log WHERE log.seq = rows_found.seq) AS logged
      FROM (${some}) AS rows_found
    ) AS judged WHERE mark IS NOT NULL OR row_there IS NULL ORDER BY seq`.execute(db);
  const closed = [];
  const lost = [];
  for (const { seq, event_id, tenant, mark, logged } of rows) {
    const event = openEvent(seq, event_id, tenant);
    if (mark !== null || logged === null) closed.push({ ...event, gone: mark === null });
    else lost.push(event);
  }
  return { closed, lost, turn: next };
}

/**
 * Behind the mark, and open again because their dead letters were replayed since the last check. A CROSS JOIN, here and below:
 * so SQLite goes from the few rows of the first table to the log, and not through the log.
 */
export async function readReopened(
  db: Db,
  { consumer, topic, shard }: ShardPlace,
  mark: { readonly seq: number; readonly checkedAt: number },
): Promise<readonly OpenEvent[]> {
  const { rows } = await sql<{ seq: number; id: string; tenant: string }>`
    SELECT DISTINCT log.seq AS seq, log.id AS id, log.tenant AS tenant FROM dead_letter CROSS JOIN log
    WHERE log.seq = dead_letter.event_seq AND log.topic = ${topic} AND log.shard = ${shard}
      AND dead_letter.consumer = ${consumer} AND dead_letter.state = 'replayed' AND dead_letter.edited_event IS NULL
      AND dead_letter.decided_at >= ${mark.checkedAt - REPLAYS_MARGIN_MS}
      AND log.seq <= ${mark.seq} AND ${markOf(consumer, 'log.id')} IS NULL
      AND NOT EXISTS (SELECT 1 FROM unsettled
        WHERE unsettled.consumer = ${consumer} AND unsettled.shard = ${shard} AND unsettled.seq = log.seq)`.execute(db);
  return rows.map(({ seq, id, tenant }) => openEvent(seq, id, tenant));
}

export async function countFailed(
  db: Db,
  { consumer, topic, shard }: ShardPlace,
  upTo: number,
): Promise<readonly { readonly tenant: string; readonly count: number }[]> {
  const { rows } = await sql<{ tenant: string; n: number }>`
    SELECT dead_letter.tenant AS tenant, count(*) AS n FROM dead_letter CROSS JOIN log
    WHERE log.seq = dead_letter.event_seq AND log.topic = ${topic} AND log.shard = ${shard}
      AND dead_letter.consumer = ${consumer} AND dead_letter.state = 'open' AND dead_letter.event_seq <= ${upTo}
    GROUP BY dead_letter.tenant`.execute(db);
  return rows.map(({ tenant, n }) => ({ tenant, count: Number(n) }));
}

export async function countOverdue(
  db: Db,
  { consumer, shard }: Pick<ShardPlace, 'consumer' | 'shard'>,
  before: number,
): Promise<readonly { readonly tenant: string; readonly count: number }[]> {
  const { rows } = await sql<{ tenant: string; n: number }>`
    SELECT log.tenant AS tenant, count(*) AS n FROM delivery CROSS JOIN log
    WHERE log.seq = delivery.seq AND delivery.consumer = ${consumer} AND delivery.shard = ${shard} AND delivery.next_at < ${before}
      AND ${markOf(consumer, 'delivery.event_id')} IS NULL
    GROUP BY log.tenant`.execute(db);
  return rows.map(({ tenant, n }) => ({ tenant, count: Number(n) }));
}

export async function readMark(
  db: Db,
  { consumer, shard }: ShardPlace,
): Promise<{ readonly seq: number; readonly turn: number; readonly checkedAt: number }> {
  const row = await db
    .selectFrom('audited')
    .select(['seq', 'turn', 'checked_at'])
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .executeTakeFirst();
  return { seq: Number(row?.seq ?? 0), turn: Number(row?.turn ?? 0), checkedAt: Number(row?.checked_at ?? 0) };
}

export async function readCursor(db: Db, { consumer, shard }: ShardPlace): Promise<number> {
  const row = await db
    .selectFrom('consumer_cursor')
    .select('seq')
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .executeTakeFirst();
  return Number(row?.seq ?? 0);
}

function openEvent(seq: number, id: string, tenant: string): OpenEvent {
  return { seq: Number(seq), eventId: id as EventId, tenant: tenant as TenantId };
}
