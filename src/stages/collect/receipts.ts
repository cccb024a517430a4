import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/** Receipts of listed mails that were to be read and cannot be. Sizes in bytes. */

export function tooLarge(size: number, bytesMax: number): ReceiptUpdate {
  const mebibytes = (bytes: number): string => (bytes / (1024 * 1024)).toFixed(1);
  return {
    disposition: 'too-large',
    reasonCode: 'mail-too-large',
    reason:
      `Not opened: the mail has ${mebibytes(size)} MiB, more than the ${mebibytes(bytesMax)} MiB that are read ` +
      '(smtp.maxBytes). Add the reservation by hand, or forward the mail without its large attachments.',
  };
}

export function vanished(ref: string): ReceiptUpdate {
  return {
    disposition: 'vanished',
    reasonCode: 'mail-vanished',
    reason:
      'Not opened: the mail was moved or deleted before. It is read when it comes back to a folder that is watched.',
    ifRef: ref,
  };
}

/** Waiting again because its owner wants it read. */
export function asked(): ReceiptUpdate {
  return { disposition: 'seen', reasonCode: 'asked', reason: 'Waiting to be opened; you asked for it.' };
}
