import { isIP } from 'node:net';
import type { DKIMResult, DKIMVerifyResult } from 'mailauth';
import { allAddresses } from '../../domain/mail/address.ts';
import { readHead } from '../../domain/mail/head.ts';
import { hostOf } from '../../domain/mail/senders/registry.ts';
import { type AuthenticationResults, parseAuthenticationResults } from '../../domain/trust/authentication-results.ts';
import type { ArcFinding, Findings, SignatureFinding } from '../../domain/trust/judge.ts';
import type { MailToCheck } from '../../ports/authenticity.ts';
import { whyNotGlobal } from '../egress/address.ts';
import type { DnsLookup } from './dns.ts';
import { type Field, readFields } from './fields.ts';
import { AUTHENTICITY_LIMITS } from './limits.ts';

/** What is asked of mailauth; loaded only when a mail needs it, because it is large. */
type Mailauth = Pick<typeof import('mailauth'), 'dkimVerify' | 'spf' | 'dmarc' | 'arc'>;
let loaded: Promise<Mailauth> | undefined;
function mailauth(): Promise<Mailauth> {
  loaded ??= import('mailauth');
  return loaded;
}

/** Why nothing was found out. */
export type Unchecked = 'headers-too-large' | 'too-many-signatures';

/** Looks at one mail (not at those attached to it). Errors: whatever mailauth throws for bytes it cannot bear. */
export async function findingsOf(mail: MailToCheck, bytes: Buffer, dns: DnsLookup): Promise<Findings | Unchecked> {
  const read = readFields(bytes, AUTHENTICITY_LIMITS.headerBytesMax);
  if (read === undefined) return 'headers-too-large';
  const { fields } = read;
  const signed = fields.filter(({ name }) => name === 'dkim-signature').length;
  const sealed = fields.filter(({ name }) => name === 'arc-seal').length;
  if (signed > AUTHENTICITY_LIMITS.signaturesMax || sealed > AUTHENTICITY_LIMITS.signaturesMax) {
    return 'too-many-signatures';
  }
  const head = readHead(bytes);
  const from = fields.filter(({ name }) => name === 'from');
  const own = from.flatMap(({ value }) => allAddresses(value).map(({ address }) => address));
  const ours = receiverResults(fields, mail.authservIds ?? []);
  const foreign = fields.filter(({ name }) => name === 'authentication-results').length > (ours === undefined ? 0 : 1);
  const base = {
    fromFields: from.length,
    shownFrom: head.fromAddress,
    shownName: head.fromName,
    to: fields
      .filter(({ name }) => name === 'to' || name === 'cc')
      .flatMap(({ value }) => allAddresses(value.slice(0, 8192)).map(({ address }) => address)),
    subject: head.subject,
    date: head.date,
    receiver: ours,
    foreignResults: foreign,
  };
  const resolver = dns as never;
  const authenticator = await mailauth();
  const dkim =
    signed + sealed === 0
      ? undefined
      : await authenticator.dkimVerify(withLineEnds(bytes), {
          resolver,
          minBitLength: 1024,
          rejectRsaSha1: true,
          sender: mail.envelope?.sender ?? '<>',
          curTime: new Date(mail.receivedAt),
        });
  // Where readers of headers differ, the one that checks signatures counts; judge.ts compares it with what is shown.
  const seen = (dkim?.headerFrom ?? []).map((one) => one.toLowerCase());
  const addresses = seen.length > 0 ? seen : own;
  const results = (dkim?.results ?? []).filter(({ signingDomain }) => signingDomain !== undefined);
  const spf = await spfOf(authenticator, mail, resolver);
  const dmarc = await dmarcOf(authenticator, { addresses, fields: from.length, results, spf, resolver });
  const arc =
    sealed === 0 || dkim === undefined
      ? undefined
      : await authenticator.arc((dkim as DKIMVerifyResult & { arc: never }).arc, { resolver, minBitLength: 1024 });
  return {
    ...base,
    from: addresses,
    signatures: results.map((one) => signatureOf(one, fields, addresses[0] ?? '', dmarc?.strictDkim ?? false)),
    spf,
    dmarc: dmarc === undefined ? undefined : { result: dmarc.result, policy: dmarc.policy, strict: dmarc.strictSpf },
    arc: arc === undefined ? undefined : arcOf(arc.status.result, fields),
  };
}

/** The topmost Authentication-Results, if the receiving host wrote it; one further down may be anybody's. */
function receiverResults(fields: readonly Field[], ids: readonly string[]): AuthenticationResults | undefined {
  if (ids.length === 0) return undefined;
  const top = fields.find(({ name }) => name === 'authentication-results');
  if (top === undefined) return undefined;
  const results = parseAuthenticationResults(top.value);
  return ids.some((id) => id.toLowerCase() === results.authservId) ? results : undefined;
}

async function spfOf(
  { spf }: Mailauth,
  { envelope }: MailToCheck,
  resolver: never,
): Promise<{ readonly result: string; readonly domain: string } | undefined> {
  // From our own network it was handed on, and says nothing about where it came from.
  if (envelope === undefined || isIP(envelope.ip) === 0 || whyNotGlobal(envelope.ip) !== undefined) return undefined;
  const { ip, helo, sender } = envelope;
  const found = await spf({
    ...{ ip, sender, mta: 'tripwatch', resolver, maxElapsedTime: AUTHENTICITY_LIMITS.checkTimeoutMs },
    ...(helo === undefined ? {} : { helo }),
  });
  // An empty MAIL FROM is checked by its HELO, which is no author.
  return { result: found.status.result, domain: sender === '' ? '' : hostOf(sender) };
}

async function dmarcOf(
  { dmarc }: Mailauth,
  seen: {
    readonly addresses: readonly string[];
    readonly fields: number;
    readonly results: readonly DKIMResult[];
    readonly spf: { readonly result: string; readonly domain: string } | undefined;
    readonly resolver: never;
  },
) {
  if (seen.addresses.length === 0) return undefined;
  const found = await dmarc({
    headerFrom: [...seen.addresses],
    fromFields: seen.fields,
    spfDomains: seen.spf?.result === 'pass' ? [seen.spf.domain] : [],
    dkimDomains: seen.results
      .filter(({ status }) => status.result === 'pass')
      .map(({ id, signingDomain, status }) => ({
        id: id ?? '',
        domain: signingDomain ?? '',
        ...(status.aligned === undefined ? {} : { aligned: status.aligned }),
      })),
    resolver: seen.resolver,
  });
  if (found === false || found.alignment === undefined) return undefined;
  return {
    result: found.status.result as string,
    policy: found.policy,
    strictDkim: found.alignment.dkim.strict,
    strictSpf: found.alignment.spf.strict,
  };
}

/** Headers that readers go by; a second one above the signed one would be read instead. */
const READ_BY = ['from', 'subject', 'date', 'to', 'content-type', 'content-transfer-encoding', 'mime-version'];

function signatureOf(one: DKIMResult, fields: readonly Field[], from: string, strict: boolean): SignatureFinding {
  const signs = (one.signingHeaders?.keys ?? '').toLowerCase().split(/\s*:\s*/);
  const times = (name: string, list: readonly string[]) => list.filter((each) => each === name).length;
  const names = fields.map(({ name }) => name);
  return {
    domain: one.signingDomain ?? '',
    result: resultOf(one),
    aligned: strict ? hostOf(from) === hostOf(one.signingDomain ?? '') : Boolean(one.status.aligned),
    partial: one.canonBodyLengthLimited === true,
    coversDate: signs.includes('date'),
    headerAdded: READ_BY.some((name) => times(name, names) > Math.max(1, times(name, signs))),
    signedAt: one.signTime ? Temporal.Instant.from(one.signTime).epochMilliseconds : undefined,
  };
}

function resultOf({ status, signatureTimeValid }: DKIMResult): SignatureFinding['result'] {
  if (status.result === 'pass') {
    // t= in the future is a clock that is wrong, x= in the past is a mail that was sent again.
    return signatureTimeValid === false && status.comment === 'expired' ? 'fail' : 'pass';
  }
  if (status.policy?.['dkim-rules'] === 'weak-key') return 'weak-key';
  if (status.policy?.['dkim-rules'] === 'weak-algorithm') return 'weak-algorithm';
  return status.result === 'temperror' ? 'unavailable' : 'fail';
}

function arcOf(result: string, fields: readonly Field[]): ArcFinding {
  const instance = (value: string) => Number(/(?:^|;)\s*i\s*=\s*(\d{1,2})/.exec(value)?.[1] ?? 0);
  const seals = fields.filter(({ name }) => name === 'arc-seal');
  return {
    result: result === 'pass' ? 'pass' : result === 'none' ? 'none' : 'fail',
    sealers: seals
      .toSorted((a, b) => instance(a.value) - instance(b.value))
      .map(({ value }) => hostOf(/(?:^|;)\s*d\s*=\s*([^;\s]+)/.exec(value)?.[1] ?? '')),
    results: fields
      .filter(({ name }) => name === 'arc-authentication-results')
      .map(({ value }) => parseAuthenticationResults(value.replace(/^\s*i\s*=\s*\d+\s*;/, ''))),
  };
}

/** Mails from files may have bare line feeds; signatures are over CRLF, and mailauth mends them line by line. */
function withLineEnds(bytes: Buffer): Buffer {
  let bare = false;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (at > 0 && bytes[at - 1] === 0x0d) continue;
    bare = true;
    break;
  }
  return bare ? Buffer.from(bytes.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1') : bytes;
}
