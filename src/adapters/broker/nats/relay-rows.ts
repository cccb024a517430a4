import { statement } from '../../store/sql/rows.ts';
import type { Db } from '../../store/sql/schema.ts';
import type { RelayedRow } from './message.ts';

/** SQL of the relay. */
export interface RelayPlace {
  readonly seq: number;
  readonly streamSeq: number;
  readonly auditedSeq: number;
  readonly auditedStreamSeq: number;
  readonly epoch: string;
}

/** Which rows of the log are a relay's: those of these shards; undefined: all. */
export type Shards = readonly number[] | undefined;

/** A row of the log with its place, not yet with the one before it. */
export type UnlinkedRow = Omit<RelayedRow, 'prev'>;

export async function readPlace(db: Db, relay: number): Promise<RelayPlace | undefined> {
  const row = await db.selectFrom('relay').selectAll().where('relay', '=', relay).executeTakeFirst();
  return (
    row && {
      seq: Number(row.seq),
      streamSeq: Number(row.stream_seq),
      auditedSeq: Number(row.audited_seq),
      auditedStreamSeq: Number(row.audited_stream_seq),
      epoch: row.epoch,
    }
  );
}

export async function writePlace(db: Db, relay: number, place: RelayPlace): Promise<void> {
  const values = {
    seq: place.seq,
    stream_seq: place.streamSeq,
    audited_seq: place.auditedSeq,
    audited_stream_seq: place.auditedStreamSeq,
    epoch: place.epoch,
  };
  await db
    .insertInto('relay')
    .values({ relay, ...values })
    .onConflict((conflict) => conflict.column('relay').doUpdateSet(values))
    .execute();
}

/** Rows after `after`, in order: asked for every event at low load, so the usual form is compiled once. */
export async function readUnpublished(
  db: Db,
  options: { readonly shards: Shards; readonly after: number; readonly upTo?: number; readonly limit: number },
): Promise<readonly UnlinkedRow[]> {
  const { shards, after, upTo, limit } = options;
  if (shards === undefined && upTo === undefined) return (await selectAfter(db, [after, limit])).rows;
  let select = selectRows(db).where('seq', '>', after);
  if (upTo !== undefined) select = select.where('seq', '<=', upTo);
  if (shards !== undefined) select = select.where('shard', 'in', shards);
  return select.orderBy('seq').limit(limit).execute();
}

const selectAfter = statement((db) => selectRows(db).where('seq', '>', 0).orderBy('seq').limit(1));

function selectRows(db: Db) {
  return db.selectFrom('log').select(['seq', 'id', 'tenant', 'topic', 'key', 'at', 'shard', 'body']);
}

/** The numbers of the log after `after`, without what they stand for. */
export async function readNumbers(
  db: Db,
  options: { readonly shards: Shards; readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly number[]> {
  let select = db.selectFrom('log').select('seq').where('seq', '>', options.after).where('seq', '<=', options.upTo);
  if (options.shards !== undefined) select = select.where('shard', 'in', options.shards);
  const rows = await select.orderBy('seq').limit(options.limit).execute();
  return rows.map(({ seq }) => seq);
}

/** The last row of a topic's shard before `seq`; 0: there is none. */
export async function readPrevious(db: Db, row: { topic: string; shard: number; seq: number }): Promise<number> {
  const found = await db
    .selectFrom('log')
    .select('seq')
    .where('topic', '=', row.topic)
    .where('shard', '=', row.shard)
    .where('seq', '<', row.seq)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return found?.seq ?? 0;
}

/** Where the slowest consumer of these shards stands; undefined: there is none. */
export async function readSlowest(db: Db, shards: Shards): Promise<number | undefined> {
  let select = db.selectFrom('consumer_cursor').select((eb) => eb.fn.min<number | null>('seq').as('seq'));
  if (shards !== undefined) select = select.where('shard', 'in', shards);
  const row = await select.executeTakeFirst();
  return row?.seq === null || row === undefined ? undefined : Number(row.seq);
}

/** How many rows come after `after`, counted up to `limit`, and when the first of them was appended. */
export async function readLag(
  db: Db,
  options: { readonly shards: Shards; readonly after: number; readonly limit: number },
): Promise<{ readonly waiting: number; readonly oldestAt: number | undefined }> {
  let rows = db.selectFrom('log').select(['seq', 'at']).where('seq', '>', options.after);
  if (options.shards !== undefined) rows = rows.where('shard', 'in', options.shards);
  const first = await rows.orderBy('seq').limit(1).executeTakeFirst();
  if (first === undefined) return { waiting: 0, oldestAt: undefined };
  const counted = await db
    .selectFrom(rows.limit(options.limit).as('rows'))
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return { waiting: Number(counted.n), oldestAt: Number(first.at) };
}

/**
 * A name of this installation that no other has, made at the first call: so that two never share a stream. Two processes
 * at once agree on one.
 */
export async function settleInstallation(db: Db, fresh: string): Promise<string> {
  await db
    .insertInto('meta')
    .values({ name: 'installation', value: fresh })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db.selectFrom('meta').select('value').where('name', '=', 'installation').executeTakeFirstOrThrow();
  return row.value;
}
