import { domainToASCII } from 'node:url';

/**
 * A traveller's rules on what may be read, decided on headers alone:
 * - A rule matches the sender's whole address, the sender's domain (or a parent of it), the folder the mail lies in (or
 *   one above it), or a phrase in the subject. What is brought to us lies in no folder.
 *   Patterns are plain text, never regular expressions; case, accents' encoding and blanks do not matter.
 * - The most specific matching rule wins: sender over domain over folder over subject; of two domains the longer one.
 * - Where an allowing and a denying rule are equally specific, denying wins.
 * - Where no rule matches: a mail is read, unless there is an allowing rule. With one, only what is allowed is read.
 */
export function decideByRules(rules: readonly MailRule[], head: RuledHead): RuleDecision {
  const sender = normaliseSender(head.fromAddress);
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  const subject = normaliseText(head.subject);
  let best: { rule: MailRule; rank: number } | undefined;
  for (const rule of rules) {
    const rank = rankOf(rule, sender, domain, subject, head.folder);
    if (rank === 0) continue;
    const wins =
      best === undefined ||
      rank > best.rank ||
      (rank === best.rank && rule.action === 'deny' && best.rule.action === 'allow');
    if (wins) best = { rule, rank };
  }
  if (best !== undefined) {
    return best.rule.action === 'allow'
      ? { read: true, code: 'rule-allowed', rule: best.rule }
      : { read: false, code: 'rule-denied', rule: best.rule };
  }
  return rules.some((rule) => rule.action === 'allow')
    ? { read: false, code: 'not-on-allow-list' }
    : { read: true, code: 'no-rule' };
}

export interface MailRule {
  readonly id: string;
  readonly action: 'allow' | 'deny';
  readonly field: 'sender' | 'domain' | 'subject' | 'folder';
  readonly pattern: string;
}

export interface RuledHead {
  readonly fromAddress: string;
  readonly subject: string;
  /** Of a connected mailbox. */
  readonly folder?: string | undefined;
}

export type RuleDecision =
  | { readonly read: true; readonly code: 'no-rule' }
  | { readonly read: true; readonly code: 'rule-allowed'; readonly rule: MailRule }
  | { readonly read: false; readonly code: 'rule-denied'; readonly rule: MailRule }
  | { readonly read: false; readonly code: 'not-on-allow-list' };

/** `deny sender news@shop.example`: how a rule is named to people. */
export function describeRule(rule: MailRule): string {
  return `${rule.action} ${rule.field} ${rule.pattern}`;
}

/** The pattern as it is stored, or what is wrong with it in a sentence for the person who typed it. */
export function checkRulePattern(
  field: MailRule['field'],
  pattern: string,
): { readonly pattern: string } | { readonly problem: string } {
  const text = pattern.normalize('NFC').trim();
  if (text === '') return { problem: `A rule on the ${field} needs a text to compare with.` };
  if (text.length > PATTERN_CHARS_MAX) return { problem: `A pattern has at most ${PATTERN_CHARS_MAX} characters.` };
  if (field === 'sender') {
    return /^[^\s@]+@[^\s@]+$/.test(text)
      ? { pattern: normaliseSender(text) }
      : { problem: `“${text}” is no whole address. Write it like news@shop.example, or make a rule on the domain.` };
  }
  if (field === 'domain') {
    const domain = normaliseDomain(text);
    return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain)
      ? { pattern: domain }
      : { problem: `“${text}” is no domain. Write it like shop.example; it covers mail.shop.example too.` };
  }
  return { pattern: text.replace(/\s+/g, ' ') };
}

const PATTERN_CHARS_MAX = 300;

/** 0: no match. Domains rank by their number of labels, below every whole address. */
const SUBJECT_RANK = 1;
/** Folders rank by their depth. */
const FOLDER_RANK = 10;
const DOMAIN_RANK = 1000;
const SENDER_RANK = 1_000_000;

function rankOf(rule: MailRule, sender: string, domain: string, subject: string, folder: string | undefined): number {
  switch (rule.field) {
    case 'sender':
      return sender !== '' && normaliseSender(rule.pattern) === sender ? SENDER_RANK : 0;
    case 'domain': {
      const wanted = normaliseDomain(rule.pattern);
      if (wanted === '' || domain === '') return 0;
      return domain === wanted || domain.endsWith(`.${wanted}`) ? DOMAIN_RANK + wanted.split('.').length : 0;
    }
    case 'folder': {
      const wanted = normaliseText(rule.pattern);
      const lies = normaliseText(folder ?? '');
      const within = lies === wanted || /^[/.\\]/.test(lies.slice(wanted.length)) ? lies.startsWith(wanted) : false;
      return wanted !== '' && within ? FOLDER_RANK + wanted.split(/[/.\\]/).length : 0;
    }
    case 'subject': {
      const wanted = normaliseText(rule.pattern);
      return wanted !== '' && subject.includes(wanted) ? SUBJECT_RANK : 0;
    }
  }
}

function normaliseSender(address: string): string {
  const text = address.trim().toLowerCase();
  const at = text.lastIndexOf('@');
  return at === -1 ? text : `${text.slice(0, at)}@${normaliseDomain(text.slice(at + 1))}`;
}

/** `@Shop.Example.`, `*.shop.example` and `shop.example` are one domain; international names are compared in ASCII. */
function normaliseDomain(domain: string): string {
  const text = domain.trim().toLowerCase().replace(/^@/, '').replace(/^\*\./, '').replace(/\.$/, '');
  return domainToASCII(text) || text;
}

function normaliseText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}
