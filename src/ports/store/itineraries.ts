import type { Event } from '../../contracts/event.ts';
import type { Topic } from '../../contracts/topics.ts';
import type { ReservationId, TenantId, TravellerId } from '../../domain/ids.ts';

/** The read side: one row a reservation, ready to show. */
export interface ItineraryItem {
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly reservation: ReservationId;
  readonly version: number;
  /** Epoch ms of first start and last end; undefined where no time is known. */
  readonly startsAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly cancelled: boolean;
  readonly removed: boolean;
  readonly updatedAt: number;
}

/**
 * Place of a reader in the change stream: a number, and the epoch that it was given in (`57.1f3a9c04`). A bare number is
 * taken as it is.
 */
export type FeedCursor = string;

/** One line of the public change stream (SSE). `seq` orders them and is given once in an epoch. */
export interface FeedItem {
  readonly seq: number;
  readonly cursor: FeedCursor;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly event: Event<Topic>;
}

export interface ItineraryRepo {
  /** Keeps the newest version only; an older one changes nothing. */
  put(item: ItineraryItem): Promise<{ readonly newest: boolean }>;
  remove(tenant: TenantId, reservation: ReservationId): Promise<void>;
  list(
    tenant: TenantId,
    query: {
      readonly traveller?: TravellerId;
      readonly fromAt?: number;
      readonly toAt?: number;
      readonly limit?: number;
    },
  ): Promise<readonly ItineraryItem[]>;
  appendFeed(tenant: TenantId, traveller: TravellerId, event: Event<Topic>): Promise<void>;
  /** After the cursor, oldest first. */
  feed(tenant: TenantId, after: number, limit: number, traveller?: TravellerId): Promise<readonly FeedItem[]>;
  /** Newest first; `before` is a cursor. */
  feedBack(
    tenant: TenantId,
    query: { readonly before?: number; readonly limit: number; readonly traveller?: TravellerId },
  ): Promise<readonly FeedItem[]>;
  /**
   * Where a reader goes on that comes with a cursor; without one at the end. `reset`: what it has seen is not what is here
   * (behind what is kept, ahead of what there is, or of a life of this store that was lost), so it goes on at the end
   * after it has read the state anew. `last`: the cursor of the end.
   */
  resume(
    tenant: TenantId,
    cursor: FeedCursor | undefined,
  ): Promise<{ readonly after: number; readonly reset: boolean; readonly last: FeedCursor }>;
  /** Cursors given from now on are of this epoch, a name that was never used. To be called at each start. Operator-wide. */
  beginEpoch(epoch: string, now: number): Promise<void>;
  /** First and last number kept. */
  feedBounds(tenant: TenantId): Promise<{ readonly first: number; readonly last: number }>;
}
