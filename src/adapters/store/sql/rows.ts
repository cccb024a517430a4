import { type Compilable, CompiledQuery, type QueryResult } from 'kysely';
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

/**
 * For the statements of every event: compiled by Kysely once, with any values, and then only bound. Compiling costs more
 * than SQLite needs to run them. The values come in the order in which the columns stand in the query.
 */
export function compiledOnce(
  db: Db,
  build: () => Compilable,
): (values: readonly unknown[]) => Promise<QueryResult<unknown>> {
  const run = statement(build);
  return (values) => run(db, values);
}

/** The same for what is asked through many Kysely objects (each transaction of a pool is one): compiled once a dialect. */
export function statement<R>(
  build: (db: Db) => Compilable<R>,
): (db: Db, values: readonly unknown[]) => Promise<QueryResult<R>> {
  const texts = new Map<unknown, string>();
  return async (db, values) => {
    const dialect = db.getExecutor().adapter.constructor;
    let sql = texts.get(dialect);
    if (sql === undefined) {
      sql = build(db).compile().sql;
      texts.set(dialect, sql);
    }
    const run = directly.get(db);
    return run === undefined
      ? db.executeQuery(CompiledQuery.raw(sql, [...values]))
      : (run(sql, values) as QueryResult<R>);
  };
}
