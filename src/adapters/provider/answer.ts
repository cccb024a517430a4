import type { Answer } from '../../contracts/topics.ts';
import type { Fact, FactValue } from '../../domain/facts.ts';
import { canonicalJson, digestOf } from '../../domain/reconcile/canonical.ts';

/** Collects facts with the place in the vendor's answer where each was found. Absent and empty values are left out. */
export interface FactWriter {
  readonly facts: Record<string, Fact>;
  /** `raw` is the vendor's own text where it differs from the value. */
  put(path: string, value: FactValue | undefined, where: string, raw?: unknown): void;
}

const RAW_MAX = 200;
const VALUE_MAX = 2000;

export function factWriter(): FactWriter {
  const facts: Record<string, Fact> = {};
  return {
    facts,
    put: (path, value, where, raw) => {
      const clean = typeof value === 'string' ? value.trim().slice(0, VALUE_MAX) : value;
      if (clean === undefined || clean === '') return;
      const text = raw === undefined || raw === null ? undefined : String(raw);
      facts[path] = {
        value: clean,
        evidence: {
          where: where.slice(0, 500),
          ...(text === undefined || text === clean ? {} : { raw: text.slice(0, RAW_MAX) }),
        },
      };
    },
  };
}

/** Digest of what an answer says: neither when nor where it was said. Equal digest, nothing new. */
export function answerDigest(answer: Answer): string {
  const values = (facts: Answer['facts']) =>
    Object.fromEntries(Object.entries(facts).map(([path, fact]) => [path, fact.value]));
  return digestOf(
    canonicalJson([
      answer.authority,
      [...answer.bookingKeys].sort(),
      values(answer.facts),
      answer.legs.map((leg) => canonicalJson([leg.kind, [...leg.keys].sort(), values(leg.facts)])).sort(),
    ]),
  );
}

/** ISO instant with Z of any ISO instant text, `2026-12-01 09:05Z` included; undefined for what is none. */
export function instantOf(text: string | null | undefined): string | undefined {
  if (!text) return undefined;
  try {
    return Temporal.Instant.from(text.replace(' ', 'T')).toString({ smallestUnit: 'millisecond' });
  } catch {
    return undefined;
  }
}
