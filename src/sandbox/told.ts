import type { SaidEvent } from './folder.ts';

/** One change as the stream told it. */
export interface ToldChange {
  readonly type: string;
  readonly leg: string | undefined;
  readonly path: string | undefined;
  readonly to: unknown;
  readonly beside: boolean;
}

/** One event of the change stream, read with care: it is what is being judged. */
export interface ToldEvent {
  readonly id: string;
  readonly reservation: string;
  readonly version: number;
  readonly publishedAt: number;
  readonly mergedInto: string | undefined;
  /** Alerts whose time has come, and nothing changed. */
  readonly byClock: boolean;
  readonly changes: readonly ToldChange[];
}

/** Events in the order of the stream, each id once; what came back after a reconnection is the same event. */
export function toldEvents(said: readonly SaidEvent[]): readonly ToldEvent[] {
  const seen = new Set<string>();
  const out: ToldEvent[] = [];
  for (const one of said) {
    if (seen.has(one.id)) continue;
    seen.add(one.id);
    const data = objectOf(objectOf(one.event).data);
    if (typeof data.reservationId !== 'string') continue;
    out.push({
      id: one.id,
      reservation: data.reservationId,
      version: Number(data.version),
      publishedAt: instantMs(data.publishedAt) ?? one.at,
      mergedInto: typeof data.mergedInto === 'string' ? data.mergedInto : undefined,
      byClock: Array.isArray(data.changes) && data.changes.length === 0 && data.mergedInto === undefined,
      changes: (Array.isArray(data.changes) ? data.changes : []).map(changeOf),
    });
  }
  return out;
}

function changeOf(raw: unknown): ToldChange {
  const change = objectOf(raw);
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    type: String(change.type),
    leg: text(change.leg),
    path: text(change.path),
    to: change.to,
    beside: change.besidePerson === true,
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function instantMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    return undefined;
  }
}
