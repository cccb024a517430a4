import type { MailId, TenantId } from '../../domain/ids.ts';
import type { Disposition, MailEffect, MailReceipt, MailRepo, ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';

/**
 * The last word on a mail that was opened and that says something: whether it brought anything. It is spoken in the
 * transaction of the last effect, and follows from the effects alone, so it is the same in whatever order they come.
 */

type SameBefore = Awaited<ReturnType<MailRepo['sameBefore']>>;

/** Mails whose word may be spoken, or spoken again. Others wait for something else, and are settled when that is done. */
const SETTLED_FROM: readonly Disposition[] = ['collected', 'imported', 'merged', 'duplicate', 'failed'];

/** Does nothing until all that it says has been weighed. `now`: epoch ms. */
export async function settleMail(
  tx: Pick<Tx, 'mails'>,
  tenant: TenantId,
  id: MailId,
  effects: readonly (MailEffect | undefined)[],
  now: number,
): Promise<void> {
  if (effects.length === 0 || effects.includes(undefined)) return;
  const receipt = await tx.mails.get(tenant, id);
  if (receipt === undefined || !SETTLED_FROM.includes(receipt.disposition)) return;
  const before = effects.every((one) => one === 'known') ? await tx.mails.sameBefore(receipt) : undefined;
  await tx.mails.update(tenant, id, settledReceipt(receipt, effects as readonly MailEffect[], before), now);
}

/** Settles what was opened and holds nothing as a duplicate, where the same bytes came before. */
export async function settleEmpty(tx: Pick<Tx, 'mails'>, tenant: TenantId, id: MailId, now: number): Promise<void> {
  const receipt = await tx.mails.get(tenant, id);
  const before = receipt && (await tx.mails.sameBefore(receipt));
  if (before?.by === 'bytes') await tx.mails.update(tenant, id, duplicate(before, ''), now);
}

export function settledReceipt(
  { found = '', reservations }: Pick<MailReceipt, 'found' | 'reservations'>,
  effects: readonly MailEffect[],
  before: SameBefore,
): ReceiptUpdate {
  const count = (effect: MailEffect) => effects.filter((one) => one === effect).length;
  const [failed, known] = [count('failed'), count('known')];
  if (failed === effects.length)
    return {
      disposition: 'failed',
      reasonCode: 'not-recorded',
      reason:
        `Opened, but what it says could not be recorded: the operator sees it among the dead letters. ${found}`.trim(),
    };
  const left =
    failed === 0 ? '' : ` ${ofThem(failed)} could not be recorded: the operator sees it among the dead letters.`;
  if (count('brought') > 0) {
    const old = known === 0 ? '' : ` ${ofThem(known)} held nothing new.`;
    return { disposition: 'imported', reasonCode: 'reservations-found', reason: `${found}${old}${left}` };
  }
  if (before !== undefined) return duplicate(before, `${found}${left}`);
  const where = reservations.length === 0 ? '' : ` It belongs to ${named(reservations)}.`;
  return {
    disposition: 'merged',
    reasonCode: 'known-already',
    reason:
      `It brought nothing new: all that it says, or something newer, was known already.${where} ${found}${left}`.trim(),
  };
}

function duplicate({ id, by }: NonNullable<SameBefore>, found: string): ReceiptUpdate {
  return by === 'bytes'
    ? {
        disposition: 'duplicate',
        reasonCode: 'same-bytes',
        reason: `It brought nothing new: the same mail came before, byte for byte (${id}). ${found}`.trim(),
      }
    : {
        disposition: 'duplicate',
        reasonCode: 'same-message-id',
        reason:
          `It brought nothing new: the same mail came before by another way (${id}, of the same Message-ID). ${found}`.trim(),
      };
}

const NAMED_MAX = 3;

function named(reservations: readonly string[]): string {
  const shown = reservations.slice(0, NAMED_MAX).join(', ');
  const more = reservations.length - NAMED_MAX;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const ofThem = (count: number): string => (count === 1 ? 'One of them' : `${count} of them`);
