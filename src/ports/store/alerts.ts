import type { Told } from '../../domain/alerts/alert.ts';
import type { AlertSettings } from '../../domain/alerts/rules.ts';
import type { ReservationId, TenantId, TravellerId } from '../../domain/ids.ts';

/** Whose alerts, and how they are wanted. */
export interface AlertPreferences {
  readonly settings: AlertSettings;
  /** BCP 47 locale and IANA zone of the traveller. */
  readonly locale: string;
  readonly zone: string;
}

export interface DueLook {
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly reservation: ReservationId;
}

/** What travellers were told, so that nothing is told twice; and when to look again by the clock. */
export interface AlertRepo {
  /**
   * The records of these reservations; those of which nothing was told are left out. In a writing transaction whoever
   * else asks for records of the traveller waits until it has ended: they are read first and written then.
   */
  told(
    tenant: TenantId,
    traveller: TravellerId,
    reservations: readonly ReservationId[],
  ): Promise<ReadonlyMap<ReservationId, Told>>;
  /** `dueAt`: look again then, epoch ms; null: not by the clock; undefined: as it was set. */
  put(
    tenant: TenantId,
    traveller: TravellerId,
    reservation: ReservationId,
    told: Told,
    dueAt: number | null | undefined,
  ): Promise<void>;
  remove(tenant: TenantId, reservation: ReservationId): Promise<void>;
  /** Operator-wide: to be looked at, those that wait longest first. */
  due(now: number, limit: number): Promise<readonly DueLook[]>;
  nextDueAt(): Promise<number | undefined>;
  /**
   * Operator-wide: reservations with a journey that begins before `until` and has not ended at `now`, of which a subject has
   * been failing since `since` or longer, or had its last answer from an account of `away` no later than that; after a
   * cursor. Times are epoch ms.
   */
  unanswered(
    query: {
      readonly now: number;
      readonly since: number;
      readonly until: number;
      readonly away: readonly string[];
      readonly after?: string | undefined;
    },
    limit: number,
  ): Promise<readonly (DueLook & { readonly cursor: string })[]>;
  /** Undefined: no such traveller. */
  preferences(tenant: TenantId, traveller: TravellerId): Promise<AlertPreferences | undefined>;
  putSettings(tenant: TenantId, traveller: TravellerId, settings: AlertSettings, at: number): Promise<void>;
}
