import type { AttemptRecord } from '../../../ports/store/log.ts';
import { type DeliveryRow, type LogRow, parseHistory } from './delivery-rows.ts';
import type { Slot } from './log-window.ts';

/** An event in a consumer's lines. */
export interface Entry {
  readonly seq: number;
  readonly key: string;
  readonly eventId: string;
  readonly at: number;
  /** Its row in the log. Absent for those read back from delivery rows or delivered before: read when their turn comes. */
  logged: LogRow | undefined;
  attempts: number;
  firstAt: number | undefined;
  history: readonly AttemptRecord[];
  /** A delivery row exists and must go when this is finished. */
  row: boolean;
  readonly slot: Slot | undefined;
}

/** Just read from the log, without its body: that is kept only where it stays in memory. */
export function entryOfLog(row: LogRow, slot: Slot): Entry {
  return {
    seq: row.seq,
    key: row.key,
    eventId: row.id,
    at: row.at,
    logged: undefined,
    attempts: 0,
    firstAt: undefined,
    history: [],
    row: false,
    slot,
  };
}

/** Read back from its delivery row. */
export function entryOfRow(row: DeliveryRow): Entry {
  return {
    seq: row.seq,
    key: row.key,
    eventId: row.event_id,
    at: row.first_at,
    logged: undefined,
    attempts: row.attempts,
    firstAt: row.first_at,
    history: parseHistory(row.history),
    row: true,
    slot: undefined,
  };
}

/** Its delivery row as it should stand. */
export function rowOf(entry: Entry, state: 'parked' | 'out', nextAt: number): DeliveryRow {
  return {
    seq: entry.seq,
    key: entry.key,
    event_id: entry.eventId,
    state,
    attempts: entry.attempts,
    first_at: entry.firstAt ?? entry.at,
    next_at: nextAt,
    history: JSON.stringify(entry.history),
  };
}
