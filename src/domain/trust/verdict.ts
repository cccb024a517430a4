/**
 * # What is believed of a mail
 *
 * Anyone can write any From line. A mail is *proven* when somebody who cannot be imitated vouches for its From domain: the
 * domain's own signature over the whole mail (DKIM), the address it was sent from (SPF), a forwarder we list (ARC), or the
 * host that received it for the traveller (its own Authentication-Results). The verdict is made once, on the raw bytes when
 * the mail comes in, because keys leave the DNS; from then on it travels with the mail and with each observation.
 *
 * What follows from it is in policy.ts and src/domain/reconcile/withhold.ts: only a proven mail confirms a reservation, and
 * what is less than proven never cancels or changes a confirmed one.
 */

export const TRUST_LEVELS = ['authentic', 'plausible', 'unproven', 'forged'] as const;
/**
 * - `authentic`: proven to come from the domain it names, whole and as it was sent;
 * - `plausible`: the one who handed it on is proven, or it is proven with a reservation (a forward, a private sender, an old
 *   mail sent again); what it says is a claim;
 * - `unproven`: nobody vouches for it;
 * - `forged`: it pretends to be someone else. It is not read.
 */
export type TrustLevel = (typeof TRUST_LEVELS)[number];

export const PROOFS = ['dkim', 'spf', 'arc', 'receiver'] as const;
export type Proof = (typeof PROOFS)[number];

export const TRUST_FLAGS = {
  'from-missing': 'it names no sender',
  'from-repeated': 'it names its sender more than once',
  'from-unclear': 'mail programs would read different senders in it',
  'look-alike': 'its sender looks like a known one and is not',
  'near-alike': 'its sender resembles a known one',
  'name-borrowed': 'its sender calls itself by the name of a known one',
  'address-in-name': 'its sender shows another address as its name',
  'dmarc-fail': 'the domain it names says that such mails are not its own',
  'signature-broken': 'a signature does not fit the mail',
  'body-partly-signed': 'the signature leaves a part of the mail open (l=)',
  'weak-key': 'the key of the signature is too short',
  'weak-algorithm': 'the signature is made in a way that can be forged',
  'header-added': 'a header was added that the signature does not cover',
  'date-unsigned': 'the signature does not cover its date',
  'results-ignored': 'it brings results of checks that nobody we trust made',
  'arc-broken': 'its chain of forwarders does not hold',
  'arc-unlisted': 'it was forwarded by someone we do not list',
  forwarded: 'it was forwarded as a quotation',
  'personal-sender': 'it comes from a private address',
  'sent-again': 'it was signed long before it came',
  'not-to-you': 'it was addressed to someone else',
  'dns-unavailable': 'the keys of its sender could not be asked for',
  'check-failed': 'it could not be checked',
} as const;
export type TrustFlag = keyof typeof TRUST_FLAGS;

export interface Verdict {
  readonly level: TrustLevel;
  /**
   * Who vouches: the organisational domain of the sender, or the whole address where the domain is shared by strangers
   * (`gmail.com`). Empty: nobody is named.
   */
  readonly sender: string;
  /** The sender is in the registry of travel senders. */
  readonly registered: boolean;
  readonly by: readonly Proof[];
  readonly flags: readonly TrustFlag[];
  /** One sentence for the traveller. */
  readonly sentence: string;
  /** Of the mails attached to it: the worst of them. */
  readonly attached?: Omit<Verdict, 'attached'>;
}

/** What an observation keeps of the verdict on its mail. */
export type Trust = Pick<Verdict, 'level' | 'sender' | 'registered'>;

const NAMES: Readonly<Record<Proof, string>> = {
  dkim: 'its signature (DKIM)',
  spf: 'the address it was sent from (SPF)',
  arc: 'the forwarder (ARC)',
  receiver: 'the host that received it',
};

/** The sentence of a verdict: what it is, why, and what that means. */
export function sentenceOf(verdict: Pick<Verdict, 'level' | 'sender' | 'by' | 'flags'>): string {
  const { level, by, flags } = verdict;
  const sender = verdict.sender === '' ? 'anyone' : verdict.sender.slice(0, 100);
  const why = flags.map((flag) => TRUST_FLAGS[flag])[0];
  const because = why === undefined ? '' : `: ${why}`;
  switch (level) {
    case 'authentic':
      return `Proven to come from ${sender} by ${NAMES[by[0] ?? 'dkim']}.`;
    case 'plausible':
      return `Comes by ${sender}, which does not prove what it says${because}. It changes nothing that is confirmed.`;
    case 'unproven':
      return `Nothing proves that it comes from ${sender}${because}. It changes nothing that is confirmed.`;
    case 'forged':
      return `It pretends to be someone else${because}.`;
  }
}
