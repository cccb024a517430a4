import { ASKABLE, type MailReceipt } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';
import { seenEvent } from '../watch/ledger.ts';
import { asked } from './receipts.ts';

/**
 * The owner's word against rule and score: the mail is read, and fetched before where that was not done. Returns false
 * where there is nothing to ask for: it is being read, was read, or cannot be.
 *
 * @param receipt as it stands in this transaction
 * @param now epoch ms; with `by` (who asked) what makes a repeat of the same request fall away
 */
export async function askToRead(tx: Tx, receipt: MailReceipt, by: string, now: number): Promise<boolean> {
  if (!ASKABLE.includes(receipt.disposition)) return false;
  await tx.mails.update(receipt.tenant, receipt.id, asked(), now);
  const seed = `${receipt.id}/asked/${by}/${now}`;
  await tx.append([seenEvent(receipt, { asked: true })], { source: 'watch', correlation: receipt.id, seed, at: now });
  return true;
}
