import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/** Receipts of mails that are kept, but will not be opened. */

export function emptyMail(): ReceiptUpdate {
  return {
    disposition: 'failed',
    reasonCode: 'mail-empty',
    reason: 'The mail has no content at all. Forward or export it again; the original may not have been loaded fully.',
  };
}

/** `size` in bytes. Only the beginning of such a mail is kept. */
export function tooLargeMail(size: number): ReceiptUpdate {
  const mebibytes = (size / (1024 * 1024)).toFixed(1);
  return {
    disposition: 'failed',
    reasonCode: 'mail-too-large',
    reason:
      `The mail has ${mebibytes} MiB, more than the limit (smtp.maxBytes). Only its headers were kept. ` +
      'Forward it without its large attachments, or raise the limit and bring it again.',
  };
}
