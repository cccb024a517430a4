import type { Answer } from '../contracts/topics.ts';
import type { TripwatchError } from '../domain/errors.ts';
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
  /** The vendor's limits as far as the connector knows them; the account's configuration goes first. */
  readonly limits?: readonly { readonly max: number; readonly perSeconds: number }[];
  /** Pure. The subjects to follow for a reservation; equal `id`s are shared by everyone who follows them. */
  subjectsOf(reservation: Reservation): readonly SubjectSpec[];
  /**
   * Asks about one subject. Must check schema and identity of the answer: what is not about this subject is a
   * `permanent` error `provider-answered-other`, never an answer. `absent` is knowledge ("not found"), not cancellation.
   */
  readOne(subject: SubjectSpec, signal: AbortSignal): Promise<ReadResult>;
  /**
   * `equalityToken`, `conditional`: like `readOne`, but may say `unchanged` where nothing differs from the answer that
   * `token` came with; then nothing was parsed, compared or (where `conditional`) even sent. `unchanged` does not say
   * whether the subject is final, so ask by `readOne` now and then (once an hour is enough).
   */
  readIfChanged?(subject: SubjectSpec, token: string, signal: AbortSignal): Promise<ReadResult | Unchanged>;
  /**
   * `readManyMax`: one call for up to so many subjects. Same length and order as asked; each is checked as in `readOne`.
   * Rejects when the call as a whole failed, with the errors of `readOne`.
   */
  readMany?(subjects: readonly SubjectSpec[], signal: AbortSignal): Promise<readonly BatchResult[]>;
  /** Pure. Only subjects with equal keys are read together: each key is a call of its own there. Absent: all are. */
  batchOf?(subject: SubjectSpec): string;
  /** `board`: reading what is due at one place together. */
  readonly board?: ProviderBoard;
  /**
   * `listChanged`: what changed at the account since `cursor` (undefined: never asked), as ids of specs to ask about now,
   * which need not be followed by anyone. What was told may never be told again: store the wakes and the cursor before
   * the next call. Once every `listEveryMs` is enough. The slow poll goes on: lists are late and forget.
   */
  listChanged?(cursor: string | undefined, signal: AbortSignal): Promise<ChangedList>;
  /** Verifies a pushed request (signature, window) and says which subjects it wakes. Absent: no push. */
  receivePush?(request: PushRequest): PushVerdict;
  /**
   * Sees to it that the provider pushes to `url`: looks for the subscription, and prolongs one that ends. Often enough is
   * once an hour, or at `renewAt`. Errors: those of `readOne`. Absent: that cannot be found out.
   */
  renewPush?(url: string, signal: AbortSignal): Promise<PushState>;
  /** What the provider said about its limits with its newest answer or refusal; absent: it says nothing. */
  limitsSaid?(): LimitsSaid | undefined;
  /** Gives back connections. Nothing is asked afterwards. */
  close?(): Promise<void>;
}

export interface ProviderCapabilities {
  readonly covers: readonly ('flight-status' | 'booking')[];
  readonly readOne: true;
  readonly readManyMax?: number;
  /** What one reading of a board costs, in calls. */
  readonly board?: { readonly calls: number };
  readonly listChanged?: boolean;
  /** How often the list is worth asking, ms. Present with `listChanged`. */
  readonly listEveryMs?: number;
  readonly push?: 'signed' | 'hint';
  /** Answers carry a `token` that is equal as long as nothing changed. */
  readonly equalityToken?: boolean;
  /** An unchanged answer is not even sent (304). */
  readonly conditional?: boolean;
}

/** RateLimit and RateLimit-Policy fields and the like, translated at the edge. */
export interface LimitsSaid {
  /** The limits themselves, where they are named. */
  readonly limits: readonly { readonly max: number; readonly perSeconds: number; readonly unit?: string }[];
  /** Calls that are left until `resetAt`, epoch ms by our clock. */
  readonly left?: number;
  readonly resetAt?: number;
}

/** Airport boards and the like: one question about all subjects at one place in one window of time. */
export interface ProviderBoard {
  /** Pure. Equal keys stand on one board. Undefined: it stands on none. */
  keyOf(subject: SubjectSpec): string | undefined;
  /**
   * Reads the board `key` once and looks for these subjects on it. Who does not stand on it is `unanswered`: that is no
   * knowledge. Rejects as `readMany` does.
   */
  read(key: string, subjects: readonly SubjectSpec[], signal: AbortSignal): Promise<readonly BatchResult[]>;
}

/** One of several read together. `unanswered`: the answer says nothing about it, ask alone. */
export type BatchResult =
  | ReadResult
  | { readonly kind: 'failed'; readonly error: TripwatchError }
  | { readonly kind: 'unanswered' };

export interface Unchanged {
  readonly kind: 'unchanged';
}

export interface ChangedList {
  readonly cursor: string;
  /** Ids of specs. */
  readonly wakes: readonly string[];
  /** There is more: ask again as soon as these are stored. */
  readonly more: boolean;
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
  | {
      readonly kind: 'found';
      readonly digest: string;
      readonly answer: Answer;
      readonly final: boolean;
      /** For `readIfChanged`. */
      readonly token?: string;
      /** How many calls the question cost, where not one: the others are charged to the account's budget. */
      readonly calls?: number;
    }
  | { readonly kind: 'absent'; readonly calls?: number };

/** `renewAt`: epoch ms, where it ends by itself. `reason`: for the operator, what is wrong and what to do. */
export type PushState =
  | { readonly kind: 'active'; readonly renewAt?: number }
  | { readonly kind: 'missing'; readonly reason: string };

export interface PushRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}
export type PushVerdict =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** `pushId` deduplicates. `wakes`: queries or subject ids to check now. */
  | { readonly kind: 'hint'; readonly pushId: string; readonly wakes: readonly string[] };
