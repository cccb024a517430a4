import type { AnyEvent } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import type { AttemptRecord } from '../../../ports/store/log.ts';
import { slices, statement } from '../../store/sql/rows.ts';
import type { Db } from '../../store/sql/schema.ts';
import type { ShardRef } from './shard-ref.ts';

/**
 * SQL of the broker. A row in `delivery` says that a consumer's cursor may pass an event that is not finished:
 *   parked   waits until `next_at` for its next attempt
 *   waiting  stands behind another of its key (a parked one, or simply too many)
 *   out      its attempt was counted before the work began (consumers that count first)
 *   replay   put there by a replayed dead letter; the broker has not seen it yet
 */
export type RowState = 'parked' | 'waiting' | 'out' | 'replay';

/** `next_at` of rows without a time: beyond every search for what is due. */
export const NO_TIME = Number.MAX_SAFE_INTEGER;

/** Rows in one statement: SQLite allows 32,766 parameters; this keeps the number of statement texts small. */
const CHUNK = 100;

export interface DeliveryRow {
  readonly seq: number;
  readonly key: string;
  readonly event_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly first_at: number;
  readonly next_at: number;
  readonly history: string;
}

export interface LogRow {
  readonly seq: number;
  readonly id: string;
  readonly tenant: string;
  readonly key: string;
  readonly at: number;
  readonly body: string;
}

/**
 * The event of a log row. A text that is no JSON (a damaged file, a row written by hand) becomes an event without data,
 * which no schema admits: so it ends as a dead letter that someone sees, and its consumer goes on.
 */
export function parseEvent(topic: Topic, row: LogRow): AnyEvent {
  try {
    return JSON.parse(row.body) as AnyEvent;
  } catch {
    const { id, tenant, key } = row;
    return { id, topic, tenantid: tenant, partitionkey: key, correlationid: id } as unknown as AnyEvent;
  }
}

export function parseHistory(text: string): readonly AttemptRecord[] {
  return JSON.parse(text) as readonly AttemptRecord[];
}

/** Rows of the shard after `after`, in order. */
export async function readLog(
  db: Db,
  {
    topic,
    shard,
    after,
    limit,
  }: {
    readonly topic: string;
    readonly shard: number;
    readonly after: number;
    readonly limit: number;
  },
): Promise<readonly LogRow[]> {
  return (await selectLog(db, [topic, shard, after, limit])).rows;
}

const selectLog = statement((db) =>
  db
    .selectFrom('log')
    .select(['seq', 'id', 'tenant', 'key', 'at', 'body'])
    .where('topic', '=', '')
    .where('shard', '=', 0)
    .where('seq', '>', 0)
    .orderBy('seq')
    .limit(0),
);

/**
 * The same for a consumer who may know some of them from an earlier life: what it has processed, or has a delivery row
 * for, is left out. `readTo`: the last that was looked at.
 *
 * Asked by keys instead of in one statement: a database without figures about its tables (one that has just been filled)
 * would read all that was ever processed, for every few rows.
 */
export async function readLogInDoubt(
  db: Db,
  options: Parameters<typeof readLog>[1],
  consumer: string,
): Promise<{ readonly rows: readonly LogRow[]; readonly readTo: number; readonly all: boolean }> {
  const rows = await readLog(db, options);
  const known = new Set<number>();
  for (const seqs of slices(rows.map(({ seq }) => seq))) {
    const found = await db
      .selectFrom('delivery')
      .select('seq')
      .where('consumer', '=', consumer)
      .where('seq', 'in', seqs)
      .execute();
    for (const { seq } of found) known.add(Number(seq));
  }
  const done = new Set<string>();
  for (const ids of slices(rows.map(({ id }) => id))) {
    const found = await db
      .selectFrom('processed')
      .select('event_id')
      .where('event_id', 'in', ids)
      .where('consumer', '=', consumer)
      .execute();
    for (const { event_id } of found) done.add(event_id);
  }
  return {
    rows: rows.filter(({ seq, id }) => !known.has(seq) && !done.has(id)),
    readTo: rows.at(-1)?.seq ?? options.after,
    all: rows.length < options.limit,
  };
}

/** How many rows of the shard come after `after`, counted up to `limit`. */
export async function countAfter(db: Db, { topic, shard }: ShardRef, after: number, limit: number): Promise<number> {
  const { rows } = await countRows(db, [topic, shard, after, limit]);
  return Number(rows[0]!.n);
}

const countRows = statement((db) =>
  db
    .selectFrom(
      db
        .selectFrom('log')
        .select('seq')
        .where('topic', '=', '')
        .where('shard', '=', 0)
        .where('seq', '>', 0)
        .limit(0)
        .as('rows'),
    )
    .select((eb) => eb.fn.countAll<number>().as('n')),
);

/** By their numbers; those that are gone are left out. */
export async function readRows(db: Db, seqs: readonly number[]): Promise<readonly LogRow[]> {
  const found: LogRow[] = [];
  for (const seq of seqs) {
    const row = await db
      .selectFrom('log')
      .select(['seq', 'id', 'tenant', 'key', 'at', 'body'])
      .where('seq', '=', seq)
      .executeTakeFirst();
    if (row !== undefined) found.push(row);
  }
  return found;
}

/** What waits behind others of its key, in order. */
export function readWaiting(
  db: Db,
  consumer: string,
  options: { readonly key: string; readonly after: number; readonly limit: number },
): Promise<readonly DeliveryRow[]> {
  return db
    .selectFrom('delivery')
    .selectAll()
    .where('consumer', '=', consumer)
    .where('key', '=', options.key)
    .where('state', '=', 'waiting')
    .where('seq', '>', options.after)
    .orderBy('seq')
    .limit(options.limit)
    .execute();
}

export async function putRow(db: Db, { consumer, topic, shard }: ShardRef, row: DeliveryRow): Promise<void> {
  const { seq, key, event_id, ...changing } = row;
  await db
    .insertInto('delivery')
    .values({ consumer, shard, seq, topic, key, event_id, ...changing })
    .onConflict((conflict) => conflict.columns(['consumer', 'seq']).doUpdateSet(changing))
    .execute();
}

/** Adds rows for events that wait; one that has a row keeps it. */
export async function addWaiting(
  db: Db,
  { consumer, topic, shard }: ShardRef,
  rows: readonly { readonly seq: number; readonly key: string; readonly eventId: string; readonly firstAt: number }[],
): Promise<void> {
  for (const row of rows)
    await db
      .insertInto('delivery')
      .values({
        consumer,
        shard,
        seq: row.seq,
        topic,
        key: row.key,
        event_id: row.eventId,
        state: 'waiting',
        attempts: 0,
        first_at: row.firstAt,
        next_at: NO_TIME,
        history: '[]',
      })
      .onConflict((conflict) => conflict.columns(['consumer', 'seq']).doNothing())
      .execute();
}

/** Removes the rows of finished events, but not one that a replay has put in the place of the old one meanwhile. */
export async function removeRows(db: Db, consumer: string, seqs: readonly number[]): Promise<void> {
  for (let at = 0; at < seqs.length; at += CHUNK) {
    const chunk = seqs.slice(at, at + CHUNK);
    // Padded with a repeat, so that few different statements are prepared.
    const padded = [...chunk, ...Array<number>(CHUNK - chunk.length).fill(chunk[0]!)];
    await db
      .deleteFrom('delivery')
      .where('consumer', '=', consumer)
      .where('seq', 'in', padded)
      .where('state', '!=', 'replay')
      .execute();
  }
}

/** Events up to here are done, or have rows. */
export async function putCursor(db: Db, { consumer, shard }: ShardRef, seq: number): Promise<void> {
  await updateCursor(db, [seq, consumer, shard]);
}

const updateCursor = statement((db) =>
  db.updateTable('consumer_cursor').set({ seq: 0 }).where('consumer', '=', '').where('shard', '=', 0),
);
