import type { Answer } from '../contracts/topics.ts';
import type { Reservation } from '../domain/reservation.ts';

/**
 * What the tracker asks of a travel system: what to follow for a reservation, and how it stands. Limits, schedules and
 * retries are not a connector's business. Errors are translated at the edge into TripwatchError (`rate-limited` with
 * retryAt, `unauthorised`, `transient`, `permanent`).
 */
export interface ProviderConnector {
  /** `aerodatabox`, `duffel`. */
  readonly name: string;
  /** Shown to people: `AeroDataBox`. */
  readonly label: string;
  readonly capabilities: ProviderCapabilities;
  /** Pure. The subjects to follow for a reservation; equal `id`s are shared by everyone who follows them. */
  subjectsOf(reservation: Reservation): readonly SubjectSpec[];
  /**
   * Asks about one subject. Must check schema and identity of the answer: what is not about this subject is a
   * `permanent` error `provider-answered-other`, never an answer. `absent` is knowledge ("not found"), not cancellation.
   */
  readOne(subject: SubjectSpec, signal: AbortSignal): Promise<ReadResult>;
  /** Verifies a pushed request (signature, window) and says which subjects it wakes. Absent: no push. */
  receivePush?(request: PushRequest): PushVerdict;
  /** Gives back connections. Nothing is asked afterwards. */
  close?(): Promise<void>;
}

export interface ProviderCapabilities {
  readonly covers: readonly ('flight-status' | 'booking')[];
  readonly readOne: true;
  readonly readManyMax?: number;
  readonly board?: boolean;
  readonly listChanged?: boolean;
  readonly push?: 'signed' | 'hint';
  readonly equalityToken?: boolean;
}

export interface SubjectSpec {
  /** Unique within the account and stable: `leg:flight:lh400:2026-12-01:fra`, `order:ord_…`. */
  readonly id: string;
  /** What a person reads: `LH 400 of 1 Dec`, `Duffel order`. */
  readonly label: string;
  /** What the connector needs to ask, plain JSON. */
  readonly query: Readonly<Record<string, string>>;
  /** Epoch ms: asking makes sense from, is most urgent around, and ends at. */
  readonly fromAt: number;
  readonly startAt: number;
  readonly endAt: number;
  /** Asking more often than this is pointless, ms: for look-ups that mostly say "not ours". */
  readonly everyMs?: number;
}

export type ReadResult =
  /** `digest` covers the provider's answer as far as it matters: equal digest, nothing new. */
  | { readonly kind: 'found'; readonly digest: string; readonly answer: Answer; readonly final: boolean }
  | { readonly kind: 'absent' };

export interface PushRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}
export type PushVerdict =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** `pushId` deduplicates. `wakes`: queries or subject ids to check now. */
  | { readonly kind: 'hint'; readonly pushId: string; readonly wakes: readonly string[] };
