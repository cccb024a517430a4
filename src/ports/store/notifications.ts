import type { EndpointId, EventId, Id, TenantId } from '../../domain/ids.ts';

export type NotificationId = Id<'ntf'>;

/** One event on its way to one endpoint: pending with a next time, sent, or dead with a reason. */
export interface Notification {
  readonly id: NotificationId;
  readonly tenant: TenantId;
  readonly endpoint: EndpointId;
  readonly eventId: EventId;
  /** The exact body that is signed and sent on every attempt. */
  readonly body: string;
  readonly state: 'pending' | 'sent' | 'dead';
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly createdAt: number;
  readonly settledAt: number | undefined;
  /** The change stream event's correlation, for explain. */
  readonly correlation: string;
}

export interface NotificationRepo {
  /** A repeat (same endpoint and event) changes nothing. */
  add(notification: Notification): Promise<{ readonly new: boolean }>;
  /** Due ones, oldest first, at most `perEndpointMax` of one endpoint. Operator-wide. */
  due(now: number, limit: number, perEndpointMax: number): Promise<readonly Notification[]>;
  nextDueAt(): Promise<number | undefined>;
  recordAttempt(
    id: NotificationId,
    result: {
      readonly state: Notification['state'];
      readonly nextAt: number;
      readonly status?: number;
      readonly error?: string;
      readonly at: number;
    },
  ): Promise<void>;
  list(
    tenant: TenantId,
    query: {
      readonly endpoint?: EndpointId;
      readonly eventId?: EventId;
      readonly state?: Notification['state'];
      readonly limit: number;
    },
  ): Promise<readonly Notification[]>;
}
