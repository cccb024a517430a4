import type { z } from 'zod';
import type {
  DeliveryView,
  EndpointView,
  mailboxViewSchema,
  ReceiptView,
  ruleViewSchema,
  TokenView,
  TravellerView,
} from '../../contracts/http/views.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { ApiToken, Endpoint, Mailbox, Rule, Traveller } from '../../ports/store/accounts.ts';
import { ASKABLE, DISPOSITIONS, type MailReceipt } from '../../ports/store/mails.ts';
import type { Notification } from '../../ports/store/notifications.ts';
import { undoOf } from './receipt-undo.ts';
import { defined } from './reservation.ts';

/** Stored rows as the API shows them: instants as text, nothing secret. */

const instant = (at: number | undefined) => (at === undefined ? undefined : isoInstant(at));

export function travellerView(row: Traveller): TravellerView {
  return { id: row.id, name: row.name, zone: row.zone, locale: row.locale, createdAt: isoInstant(row.createdAt) };
}

export function mailboxView(row: Mailbox): z.infer<typeof mailboxViewSchema> {
  const { id, traveller, kind, label, address, state } = row;
  return defined({ id, traveller, kind, label, address, state, createdAt: isoInstant(row.createdAt) }) as never;
}

export function ruleView(row: Rule): z.infer<typeof ruleViewSchema> {
  const { id, action, field, pattern } = row;
  return { id, action, field, pattern, createdAt: isoInstant(row.createdAt) };
}

export function tokenView(row: ApiToken): TokenView {
  const { id, label, traveller, use } = row;
  const revokedAt = instant(row.revokedAt);
  return defined({
    id,
    label,
    scopes: [...row.scopes],
    traveller,
    use,
    createdAt: isoInstant(row.createdAt),
    revokedAt,
  }) as TokenView;
}

export function endpointView(row: Endpoint): EndpointView {
  const { id, url, traveller, state, stateReason } = row;
  return defined({
    id,
    url,
    traveller,
    state,
    stateReason,
    secrets: row.sealedSecrets.length,
    createdAt: isoInstant(row.createdAt),
  }) as EndpointView;
}

export function deliveryView(row: Notification): DeliveryView {
  return defined({
    id: row.id,
    endpoint: row.endpoint,
    event: row.eventId,
    state: row.state,
    attempts: row.attempts,
    nextAt: row.state === 'pending' ? isoInstant(row.nextAt) : undefined,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    createdAt: isoInstant(row.createdAt),
    settledAt: instant(row.settledAt),
  }) as DeliveryView;
}

/** What may be asked for, and can be had. */
export function isAskable({ disposition, raw, ref }: MailReceipt): boolean {
  return ASKABLE.includes(disposition) && (raw !== undefined || ref !== undefined);
}

export function receiptView(row: MailReceipt): ReceiptView {
  const askable = isAskable(row);
  return defined({
    id: row.id,
    traveller: row.traveller,
    mailbox: row.mailbox,
    from: row.fromAddress,
    fromName: row.fromName === '' ? undefined : row.fromName,
    subject: row.subject,
    date: instant(row.date),
    receivedAt: isoInstant(row.receivedAt),
    updatedAt: isoInstant(row.updatedAt),
    size: row.size,
    via: row.via,
    folder: row.folder,
    kept: row.raw !== undefined,
    askable,
    disposition: row.disposition,
    meaning: DISPOSITIONS[row.disposition],
    reasonCode: row.reasonCode,
    reason: row.reason,
    undo: undoOf(row, askable),
    reservations: [...row.reservations],
    warnings: row.warnings.map(({ code, message }) => ({ code, message })),
    timesSeen: row.timesSeen,
  }) as ReceiptView;
}
