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

/** One line of the public change stream (SSE); `seq` is the cursor and is never reused. */
export interface FeedItem {
  readonly seq: number;
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
  /** First and last cursor kept, so that a reader behind the first is told to reset. */
  feedBounds(tenant: TenantId): Promise<{ readonly first: number; readonly last: number }>;
}
