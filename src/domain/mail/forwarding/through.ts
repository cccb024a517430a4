/** Whether a mail came by a forwarding that a mail host does by itself. Headers anyone can write: good for a note, no proof. */

/** Bytes of a header block that are looked at. */
const HEADER_CHARS_MAX = 64 * 1024;
const ADDRESSED = /^(?:to|cc|delivered-to|x-original-to|x-forwarded-for|x-forwarded-to):/i;

/**
 * True where the mail was addressed to that account and was not written by it, or the host that forwards says so in the
 * envelope (`ada+caf_=…@gmail.com`, as Gmail does). What its owner forwards by hand comes from them, and is not meant.
 *
 * @param account address, lower case
 * @param head its header block, one character a byte
 * @param fromAddress of the mail, lower case
 * @param envelopeSender as the SMTP client gave it; empty: none
 */
export function cameThrough(account: string, head: string, fromAddress: string, envelopeSender: string): boolean {
  const at = account.lastIndexOf('@');
  if (at <= 0 || fromAddress === account) return false;
  const sender = envelopeSender.toLowerCase();
  if (sender.startsWith(`${account.slice(0, at)}+caf_=`) && sender.endsWith(account.slice(at))) return true;
  return head
    .slice(0, HEADER_CHARS_MAX)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .some((line) => ADDRESSED.test(line) && names(line.toLowerCase(), account));
}

/** As a whole: `ada@x.example` is not in `granada@x.example`. */
function names(line: string, account: string): boolean {
  for (let at = line.indexOf(account); at !== -1; at = line.indexOf(account, at + 1)) {
    const [before, after] = [line[at - 1] ?? ' ', line[at + account.length] ?? ' '];
    if (!/[\w.+-]/.test(before) && !/[\w-]/.test(after)) return true;
  }
  return false;
}
