import type { AnyNewEvent } from '../../contracts/event.ts';
import type { TopicData } from '../../contracts/topics.ts';
import { derivedIdAt, type MailboxId, type MailId, type TenantId, timeChars } from '../../domain/ids.ts';
import type { MailHead } from '../../domain/mail/head.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { MailRecord } from '../../ports/store/mails.ts';

/** What a mail is on the ledger: its id, its record from its head, and the event that says it was seen. */

/**
 * Equal for equal bytes (or equal header blocks, where the bytes are not here) in one mailbox, whichever way and how often
 * they come. Begins with the date that the mail itself claims, right or wrong, so that mails of one time, and all that is
 * said about them, stand together in the indexes.
 */
export function mailIdOf(tenant: TenantId, mailbox: MailboxId, identity: string, date: number | undefined): MailId {
  return derivedIdAt('mail', date === undefined ? '' : timeChars(date), tenant, mailbox, identity);
}

/** What a record takes over from the headers. */
export function recordHead(
  head: MailHead,
): Pick<MailRecord, 'fromAddress' | 'fromName' | 'subject' | 'date' | 'messageId'> {
  const { fromAddress, fromName, subject, date, messageId } = head;
  return { fromAddress, fromName, subject, date, messageId };
}

/** What the event says beyond the record. */
export type SeenExtra = Pick<TopicData<'mail.seen'>, 'parts' | 'asked' | 'backfill'> & {
  readonly bulk?: TopicData<'mail.seen'>['head']['bulk'];
};

export function seenEvent(mail: MailRecord, { bulk, ...extra }: SeenExtra = {}): AnyNewEvent {
  return {
    topic: 'mail.seen',
    tenant: mail.tenant,
    traveller: mail.traveller,
    key: `${mail.mailbox}/${lineOf(mail.id)}`,
    subject: mail.id,
    data: {
      mailId: mail.id,
      mailboxId: mail.mailbox,
      ...(mail.raw === undefined ? {} : { raw: mail.raw }),
      ...(mail.ref === undefined ? {} : { ref: mail.ref }),
      ...(mail.folder === undefined ? {} : { folder: mail.folder }),
      head: {
        fromAddress: mail.fromAddress,
        fromName: mail.fromName,
        subject: mail.subject,
        ...(mail.date === undefined ? {} : { date: isoInstant(mail.date) }),
        ...(mail.messageId === undefined ? {} : { messageId: mail.messageId }),
        ...(bulk === undefined ? {} : { bulk }),
      },
      size: mail.size,
      receivedAt: isoInstant(mail.receivedAt),
      via: mail.via,
      ...extra,
    },
  };
}

/**
 * Mails of one mailbox do not depend on each other until their observations meet, so they go in 32 lines and not in
 * one: otherwise a folder of ten thousand mails would be read on one core, one commit at a time.
 */
export function lineOf(id: MailId): string {
  return id.slice(-1);
}
