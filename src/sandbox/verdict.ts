/** What the comparison found. */

export type FaultKind = 'missing' | 'wrong' | 'doubled' | 'late' | 'too-many-calls';

export interface Finding {
  readonly kind: FaultKind;
  /** One sentence. */
  readonly what: string;
  readonly booking?: string;
  readonly traveller?: string;
  readonly reservation?: string;
  readonly path?: string;
  readonly expected?: string;
  readonly got?: string;
  /** Milliseconds of sandbox time, for `late`. */
  readonly latencyMs?: number;
}

export interface CallFigures {
  readonly made: number;
  /** Of these, answered with an error or cut. */
  readonly refused: number;
  readonly allowed: number;
  /** made / allowed. */
  readonly ratio: number;
}

export interface Verdict {
  readonly ok: boolean;
  /** Sandbox instant of the comparison. */
  readonly at: string;
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<FaultKind, number>>;
  readonly checked: {
    readonly bookings: number;
    readonly legs: number;
    readonly fields: number;
    readonly news: number;
    readonly events: number;
    readonly deliveries: number;
    readonly mails: number;
  };
  /** From a source showing a change to our publishing it; milliseconds of sandbox time. */
  readonly latency: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** How often and long the test itself had stopped the service; not counted as late. */
  readonly downtime: { readonly times: number; readonly ms: number };
  readonly calls: { readonly aerodatabox: CallFigures; readonly duffel: CallFigures; readonly ratio: number };
}

/** Calls above this multiple of what coalescing allows are a fault. */
export const CALL_RATIO_MAX = 1.2;

const SHOWN_MAX = 20;

/** The verdict in plain words, a line each. */
export function verdictLines(verdict: Verdict): readonly string[] {
  const { checked, counts, latency, calls } = verdict;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const lines = [
    verdict.ok ? 'Everything agrees with the truth.' : `${verdict.findings.length} things do not agree with the truth.`,
    `  Compared as of ${verdict.at}: ${checked.bookings} bookings, ${checked.legs} legs, ${checked.fields} fields, ${checked.mails} mails.`,
    `  Changes to be told: ${checked.news}; events on the stream: ${checked.events}; at the webhook: ${checked.deliveries}.`,
    `  Missing ${counts.missing}, wrong ${counts.wrong}, doubled ${counts.doubled}, late ${counts.late}.`,
    `  From the source showing it to telling it: half within ${seconds(latency.p50)}, 99 % within ${seconds(latency.p99)}, slowest ${seconds(latency.max)} (sandbox time).`,
    `  Provider calls: ${calls.ratio.toFixed(2)} × what coalescing allows (flight status ${figures(calls.aerodatabox)}; bookings ${figures(calls.duffel)}).`,
  ];
  if (verdict.downtime.times > 0) {
    lines.push(
      `  The test stopped the service ${verdict.downtime.times} times, ${seconds(verdict.downtime.ms)} in all (sandbox time); not counted as late.`,
    );
  }
  for (const finding of verdict.findings.slice(0, SHOWN_MAX)) lines.push(`  - ${findingWords(finding)}`);
  if (verdict.findings.length > SHOWN_MAX)
    lines.push(`  … and ${verdict.findings.length - SHOWN_MAX} more; --json shows all.`);
  return lines;
}

function figures(one: CallFigures): string {
  return `${one.made} of ${Math.round(one.allowed)}${one.refused > 0 ? `, ${one.refused} refused` : ''}`;
}

function findingWords(finding: Finding): string {
  const where = [finding.traveller, finding.booking].filter(Boolean).join(', ');
  const detail =
    finding.expected === undefined ? '' : ` (expected ${finding.expected}, got ${finding.got ?? 'nothing'})`;
  return `${finding.kind}: ${finding.what}${detail}${where === '' ? '' : ` [${where}]`}`;
}
