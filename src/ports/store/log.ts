import type { AnyEvent } from '../../contracts/event.ts';
import type { Topic } from '../../contracts/topics.ts';
import type { EventId, TenantId } from '../../domain/ids.ts';

export interface AttemptRecord {
  readonly at: number;
  readonly kind: string;
  readonly code: string;
  readonly message: string;
}

export interface LogEntry {
  readonly seq: number;
  readonly event: AnyEvent;
}

export interface ProcessedMark {
  readonly consumer: string;
  readonly at: number;
  readonly failed: readonly AttemptRecord[];
}

/** Events that a consumer has not done yet. */
export interface Backlog {
  readonly consumer: string;
  readonly waiting: number;
  /** When the oldest of them was appended, epoch ms. */
  readonly oldestAt: number | undefined;
}

export interface LogRepo {
  /**
   * Marks an event as processed by a consumer, for ever. False: it was before, so its effect must not run again.
   * `failed`: the attempts before, kept for its story.
   */
  claim(consumer: string, eventId: EventId, now: number, failed?: readonly AttemptRecord[]): Promise<boolean>;
  /** Appends completed events; a repeat of an id changes nothing. */
  append(events: readonly AnyEvent[]): Promise<void>;
  get(eventId: EventId): Promise<LogEntry | undefined>;
  /** The story of one mail, subject or command, in order. */
  byCorrelation(tenant: TenantId, correlation: string, limit: number): Promise<readonly LogEntry[]>;
  /** Events about one thing (mail, reservation, subject id), in order. */
  bySubject(tenant: TenantId, subject: string, limit: number): Promise<readonly LogEntry[]>;
  /** Which consumers have processed it, when, and after which failed attempts. */
  processedBy(eventId: EventId): Promise<readonly ProcessedMark[]>;
  /** Parked for a retry at present, with attempts so far. */
  parked(
    eventId: EventId,
  ): Promise<
    readonly { readonly consumer: string; readonly nextAt: number; readonly attempts: readonly AttemptRecord[] }[]
  >;
  /** What consumers have not done, whether or not a service runs: for doctor. Operator-wide. */
  backlog(consumers: readonly { readonly consumer: string; readonly topic: Topic }[]): Promise<readonly Backlog[]>;
}
