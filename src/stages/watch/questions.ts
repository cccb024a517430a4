import { forwardingHost } from '../../domain/mail/forwarding/confirmation.ts';
import { cameThrough } from '../../domain/mail/forwarding/through.ts';
import type { IncomingMail } from '../../ports/intake.ts';
import type { MailRecord, ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';

/** The question of a mail host whether it may forward here is over when mails come that way (or its owner says so). */

/** Whatever becomes of this mail itself: that it is here shows that the forwarding works. */
export async function settleQuestions(
  tx: Pick<Tx, 'mails'>,
  mail: MailRecord,
  { bytes, envelope }: Pick<IncomingMail, 'bytes' | 'envelope'>,
  now: number,
): Promise<void> {
  if (forwardingHost(mail) !== undefined) return;
  const open = await tx.mails.questions(mail.tenant, mail.mailbox);
  if (open.length === 0) return;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = /\r?\n\r?\n/.exec(text.toString('latin1', 0, HEAD_BYTES_READ));
  const head = text.toString('latin1', 0, end?.index ?? HEAD_BYTES_READ);
  for (const { id, asksFor, reason } of open)
    if (cameThrough(asksFor, head, mail.fromAddress, envelope?.sender ?? ''))
      await tx.mails.update(mail.tenant, id, forwardingWorks(asksFor, mail.id, reason), now);
}

const HEAD_BYTES_READ = 64 * 1024;

function forwardingWorks(account: string, mail: string, question: string): ReceiptUpdate {
  return {
    disposition: 'nothing-found',
    reasonCode: 'forwarding-works',
    reason: `Mails of ${account} come here now (the first is ${mail}), so nothing is left to do. It said: ${question}`,
  };
}
