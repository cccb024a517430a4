import { createHash } from 'node:crypto';

/** The forwarding address of a mailbox; the token in it is its secret, so it never reaches a log. */
export function forwardingAddress(token: string, domain: string): string {
  return `plans+${token}@${domain}`.toLowerCase();
}

/** Looks like one of ours, of whatever installation. */
export const isForwardingAddress = (address: string): boolean => /^plans\+[a-z0-9]{8,}@/i.test(address);

/** SHA-256 (hex) of the address in lower case: how a mailbox is looked up at RCPT. */
export function mailboxAddressHash(address: string): string {
  return createHash('sha256').update(address.trim().toLowerCase(), 'utf8').digest('hex');
}
