import type { Lease } from '../../../ports/store/leases.ts';
import type { EffectMark } from '../../../ports/store.ts';
import type { FeedInsert, LogInsert } from '../sql/hooks.ts';
import { int8Array, textArray } from './binary.ts';

/** The statements that carry a whole batch each, with their parameters. */

export const LOCK = 'SELECT pg_advisory_xact_lock($1::int8)';
export const TRY_LOCK =
  'SELECT bool_and(pg_try_advisory_xact_lock(lock::int8)) AS got FROM unnest($1::text[]) AS wanted (lock)';
export const TRY_SHARE = 'SELECT pg_try_advisory_xact_lock_shared($1::int8) AS got';
/** One after the other, in the order given. */
export const LOCK_OR_SHARE = `SELECT CASE alone WHEN 1 THEN pg_advisory_xact_lock(lock::int8)
    ELSE pg_advisory_xact_lock_shared(lock::int8) END
  FROM unnest($1::text[], $2::int8[]) AS wanted (lock, alone)`;

export const CLAIM = `INSERT INTO processed (event_id, consumer, at, attempts)
  SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[])
  ON CONFLICT (event_id, consumer) DO NOTHING RETURNING event_id, consumer`;

export const FENCE = `SELECT lease.resource, lease.token FROM lease
  JOIN unnest($1::text[], $2::text[], $3::int8[]) AS held (resource, owner, token)
    ON lease.resource = held.resource AND lease.owner = held.owner AND lease.token = held.token`;

/** A number is given to a row of the join, which there is none of before the lock is held. */
export const LOG = `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($10::int8))
  INSERT INTO log (seq, id, tenant, topic, key, correlation, subject, at, shard, body)
  SELECT nextval('log_seq'), events.*
  FROM held, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
      $7::int8[], $8::int8[], $9::text[])
    AS events (id, tenant, topic, key, correlation, subject, at, shard, body)
  ON CONFLICT (id) DO NOTHING RETURNING seq`;

export const FEED = `INSERT INTO feed (seq, tenant, traveller, event_id, event)
  SELECT nextval('feed_seq'), items.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS items (tenant, traveller, event_id, event)
  ON CONFLICT (tenant, event_id) DO NOTHING`;

export function fenceValues(fences: readonly Lease[]): readonly Buffer[] {
  return [
    textArray(fences.map((one) => one.resource)),
    textArray(fences.map((one) => one.owner)),
    int8Array(fences.map((one) => one.token)),
  ];
}

/** In one order everywhere, so that two transactions with marks in common never wait for each other. */
export function markValues(marks: readonly EffectMark[]): readonly Buffer[] {
  const sorted = marks.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return [
    textArray(sorted.map((one) => one.eventId)),
    textArray(sorted.map((one) => one.consumer)),
    int8Array(sorted.map((one) => one.now)),
    textArray(sorted.map(({ failed = [] }) => (failed.length === 0 ? null : JSON.stringify(failed)))),
  ];
}

/** What makes two marks the same. */
export function keyOf(mark: Pick<EffectMark, 'eventId' | 'consumer'>): string {
  return `${mark.eventId}\n${mark.consumer}`;
}

export function repeated(
  marks: readonly EffectMark[],
  claimed: readonly { readonly event_id: string; readonly consumer: string }[],
): ReadonlySet<EffectMark> {
  const made = new Set(claimed.map((row) => `${row.event_id}\n${row.consumer}`));
  return new Set(marks.filter((mark) => !made.has(keyOf(mark))));
}

export function missing(
  fences: readonly Lease[],
  held: readonly { readonly resource: string; readonly token: number }[],
): readonly Lease[] {
  const current = new Map(held.map((row) => [row.resource, row.token]));
  return fences.filter((fence) => current.get(fence.resource) !== fence.token);
}

export function logValues(rows: readonly LogInsert[], lock: string): readonly (Buffer | string)[] {
  return [
    textArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.tenant)),
    textArray(rows.map((row) => row.topic)),
    textArray(rows.map((row) => row.key)),
    textArray(rows.map((row) => row.correlation)),
    textArray(rows.map((row) => row.subject)),
    int8Array(rows.map((row) => row.at)),
    int8Array(rows.map((row) => row.shard)),
    textArray(rows.map((row) => row.body)),
    lock,
  ];
}

export function feedValues(rows: readonly FeedInsert[]): readonly Buffer[] {
  return [
    textArray(rows.map((row) => row.tenant)),
    textArray(rows.map((row) => row.traveller)),
    textArray(rows.map((row) => row.event_id)),
    textArray(rows.map((row) => row.event)),
  ];
}
