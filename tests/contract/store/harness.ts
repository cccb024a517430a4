import type { AnyEvent, AnyNewEvent, Origin } from '../../../src/contracts/event.ts';
import type { EndpointId, EventId, MailboxId, MailId, TenantId, TravellerId } from '../../../src/domain/ids.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Logger } from '../../../src/ports/logger.ts';
import type { MailRecord } from '../../../src/ports/store/mails.ts';
import type { Store } from '../../../src/ports/store.ts';

/** Opens a fresh, empty store; `reopen` closes it and opens the same data again, where the back end keeps any. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
  /** False: works handed in side by side may run side by side. */
  readonly inOrder?: boolean;
  readonly dispose: () => Promise<void>;
}
export type OpenStore = () => Promise<StoreUnderTest>;

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** A clock that stands still unless told. */
export function stillClock(startAt = Date.UTC(2026, 10, 22)): Clock & { advance(ms: number): void } {
  let now = startAt;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async () => {},
    speed: 1,
    advance: (ms) => {
      now += ms;
    },
  };
}

export const ana = { tenant: 'tnt_one' as TenantId, traveller: 'trv_ana' as TravellerId };
export const ben = { tenant: 'tnt_one' as TenantId, traveller: 'trv_ben' as TravellerId };
/** Another tenant, with the same traveller id on purpose. */
export const other = { tenant: 'tnt_two' as TenantId, traveller: 'trv_ana' as TravellerId };

export const box = 'mbx_1' as MailboxId;
export const hook = 'whe_1' as EndpointId;

export function mail(name: string, change: Partial<MailRecord> = {}): MailRecord {
  return {
    ...ana,
    id: `mail_${name}` as MailId,
    mailbox: box,
    raw: `sha256:${name}`,
    size: 1000,
    fromAddress: 'noreply@airline.example',
    fromName: 'Airline',
    subject: 'Your booking',
    date: undefined,
    messageId: '<1@airline.example>',
    receivedAt: 1000,
    via: 'smtp',
    ...change,
  };
}

/** A small event; what is in it does not matter here. */
export function newEvent(subject: string, change: Partial<AnyNewEvent> = {}): AnyNewEvent {
  return {
    topic: 'notification.sent',
    tenant: ana.tenant,
    traveller: ana.traveller,
    key: ana.traveller,
    subject,
    data: { endpointId: hook, eventId: 'evt_x', state: 'sent', attempts: 1 },
    ...change,
  } as AnyNewEvent;
}

export function origin(seed: string, change: Partial<Origin> = {}): Origin {
  return { source: 'test', seed, ...change };
}

export async function appendOne(store: Store, seed: string, change: Partial<AnyNewEvent> = {}): Promise<AnyEvent> {
  const [event] = await store.transact((tx) => tx.append([newEvent(`thing-${seed}`, change)], origin(seed)));
  if (event === undefined) throw new Error('nothing appended');
  return event;
}

export const eventId = (name: string): EventId => `evt_${name}`;
