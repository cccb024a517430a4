import type { MailHead } from '../head.ts';
import { isForwardingAddress } from '../mailbox-address.ts';
import { CODE_WORDS, CONFIRM_WORDS, FORWARD_WORDS, FORWARDING_HOSTS, type ForwardingHost } from './hosts.ts';

/**
 * The question of a mail host whether mails may be forwarded here. We recognise it, show what is needed to say yes, and
 * follow nothing: whether to say yes is for the traveller, who alone knows whether it was asked for.
 */
export interface ForwardingQuestion {
  /** Who asks: `Gmail`. */
  readonly host: string;
  /** Whose mails are to be forwarded, where it says so. */
  readonly account?: string;
  /** To be entered where forwarding was set up. */
  readonly code?: string;
  /** To say yes: at the host's own address only. */
  readonly link?: string;
}

/** By headers alone: the host that asks. Undefined: it is no such question. Whether the sender is true is judged elsewhere. */
export function forwardingHost(head: Pick<MailHead, 'fromAddress' | 'subject'>): string | undefined {
  return hostOf(head)?.name;
}

/** What the mail's text says. `texts`: its readable parts, plain text or HTML, bounded by the caller. */
export function readForwardingQuestion(
  head: Pick<MailHead, 'fromAddress' | 'subject'>,
  texts: readonly string[],
): ForwardingQuestion | undefined {
  const host = hostOf(head);
  if (host === undefined) return undefined;
  const all = [head.subject, ...texts.map((text) => text.replace(TAG, ' '))];
  const account = firstOf(all, (text) => accountIn(text, head.fromAddress));
  const code = firstOf(all, codeIn);
  const link = firstOf(texts, (text) => linkIn(text, host));
  return {
    host: host.name,
    ...(account === undefined ? {} : { account }),
    ...(code === undefined ? {} : { code }),
    ...(link === undefined ? {} : { link }),
  };
}

const TAG = /<[^<>]{0,2000}>/g;

function hostOf({ fromAddress, subject }: Pick<MailHead, 'fromAddress' | 'subject'>): ForwardingHost | undefined {
  const address = fromAddress.toLowerCase();
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const asks = FORWARD_WORDS.test(subject) && CONFIRM_WORDS.test(subject);
  return FORWARDING_HOSTS.find(
    ({ senders = [], domains = [] }) =>
      senders.includes(address) || (asks && domains.some((one) => isWithin(domain, one))),
  );
}

const isWithin = (domain: string, of: string): boolean => domain === of || domain.endsWith(`.${of}`);

function firstOf<T>(texts: readonly string[], find: (text: string) => T | undefined): T | undefined {
  for (const text of texts) {
    const found = find(text);
    if (found !== undefined) return found;
  }
  return undefined;
}

const ADDRESS = /[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}/giu;
/** As far as an account is looked for: it is named at the beginning. */
const ACCOUNT_CHARS_MAX = 2000;
const NO_PERSON = /no-?reply|support|postmaster|mailer-daemon|forwarding/i;

/** The first address that is not the sender's, nor ours, and belongs to a person. */
function accountIn(text: string, sender: string): string | undefined {
  for (const [address] of text.slice(0, ACCOUNT_CHARS_MAX).matchAll(ADDRESS))
    if (address.toLowerCase() !== sender.toLowerCase() && !NO_PERSON.test(address) && !isForwardingAddress(address))
      return address.toLowerCase();
  return undefined;
}

/** `(#123456789)` as Gmail has it, or digits soon after a word for code. */
function codeIn(text: string): string | undefined {
  const marked = /\(#\s?(\d{6,12})\)/.exec(text)?.[1];
  if (marked !== undefined) return marked;
  for (const found of text.matchAll(CODE_AT)) {
    const after = text.slice(found.index + found[0].length, found.index + found[0].length + CODE_CHARS_MAX);
    const digits = /^[^\d]{0,60}?(?<![\d.,/-])(\d{4,12})(?![\d.,/-]?\d)/.exec(after)?.[1];
    if (digits !== undefined) return digits;
  }
  return undefined;
}
const CODE_AT = new RegExp(CODE_WORDS.source, 'giu');
const CODE_CHARS_MAX = 80;

const LINK = /https:\/\/[^\s"'<>\\^`{|}]{4,2000}/g;
/** Links looked at in one text. */
const LINKS_MAX = 200;

/** The first link of the host's own that says yes. */
function linkIn(text: string, { links, yes }: ForwardingHost): string | undefined {
  let looked = 0;
  for (const [found] of text.matchAll(LINK)) {
    if (++looked > LINKS_MAX) break;
    const link = found.replace(/&amp;/g, '&').replace(/[).,;\]]+$/, '');
    if (!URL.canParse(link)) continue;
    const { hostname, username, port } = new URL(link);
    const own = links.some((one) => isWithin(hostname, one)) && username === '' && port === '';
    if (own && yes.test(link)) return link;
  }
  return undefined;
}
