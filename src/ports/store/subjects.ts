import type { Answer } from '../../contracts/topics.ts';
import type { ReservationId, SubjectId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { SubjectSpec } from '../provider.ts';

/**
 * Why something is asked out of its turn. `push`: the provider said, signed, that it has changed; `hint`: somebody said so;
 * `named`: it stands on the provider's list of changes; `doubt`: a second opinion, or another source says otherwise;
 * `related`: something else of the same reservation was said to have changed.
 */
export type WakeReason = 'push' | 'hint' | 'named' | 'doubt' | 'related';

/** A thing asked about at a provider account, shared by all reservations on it. */
export interface Subject {
  readonly id: SubjectId;
  readonly account: string;
  readonly spec: SubjectSpec;
  readonly state: 'active' | 'ended';
  readonly answer: Answer | undefined;
  readonly answerDigest: string | undefined;
  /** Epoch ms. */
  readonly checkedAt: number | undefined;
  readonly changedAt: number | undefined;
  /** The last question failed: since when and why. */
  readonly failingSince: number | undefined;
  readonly failure: string | undefined;
  /** To be asked at once: not followed so far. `at` grows with every wake, by the store's clock. */
  readonly wake?: { readonly at: number; readonly why: WakeReason };
}

export interface Follower {
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly reservation: ReservationId;
}

export interface SubjectRepo {
  /** Creates or updates the spec. Operator-wide: subjects have no owner, followers have. */
  put(id: SubjectId, account: string, spec: SubjectSpec): Promise<void>;
  get(id: SubjectId): Promise<Subject | undefined>;
  /** Those of these that there are, in no order, and without locking them. */
  some(ids: readonly SubjectId[]): Promise<readonly Subject[]>;
  /** All active ones: read at start to rebuild the schedule. */
  listActive(account?: string): Promise<readonly Subject[]>;
  setAnswer(id: SubjectId, answer: Answer, digest: string, at: number): Promise<void>;
  /** Batched freshness marks. */
  markChecked(
    marks: readonly { readonly id: SubjectId; readonly at: number; readonly failure?: string }[],
  ): Promise<void>;
  end(id: SubjectId): Promise<void>;
  /**
   * Whoever asks about these, in whatever process and after whatever restart, is to ask now. Of several reasons the
   * strongest stays: a provider's signed word, its list, a doubt, a hint.
   */
  wake(ids: readonly SubjectId[], why: WakeReason): Promise<void>;
  /** Batched: these wakes were followed; one that came since was not. */
  heard(wakes: readonly { readonly id: SubjectId; readonly at: number }[]): Promise<void>;
  /**
   * What was put, ended or woken since an instant of the store's clock, as it stands now, and that clock. A transaction
   * that is under way shows later with an earlier time, so look back some seconds more than to the last look.
   */
  touchedSince(
    account: string,
    since: number,
  ): Promise<{ readonly now: number; readonly subjects: readonly Subject[] }>;
  /** Idempotent; `new` tells whether this follower began now. */
  follow(id: SubjectId, follower: Follower): Promise<{ readonly new: boolean }>;
  unfollow(id: SubjectId, tenant: TenantId, reservation: ReservationId): Promise<{ readonly left: number }>;
  /** In a stable order, after a cursor; for fan-out in bounded batches. */
  followers(
    id: SubjectId,
    after: string | undefined,
    limit: number,
  ): Promise<readonly (Follower & { readonly cursor: string })[]>;
  /** The subjects that a reservation follows: for freshness on the API. */
  followedBy(tenant: TenantId, reservation: ReservationId): Promise<readonly Subject[]>;
}
