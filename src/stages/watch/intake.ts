import { type MailHead, readHead } from '../../domain/mail/head.ts';
import { overloadedError } from '../../domain/overload.ts';
import type { BlobRef, BlobStore } from '../../ports/blobs.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AcceptedMail, IncomingMail, Intake } from '../../ports/intake.ts';
import type { Logger } from '../../ports/logger.ts';
import type { AddedMail, MailRecord, ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Store } from '../../ports/store.ts';
import { mailIdOf, recordHead, seenEvent } from './ledger.ts';
import { settleQuestions } from './questions.ts';
import { emptyMail, tooLargeMail } from './refusals.ts';

export interface IntakeOptions {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** True while later stages lag too far behind: nothing new is taken then. */
  readonly overloaded?: () => boolean | Promise<boolean>;
}

/**
 * The door for mails. First the bytes become durable, then record and `mail.seen` in one transaction; only then does
 * `accept` resolve. A crash in between leaves at most a blob without an owner. The key is mailbox and digest, so a mail
 * that comes again is counted and nothing else happens.
 */
export function createIntake(options: IntakeOptions): Intake {
  const { store, blobs, clock, logger } = options;
  return {
    async accept(mail) {
      if ((await options.overloaded?.()) === true) throw overloadedError(clock.now());
      const now = clock.now();
      const refusal = refusalOf(mail);
      const raw = await blobs.put(mail.bytes, mail.mailbox.tenant);
      const head = readHead(mail.bytes);
      const record = recordOf(mail, head, raw, now);
      const accepted = await store.transact(async (tx): Promise<AcceptedMail> => {
        const added = await tx.mails.add(record, now);
        const stored = { ...record, id: added.id };
        const result = { mailId: stored.id, new: added.new } as const;
        if (mail.via === 'smtp' && added.new) await settleQuestions(tx, stored, mail, now);
        if (refusal !== undefined) {
          if (added.new) await tx.mails.update(stored.tenant, stored.id, refusal, now);
          return { ...result, outcome: 'refused' };
        }
        const visit = added.new ? 0 : visitToRepeat(added);
        if (visit !== undefined) {
          const seed = visit === 0 ? stored.id : `${stored.id}/${visit}`;
          // Only what is new, or asked for anew, comes here: a repeat of this work appends nothing.
          await tx.append([seenEvent(stored, mail.envelope === undefined ? {} : { envelope: mail.envelope })], {
            source: 'watch',
            correlation: stored.id,
            seed,
            at: now,
          });
        }
        return { ...result, outcome: 'accepted' };
      });
      logger.debug({ mailId: accepted.mailId, new: accepted.new, via: mail.via, size: record.size }, 'Mail stored');
      return accepted;
    },
  };
}

/**
 * A repeat changes nothing, with one exception: a mail that was skipped or set aside and that is handed in again is decided
 * anew, because bringing it again is how a traveller asks for that after changing the rules.
 */
function visitToRepeat({ disposition, timesSeen }: AddedMail): number | undefined {
  return disposition === 'skipped' || disposition === 'quarantined' ? timesSeen : undefined;
}

function refusalOf(mail: IncomingMail): ReceiptUpdate | undefined {
  if (mail.fullSize !== undefined) return tooLargeMail(mail.fullSize);
  return mail.bytes.byteLength === 0 ? emptyMail() : undefined;
}

function recordOf(mail: IncomingMail, head: MailHead, raw: BlobRef, now: number): MailRecord {
  const { mailbox } = mail;
  const claimed = mail.via === 'import' ? (head.receivedDate ?? head.date) : undefined;
  return {
    id: mailIdOf(mailbox.tenant, mailbox.id, raw, head.date),
    tenant: mailbox.tenant,
    traveller: mailbox.traveller,
    mailbox: mailbox.id,
    raw,
    size: mail.fullSize ?? mail.bytes.byteLength,
    ...recordHead(head),
    receivedAt: Math.trunc(mail.receivedAt ?? Math.min(claimed ?? now, now)),
    via: mail.via,
  };
}
