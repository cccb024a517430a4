import { readHead } from '../../domain/mail/head.ts';
import { walkMail } from '../../domain/mail/walk/walk.ts';
import { judge } from '../../domain/trust/judge.ts';
import { sentenceOf, TRUST_LEVELS, type TrustFlag, type Verdict } from '../../domain/trust/verdict.ts';
import type { Authenticity, MailToCheck } from '../../ports/authenticity.ts';
import { createDns, type DnsOptions } from './dns.ts';
import { findingsOf } from './findings.ts';
import { AUTHENTICITY_LIMITS } from './limits.ts';

export interface AuthenticityOptions {
  readonly dns?: DnsOptions;
  /** Domains of forwarders whose seals (ARC) are believed, beside `KNOWN_SEALERS`. */
  readonly sealers?: readonly string[];
}

/** Forwarders that check what they hand on and say so truthfully: the large mail hosts. */
export const KNOWN_SEALERS: readonly string[] = [
  ...['google.com', 'gmail.com', 'googlegroups.com', 'microsoft.com', 'outlook.com', 'fastmail.com'],
  ...['messagingengine.com', 'icloud.com', 'apple.com', 'yahoo.com', 'zoho.com', 'migadu.com', 'protonmail.com'],
];

type Judged = Omit<Verdict, 'attached'>;

/**
 * The check of mails. It runs on the event loop: a signature costs about as much as hashing the mail, and mailauth works in
 * pieces of 64 KiB with a breath between them (figures in docs/performance.md).
 */
export function createAuthenticity(options: AuthenticityOptions = {}): Authenticity {
  const dns = createDns(options.dns);
  const sealers = [...KNOWN_SEALERS, ...(options.sealers ?? [])];

  async function look(mail: MailToCheck, bytes: Buffer): Promise<Judged> {
    const found = await findingsOf(mail, bytes, dns);
    if (typeof found === 'string') return unchecked(bytes, 'check-failed');
    const { live, receivedAt, addresses = [] } = mail;
    return judge(found, { live, receivedAt, sealers, addresses });
  }

  return {
    async check(mail, signal) {
      signal.throwIfAborted();
      const bytes = Buffer.from(mail.bytes.buffer, mail.bytes.byteOffset, mail.bytes.byteLength);
      const outer = await within(look(mail, bytes), signal, bytes);
      const inner: Judged[] = [];
      for (const one of attachedTo(bytes)) {
        // Nobody delivered it to us: only what is in its own bytes can prove it.
        const alone: MailToCheck = { bytes: one, receivedAt: mail.receivedAt, live: false };
        inner.push(await within(look(alone, one), signal, one));
      }
      const attached = inner.toSorted((a, b) => TRUST_LEVELS.indexOf(b.level) - TRUST_LEVELS.indexOf(a.level))[0];
      const verdict: Verdict = attached === undefined ? outer : { ...outer, attached };
      const transient = [outer, ...inner].some(({ flags }) => flags.includes('dns-unavailable'));
      return { verdict, transient };
    },
    close: async () => undefined,
  };
}

/** A check that fails or takes too long proves nothing. Rejects only when aborted. */
async function within(work: Promise<Judged>, signal: AbortSignal, bytes: Buffer): Promise<Judged> {
  const ended = Promise.withResolvers<never>();
  const abort = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Judged>((resolve) => {
    timer = setTimeout(() => resolve(unchecked(bytes, 'dns-unavailable')), AUTHENTICITY_LIMITS.checkTimeoutMs);
  });
  try {
    return await Promise.race([work.catch(() => unchecked(bytes, 'check-failed')), late, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function unchecked(bytes: Buffer, flag: TrustFlag): Judged {
  const { fromAddress } = readHead(bytes);
  const verdict = { level: 'unproven', sender: fromAddress, registered: false, by: [], flags: [flag] } as const;
  return { ...verdict, sentence: sentenceOf(verdict) };
}

function attachedTo(bytes: Buffer): readonly Buffer[] {
  // Most mails have none, and a walk costs as much as a signature.
  if (!/message\/(?:rfc822|global)|multipart\/digest/i.test(bytes.toString('latin1'))) return [];
  const { attached, problem } = walkMail(bytes);
  // More than are looked at: the last ones would be unproven, so all count as that.
  return problem !== undefined || attached.length > AUTHENTICITY_LIMITS.attachedMax ? [Buffer.alloc(0)] : attached;
}
