import { Resolver } from 'node:dns/promises';
import { isReserved } from '../../domain/trust/reserved.ts';
import { AUTHENTICITY_LIMITS } from './limits.ts';

/** One question: records of a type at a name, as node:dns gives them. Rejects with node's codes (`ENOTFOUND`, `ETIMEOUT`, …). */
export type DnsLookup = (name: string, type: string) => Promise<unknown>;

/** A TXT record known without asking: `*` stands for one label or more. */
export interface FixedRecord {
  readonly name: string;
  readonly text: string;
}

export interface DnsOptions {
  /** Default: the servers of this machine. */
  readonly lookup?: DnsLookup;
  readonly fixed?: readonly FixedRecord[];
  /** Monotonic ms, real time. */
  readonly now?: () => number;
  readonly limits?: Partial<Record<keyof typeof AUTHENTICITY_LIMITS, number>>;
}

interface Kept {
  readonly answer: Promise<unknown>;
  until: number;
}

/**
 * Asks the DNS with a memory: equal questions at one time are one question, answers are kept for a while and bounded in
 * number and size. While the DNS is away questions fail at once, so that mails are not held up one timeout after another.
 */
export function createDns(options: DnsOptions = {}): DnsLookup {
  const limits = { ...AUTHENTICITY_LIMITS, ...options.limits };
  const now = options.now ?? (() => performance.now());
  const lookup = options.lookup ?? systemLookup(limits.dnsTimeoutMs);
  const fixed = (options.fixed ?? []).map(({ name, text }) => ({ pattern: patternOf(name), text }));
  const kept = new Map<string, Kept>();
  let failures = 0;
  let awayUntil = Number.NEGATIVE_INFINITY;

  async function ask(name: string, type: string): Promise<unknown> {
    if (now() < awayUntil) throw failure('ETIMEOUT', name);
    try {
      const answer = await withDeadline(lookup(name, type), limits.dnsTimeoutMs, name);
      failures = 0;
      if (JSON.stringify(answer).length > limits.dnsAnswerCharsMax) throw failure('ENODATA', name);
      return answer;
    } catch (error) {
      if (isNone(error)) failures = 0;
      else if (++failures >= limits.dnsFailuresMax) awayUntil = now() + limits.dnsAwayMs;
      throw error;
    }
  }

  return async (given, type) => {
    const name = given.toLowerCase().replace(/\.$/, '');
    if (type === 'TXT') {
      const known = fixed.find(({ pattern }) => pattern.test(name));
      if (known !== undefined) return [[known.text]];
    }
    if (isReserved(name) && options.lookup === undefined) throw failure('ENOTFOUND', name);
    const key = `${type} ${name}`;
    const held = kept.get(key);
    if (held !== undefined) {
      kept.delete(key);
      if (held.until > now()) {
        kept.set(key, held);
        return held.answer;
      }
    }
    const answer = ask(name, type);
    const entry: Kept = { answer, until: Number.POSITIVE_INFINITY };
    kept.set(key, entry);
    if (kept.size > limits.dnsAnswersMax) kept.delete(kept.keys().next().value!);
    answer.then(
      () => {
        entry.until = now() + limits.dnsTtlMs;
      },
      (error: unknown) => {
        entry.until = now() + (isNone(error) ? limits.dnsNoneTtlMs : limits.dnsFailureTtlMs);
      },
    );
    return answer;
  };
}

/** There is no such name or record: an answer, not a failure. */
export function isNone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME' || code === 'EFORMERR';
}

export function failure(code: string, name: string): Error {
  return Object.assign(new Error(`${code} ${name.slice(0, 255)}`), { code });
}

function systemLookup(timeoutMs: number): DnsLookup {
  const resolver = new Resolver({ timeout: Math.floor(timeoutMs / 3), tries: 2 });
  return (name, type) => resolver.resolve(name, type as 'TXT');
}

async function withDeadline<T>(work: Promise<T>, ms: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure('ETIMEOUT', name)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function patternOf(name: string): RegExp {
  const escaped = name.toLowerCase().replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^\\s]+')}$`);
}
