import { type Compilable, CompiledQuery, type QueryResult, type RawBuilder, sql } from 'kysely';
import type { Db } from './schema.ts';

/** JSON columns are text. What we wrote ourselves is trusted to have its type. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** For `IN (…)`: slices of at most this many, each padded to a few fixed lengths so that few statements are prepared. */
const SLICE_MAX = 256;

/** Slices of `values` for `IN (…)` lists, padded by repeating the last value. Nothing for an empty list. */
export function slices<T>(values: Iterable<T>): readonly (readonly T[])[] {
  const all = [...new Set(values)];
  const out: T[][] = [];
  for (let from = 0; from < all.length; from += SLICE_MAX) {
    const slice = all.slice(from, from + SLICE_MAX);
    let length = 1;
    while (length < slice.length) length *= 4;
    while (slice.length < length) slice.push(slice.at(-1) as T);
    out.push(slice);
  }
  return out;
}

/** Runs a statement of a database that answers at once, past Kysely's layers, which cost more than the statement. */
export type Direct = (sql: string, values: readonly unknown[]) => QueryResult<unknown>;

/** By the Kysely that stands for the same connection. Only SQLite's has one. */
export const directly = new WeakMap<Db, Direct>();

/** The store's clock as SQL (`SqlHooks.now`). */
export type StoreNow = () => RawBuilder<number>;

/** A statement that is compiled at its first use. `now`: for one that asks the store's clock. */
export type Statement<R> = (db: Db, values: readonly unknown[], now?: StoreNow) => Promise<QueryResult<R>>;

const noClock: StoreNow = () => sql<number>`${0}`;

/** Statements with an `IN (…)` list: one for each of the few lengths that `slices` makes. */
export function statementOfLength<R>(
  build: (db: Db, list: readonly never[], now: StoreNow) => Compilable<R>,
): (length: number) => Statement<R> {
  const byLength = new Map<number, Statement<R>>();
  return (length) => {
    let found = byLength.get(length);
    if (found === undefined) {
      found = statement((db, now) => build(db, Array<never>(length).fill(0 as never), now));
      byLength.set(length, found);
    }
    return found;
  };
}

/**
 * For what is asked often: compiled by Kysely once a dialect, with any values, however many Kysely objects there are (each
 * transaction of a pool is one), and then only bound. Compiling costs more than SQLite needs to run it. The values come in
 * the order in which they stand in the query.
 */
export function statement<R>(build: (db: Db, now: StoreNow) => Compilable<R>): Statement<R> {
  const texts = new Map<unknown, string>();
  return async (db, values, now = noClock) => {
    const dialect = db.getExecutor().adapter.constructor;
    let text = texts.get(dialect);
    if (text === undefined) {
      text = build(db, now).compile().sql;
      texts.set(dialect, text);
    }
    const run = directly.get(db);
    return run === undefined
      ? db.executeQuery(CompiledQuery.raw(text, [...values]))
      : (run(text, values) as QueryResult<R>);
  };
}
