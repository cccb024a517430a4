import { isForward } from '../mail/forwarding/quoted.ts';
import { organisationalDomain } from '../mail/senders/organisational-domain.ts';
import { hostOf, travelSenderOf } from '../mail/senders/registry.ts';
import type { AuthenticationResults, MethodResult } from './authentication-results.ts';
import { borrowedName, lookAlikeOf } from './look-alike.ts';
import { isPersonal } from './personal.ts';
import { isReserved } from './reserved.ts';
import { type Proof, sentenceOf, type TrustFlag, type TrustLevel, type Verdict } from './verdict.ts';

/** What was found out about a mail by looking at its bytes and asking the DNS; facts, no opinion. */
export interface Findings {
  /** Addresses of all From headers, as the strictest reader sees them. */
  readonly from: readonly string[];
  readonly fromFields: number;
  /** The address that the rest of this program takes for the sender, with its display name. */
  readonly shownFrom: string;
  readonly shownName: string;
  /** Addresses of To and Cc. */
  readonly to: readonly string[];
  readonly subject: string;
  /** `Date`, epoch ms. */
  readonly date: number | undefined;
  readonly signatures: readonly SignatureFinding[];
  readonly spf: { readonly result: string; readonly domain: string } | undefined;
  readonly dmarc: { readonly result: string; readonly policy: string; readonly strict: boolean } | undefined;
  readonly arc: ArcFinding | undefined;
  /** The topmost Authentication-Results header, if it is the receiving host's own. */
  readonly receiver: AuthenticationResults | undefined;
  /** It has Authentication-Results that are not believed. */
  readonly foreignResults: boolean;
}

export interface SignatureFinding {
  readonly domain: string;
  readonly result: 'pass' | 'fail' | 'weak-key' | 'weak-algorithm' | 'unavailable';
  /** With the From domain, as its DMARC record asks. */
  readonly aligned: boolean;
  /** It has a length (`l=`): whatever stands behind is anybody's. */
  readonly partial: boolean;
  readonly coversDate: boolean;
  /** A header that readers go by stands there more often than it was signed. */
  readonly headerAdded: boolean;
  /** `t=`, epoch ms. */
  readonly signedAt: number | undefined;
}

export interface ArcFinding {
  readonly result: 'none' | 'pass' | 'fail';
  /** Domains of all seals, the first forwarder's first. */
  readonly sealers: readonly string[];
  /** What each forwarder found. */
  readonly results: readonly AuthenticationResults[];
}

export interface Circumstances {
  /** It came just now (SMTP, a live mailbox), not with an import or a backfill. */
  readonly live: boolean;
  /** Epoch ms. */
  readonly receivedAt: number;
  /** Forwarders whose seals are believed. */
  readonly sealers: readonly string[];
  /** The traveller's own addresses, where they are known. */
  readonly addresses: readonly string[];
}

/** A mail on its way for longer was signed for another occasion. */
export const SENT_AGAIN_MS = 14 * 86_400_000;

/** The verdict. Pure; see verdict.ts for what the levels mean. */
export function judge(found: Findings, around: Circumstances): Omit<Verdict, 'attached'> {
  const address = (found.from[0] ?? '').toLowerCase();
  const host = hostOf(address);
  const domain = organisationalDomain(host) ?? host;
  const personal = isPersonal(domain);
  const registered = travelSenderOf(host) !== undefined;
  const deceiving = deception(found, host, registered, personal);
  const { by, spoiled } = proofs(found, around, domain);
  const doubts = doubtsAbout(found, around, personal, by);
  const disowned = isDisowned(found, by);
  const flags = [...deceiving.flags, ...doubts, ...(disowned ? (['dmarc-fail'] as const) : []), ...spoiled];
  const level = levelOf({ deceiving: deceiving.surely || disowned, unclear: deceiving.flags.length > 0, by, doubts });
  const sender = (personal ? address : domain).slice(0, SENDER_CHARS_MAX);
  const verdict = { level, sender, registered, by, flags: [...new Set(flags)] };
  return { ...verdict, sentence: sentenceOf(verdict) };
}

const SENDER_CHARS_MAX = 330;

function levelOf(seen: {
  readonly deceiving: boolean;
  readonly unclear: boolean;
  readonly by: readonly Proof[];
  readonly doubts: readonly TrustFlag[];
}): TrustLevel {
  if (seen.deceiving) return 'forged';
  if (seen.by.length === 0 || seen.unclear) return 'unproven';
  // One that was sent again is as genuine as it was; what it may still do is up to the join (withhold.ts).
  return seen.doubts.every((doubt) => doubt === 'sent-again') ? 'authentic' : 'plausible';
}

/** Marks of somebody who wants to be taken for somebody else. `surely`: there is no honest reason for it. */
function deception(found: Findings, host: string, registered: boolean, personal: boolean) {
  const flags: TrustFlag[] = [];
  let surely = false;
  const add = (flag: TrustFlag, certain: boolean): void => {
    flags.push(flag);
    surely ||= certain;
  };
  if (found.from.length === 0 || host === '') add('from-missing', false);
  if (found.fromFields > 1) add('from-repeated', true);
  else if (found.from.length > 1) add('from-repeated', false);
  else if (found.from.length === 1 && found.from[0]!.toLowerCase() !== found.shownFrom) add('from-unclear', false);
  if (registered || isReserved(host)) return { flags, surely };
  const alike = lookAlikeOf(host);
  if (alike !== undefined) add(alike.strength, alike.strength === 'look-alike');
  const named = addressIn(found.shownName);
  if (named !== undefined && organisationalDomain(hostOf(named)) !== organisationalDomain(host)) {
    add('address-in-name', travelSenderOf(named) !== undefined);
  } else if (borrowedName(found.shownName) !== undefined) {
    // A private sender may be called Hilton, or Ana.
    add('name-borrowed', !personal);
  }
  return { flags, surely };
}

function addressIn(name: string): string | undefined {
  return /[^\s<>"'(),;:]{1,64}@[^\s<>"'(),;:@]{3,253}/u.exec(name)?.[0];
}

/** Who vouches for it; `spoiled`: why others do not. */
function proofs(found: Findings, around: Circumstances, domain: string) {
  const by: Proof[] = [];
  const spoiled: TrustFlag[] = [];
  let tainted = false;
  for (const one of found.signatures) {
    const flaw = flawOf(one);
    if (flaw === undefined) {
      if (one.aligned && !by.includes('dkim')) by.push('dkim');
      continue;
    }
    if (one.aligned) {
      spoiled.push(flaw);
      tainted ||= flaw !== 'dns-unavailable' && flaw !== 'signature-broken';
    }
  }
  // With a clean signature beside it, a flawed one of the same domain takes nothing away.
  if (by.includes('dkim')) {
    spoiled.length = 0;
    tainted = false;
  }
  const strict = found.dmarc?.strict === true;
  if (found.spf?.result === 'pass' && aligns(found.spf.domain, domain, found, strict)) by.push('spf');
  const host = found.receiver;
  if (host !== undefined && vouches(host, domain, tainted)) by.push('receiver');
  const arc = found.arc;
  if (arc?.result === 'fail') spoiled.push('arc-broken');
  if (arc?.result === 'pass' && !by.includes('dkim')) {
    const listed = arc.sealers.every((sealer) => around.sealers.includes(sealer));
    if (!listed) spoiled.push('arc-unlisted');
    else if (!tainted && arc.results.some((results) => vouches(results, domain, false))) by.push('arc');
  }
  if (found.foreignResults && by.length === 0) spoiled.push('results-ignored');
  return { by, spoiled };
}

function flawOf(one: SignatureFinding): TrustFlag | undefined {
  if (one.result === 'fail') return 'signature-broken';
  if (one.result === 'unavailable') return 'dns-unavailable';
  if (one.result !== 'pass') return one.result;
  if (one.partial) return 'body-partly-signed';
  if (one.headerAdded) return 'header-added';
  return one.coversDate ? undefined : 'date-unsigned';
}

function aligns(proven: string, domain: string, found: Findings, strict: boolean): boolean {
  if (proven === '' || domain === '') return false;
  const host = hostOf(proven);
  if (strict) return host === hostOf(found.from[0] ?? '');
  return (organisationalDomain(host) ?? host) === domain;
}

/** Whether somebody else's findings prove the From domain. `tainted`: a signature of it is known to be worth nothing. */
function vouches({ results }: AuthenticationResults, domain: string, tainted: boolean): boolean {
  const same = (text: string | undefined): boolean => {
    const host = hostOf(text ?? '');
    return host !== '' && domain !== '' && (organisationalDomain(host) ?? host) === domain;
  };
  const passed = (method: string): readonly MethodResult[] =>
    results.filter((one) => one.method === method && one.result === 'pass');
  if (passed('spf').some(({ properties }) => same(properties['smtp.mailfrom']))) return true;
  if (tainted) return false;
  if (passed('dmarc').some(({ properties }) => same(properties['header.from']))) return true;
  return passed('dkim').some(({ properties }) => same(properties['header.d'] ?? properties['header.i']));
}

/** Reasons why a proven mail still is only a claim. */
function doubtsAbout(
  found: Findings,
  around: Circumstances,
  personal: boolean,
  by: readonly Proof[],
): readonly TrustFlag[] {
  const doubts: TrustFlag[] = [];
  if (isForward(found.subject)) doubts.push('forwarded');
  if (personal) doubts.push('personal-sender');
  if (around.live && by.length > 0 && !by.includes('spf') && !by.includes('receiver')) {
    const signed = found.signatures.find((one) => one.aligned && one.result === 'pass')?.signedAt ?? found.date;
    if (signed !== undefined && around.receivedAt - signed > SENT_AGAIN_MS) doubts.push('sent-again');
  }
  const mine = around.addresses.map((one) => one.toLowerCase());
  if (mine.length > 0 && found.to.length > 0 && !found.to.some((one) => mine.includes(one.toLowerCase()))) {
    doubts.push('not-to-you');
  }
  return doubts;
}

/**
 * The domain it names asks to refuse what is not proven, and there is not even a broken signature of it that a careless
 * forwarder could have left.
 */
function isDisowned(found: Findings, by: readonly Proof[]): boolean {
  const { dmarc } = found;
  if (dmarc?.result !== 'fail' || by.length > 0) return false;
  return (dmarc.policy === 'reject' || dmarc.policy === 'quarantine') && !found.signatures.some((one) => one.aligned);
}
