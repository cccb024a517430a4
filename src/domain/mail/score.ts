import type { MailHead } from './head.ts';
import { HEAD_LIMITS } from './limits.ts';
import { hostOf, travelSenderOf } from './senders/registry.ts';
import { findWords, foldSubject, type WordGroup } from './words/subject-words.ts';

/** What the scorer looks at: headers and, where the mailbox tells it for nothing, the parts without their content. */
export type ScoredHead = Pick<MailHead, 'fromAddress' | 'fromName' | 'subject'> & Partial<Pick<MailHead, 'bulk'>>;
export interface ScoredPart {
  readonly type: string;
  readonly name?: string;
}

export interface MailScore {
  readonly read: boolean;
  /** `known-sender`, `travel-subject`, `travel-attachment`, `travel-signs`; `advertising`, `account-notice`, `not-travel`. */
  readonly code: ScoreCode;
  /** One sentence for the traveller's receipt. Holds nothing that the sender wrote. */
  readonly reason: string;
  readonly score: number;
}
export type ScoreCode =
  | 'known-sender'
  | 'travel-subject'
  | 'travel-attachment'
  | 'travel-signs'
  | 'advertising'
  | 'account-notice'
  | 'not-travel';

/**
 * Points for and against. A mail is read from `readFrom` on. What the relations are for is checked by a test: a known sender
 * alone is enough, advertising of one is not; a booking word is enough, next to a table or a dentist it is not.
 */
export const SCORE_POINTS = {
  readFrom: 30,
  /** The sender is in the registry. */
  sender: 40,
  /** Its domain has a word of travel (`hotel-post.example`). */
  domainWord: 30,
  /** Its mailbox name has one (`reservations@`). */
  mailboxWord: 20,
  /** The mailbox name is one for advertising (`offers@`). */
  mailboxPromotes: -25,
  /** Of these three the highest counts. */
  document: 50,
  booking: 30,
  thing: 20,
  process: 15,
  /** `FRA-JFK`, `Flight LH 400`: only together with something else. */
  pattern: 15,
  marketing: -50,
  /** Where a word says that something happened: confirmations carry advertising too. */
  marketingInNotice: -30,
  account: -60,
  other: -35,
  /** A known sender of travel mails sends no parcels: what it calls an order is a booking. */
  otherOfKnown: -15,
  /** A pass for a wallet, structured data, a document that is named like a ticket, a calendar entry: the highest counts. */
  pass: 50,
  data: 40,
  ticketName: 45,
  calendar: 10,
  unsubscribe: -5,
  list: -15,
} as const;

/**
 * Whether a mail is worth opening, from its headers and structure alone. Cheap (tens of microseconds), the same
 * everywhere, never throws. A false yes costs a fetch, a false no a trip: doubt is for opening. Proves nothing about the sender.
 */
export function scoreMail(head: ScoredHead, parts: readonly ScoredPart[] = []): MailScore {
  // Longer ones tell nothing more, and somebody would send them.
  const address = head.fromAddress.slice(-HEAD_LIMITS.addressCharsMax);
  const subjectText = head.subject.slice(0, HEAD_LIMITS.textCharsMax);
  const sender = travelSenderOf(address);
  const words = findWords(foldSubject(subjectText));
  const attachment = attachmentSign(parts);
  const promotes = PROMOTES.test(mailboxName(address));
  const p = SCORE_POINTS;
  const subject = subjectPoints(words, subjectText, sender !== undefined);
  const score =
    (sender === undefined ? senderWordPoints(address) : p.sender) +
    (promotes ? p.mailboxPromotes : 0) +
    subject +
    (attachment?.points ?? 0) +
    (head.bulk === 'list' ? p.list : head.bulk === 'unsubscribe' ? p.unsubscribe : 0);
  if (score < p.readFrom)
    return { read: false, score, ...whyNot(words, promotes || head.bulk === 'list', sender?.name) };
  return { read: true, score, ...why(sender?.name, subject, attachment) };
}

type FoundWords = Readonly<Partial<Record<WordGroup, string>>>;

function subjectPoints(words: FoundWords, subject: string, known: boolean): number {
  const p = SCORE_POINTS;
  const travel =
    words.document !== undefined
      ? p.document
      : words.booking !== undefined
        ? p.booking
        : words.thing !== undefined
          ? p.thing
          : 0;
  const notice = words.process !== undefined;
  return (
    travel +
    (notice ? p.process : 0) +
    (TRAVEL_PATTERN.test(subject) ? p.pattern : 0) +
    (words.marketing === undefined ? 0 : notice ? p.marketingInNotice : p.marketing) +
    (words.account === undefined ? 0 : p.account) +
    (words.other === undefined ? 0 : known ? p.otherOfKnown : p.other)
  );
}

function why(
  sender: string | undefined,
  subject: number,
  attachment: AttachmentSign | undefined,
): Pick<MailScore, 'code' | 'reason'> {
  if (sender !== undefined) return { code: 'known-sender', reason: `${sender} is known to send travel mails.` };
  if (attachment !== undefined && attachment.points >= SCORE_POINTS.readFrom)
    return { code: 'travel-attachment', reason: `It brings ${attachment.name}.` };
  if (subject >= SCORE_POINTS.readFrom)
    return { code: 'travel-subject', reason: 'Its subject speaks of a journey or a booking.' };
  return { code: 'travel-signs', reason: 'Its sender, subject and attachments together look like travel.' };
}

function whyNot(words: FoundWords, bulk: boolean, sender: string | undefined): Pick<MailScore, 'code' | 'reason'> {
  const from = sender === undefined ? '' : ` of ${sender}`;
  if (words.account !== undefined)
    return {
      code: 'account-notice',
      reason: `Its subject is about an account or an opinion${sender === undefined ? '' : ` at ${sender}`}, not a journey.`,
    };
  if (words.marketing !== undefined || (bulk && sender !== undefined))
    return { code: 'advertising', reason: `It looks like advertising${from}.` };
  return { code: 'not-travel', reason: 'Nothing in its sender, subject or attachments speaks of travel.' };
}

interface AttachmentSign {
  readonly points: number;
  /** In a sentence: `It brings …`. */
  readonly name: string;
}

/** The strongest sign among the parts. */
function attachmentSign(parts: readonly ScoredPart[]): AttachmentSign | undefined {
  let best: AttachmentSign | undefined;
  for (const part of parts.slice(0, PARTS_MAX)) {
    const sign = partSign(part);
    if (sign !== undefined && (best === undefined || sign.points > best.points)) best = sign;
  }
  return best;
}

const PARTS_MAX = 500;

function partSign({ type, name = '' }: ScoredPart): AttachmentSign | undefined {
  const kind = type.slice(0, 100).toLowerCase();
  const extension = /\.([a-z0-9]{1,10})$/i.exec(name.slice(-20))?.[1]?.toLowerCase() ?? '';
  if (PASS_TYPES.has(kind) || extension === 'pkpass' || extension === 'pkpasses')
    return { points: SCORE_POINTS.pass, name: 'a pass for a wallet' };
  if (kind === 'application/ld+json') return { points: SCORE_POINTS.data, name: 'structured data' };
  if ((kind === 'application/pdf' || extension === 'pdf') && TICKET_NAME.test(foldSubject(name)))
    return { points: SCORE_POINTS.ticketName, name: 'a travel document' };
  if (kind === 'text/calendar' || extension === 'ics')
    return { points: SCORE_POINTS.calendar, name: 'a calendar entry' };
  return undefined;
}

const PASS_TYPES = new Set([
  'application/vnd.apple.pkpass',
  'application/vnd.apple.pkpasses',
  'application/x-apple-pkpass',
]);

/** Names of ticket files, folded. */
const TICKET_NAME =
  /e ?ticket|\bticket|boarding|itinerar|bordkarte|fahrkarte|reiseplan|reiseunterlag|flugticket|buchungsbestat|reservierungsbestat|embarquement|\bbillet\b|\bbillets\b|embarque|billete|boleto electron|imbarco|bigliett|bilhete|passagem|instapkaart|reisschema|karta poklad|\bbilet|boardingkort|biljett|resplan|binis kart|travel doc|voucher|booking conf|reservation|rental agreement|mietwagen|搭乗|航空券|登机|登機|行程|机票|機票|车票/;

/** Two airport codes with an arrow or a dash, or a flight by its number. Plain characters and bounded repeats: linear. */
const TRAVEL_PATTERN =
  /\b[A-Z]{3} ?(?:-|–|—|→|>|->|✈) ?[A-Z]{3}\b|\b(?:[Ff]light|[Ff]lug|[Vv]ol|[Vv]uelo|[Vv]olo|[Vv]oo|[Vv]lucht|[Ll]ot|[Ff]lyg|航班) ?[A-Z][A-Z0-9] ?\d{1,4}\b|✈|🛫|🛬/u;

function mailboxName(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf('@'))).toLowerCase();
}

/** Mailbox names for advertising, as whole words. */
const PROMOTES =
  /(?:^|[._+-])(?:news|newsletters?|offers?|deals?|promos?|promotions?|marketing|mailing|angebote?|offres?|ofertas?|offerte|aanbieding(?:en)?|kampanya|kampanj|oferty|inspiration|specials?)(?:$|[._+-])/;

/** Points for a word of travel in what the sender chose of its domain, or else in its mailbox name. */
function senderWordPoints(address: string): number {
  const labels = hostOf(address).split('.').slice(0, -1).join(' ');
  if (DOMAIN_WORD.test(labels)) return SCORE_POINTS.domainWord;
  return MAILBOX_WORD.test(mailboxName(address)) ? SCORE_POINTS.mailboxWord : 0;
}

const DOMAIN_WORD =
  /hotel|hostel|airline|airways|flight|travel|viagen|viajes|voyage|reisen|reisebuero|reiseburo|tours\b|touristik|(?<![a-z])rail|eurail|\bbahn|railway|ferr(?:y|ies)\b|rentacar|rent-a-car|carrental|mietwagen|autovermiet|booking|reserv(?:a|ation|ierung)|resort|guesthouse|gasthof|ferien|vakantie|vacation|holiday|bedandbreakfast|cruise|ryokan|airport|lodge|camping|seyahat|turizm|otel\b|podroze|resebyra/;
const MAILBOX_WORD =
  /reserv|booking|buchung|boeking|bokning|prenot|itinerar|e-?ticket|tickets?\b|boarding|check-?in|travel|frontdesk|front-office|rezerw|rezerv|reise|voyage|viajes|flights?\b/;
