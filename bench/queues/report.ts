import type { Contestant } from './contestant.ts';
import { type Enqueue, hundredths, type Latency, type Rate } from './measure.ts';
import type { Run } from './one.ts';

/** The medians of one contestant's runs. Where several settings were tried, the one with the best median stands. */
export interface Row {
  readonly key: string;
  readonly name: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly enqueue: Enqueue | undefined;
  readonly steady: Best | undefined;
  readonly drain: Best | undefined;
  readonly latency: readonly Latency[];
  /** The most that others took of the machine in one of its measurements. */
  readonly othersPercent: number | undefined;
  /** Over all its measurements. */
  readonly handled: { readonly jobs: number; readonly missing: number; readonly repeated: number };
}

export interface Best {
  readonly setting: string;
  readonly perSecond: number;
  readonly clientCpuUs: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function rowOf(key: string, contestant: Contestant, runs: readonly Run[]): Row {
  const measured = runs.map((run) => run.measured);
  const rates = measured.flatMap(({ steady, drain }) => [...steady, ...drain]);
  const enqueue = measured.flatMap((one) => one.enqueue ?? []);
  const sum = (field: 'jobs' | 'missing' | 'repeated') => rates.reduce((total, { proof }) => total + proof[field], 0);
  if (rates.some(({ proof }) => proof.missing + proof.repeated === 0 && !proof.sumRight))
    throw new Error(`${contestant.name}: the sum of the jobs handled is wrong`);
  return {
    key,
    name: contestant.name,
    facts: runs[0]?.facts ?? {},
    enqueue:
      enqueue.length === 0
        ? undefined
        : {
            one: median(enqueue.map(({ one }) => one)),
            many: median(enqueue.map(({ many }) => many)),
            bulk: median(enqueue.map(({ bulk }) => bulk)),
          },
    steady: bestOf(measured.map(({ steady }) => steady)),
    drain: bestOf(measured.map(({ drain }) => drain)),
    latency: latencyOf(measured.map(({ latency }) => latency)),
    othersPercent: worst([...rates, ...measured.flatMap(({ latency }) => latency)]),
    handled: { jobs: sum('jobs'), missing: sum('missing'), repeated: sum('repeated') },
  };
}

function worst(all: readonly { readonly othersPercent: number | undefined }[]): number | undefined {
  const known = all.flatMap(({ othersPercent }) => othersPercent ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function bestOf(runs: readonly (readonly Rate[])[]): Best | undefined {
  let best: Best | undefined;
  for (const { setting } of runs[0] ?? []) {
    const same = runs.flatMap((rates) => rates.filter((rate) => rate.setting === setting));
    const perSecond = median(same.map((rate) => rate.perSecond));
    const clientCpuUs = median(same.map((rate) => rate.clientCpuUs));
    if (best === undefined || perSecond > best.perSecond) best = { setting, perSecond, clientCpuUs };
  }
  return best;
}

function latencyOf(runs: readonly (readonly Latency[])[]): readonly Latency[] {
  return (runs[0] ?? []).map(({ perSecond }, index) => {
    const same = runs.flatMap((run) => run[index] ?? []);
    const of = (field: 'p50Ms' | 'p99Ms' | 'maxMs') => hundredths(median(same.map((one) => one[field])));
    const othersPercent = worst(same);
    return { othersPercent, perSecond, p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), maxMs: of('maxMs') };
  });
}

export function table(rows: readonly Row[]): string {
  const head =
    '| | enqueue 1 / 64 / bulk of 100 | steady | drain | p50 / p99 at 20/s | p50 / p99 at 200/s | not once | others |';
  const lines = rows.map(({ name, enqueue, steady, drain, latency, handled, othersPercent }) => {
    const cells = [
      name,
      enqueue === undefined ? '' : [enqueue.one, enqueue.many, enqueue.bulk].map(thousands).join(' / '),
      steady === undefined ? '' : `${thousands(steady.perSecond)} (${steady.setting})`,
      drain === undefined ? '' : `${thousands(drain.perSecond)} (${drain.setting})`,
      ...[20, 200].map((perSecond) => {
        const found = latency.find((one) => one.perSecond === perSecond);
        return found === undefined ? '' : `${found.p50Ms} / ${found.p99Ms} ms`;
      }),
      `${handled.missing + handled.repeated} of ${handled.jobs}`,
      othersPercent === undefined ? '' : `≤ ${othersPercent} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [head, '|---|---|---|---|---|---|---|---|', ...lines].join('\n');
}

export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly reached: boolean;
}

const RATIOS: readonly { readonly of: string; readonly to: readonly string[]; readonly least: number }[] = [
  { of: 'embedded', to: ['bullmq'], least: 5 },
  { of: 'embedded-2', to: ['bullmq'], least: 5 },
  { of: 'embedded', to: ['pg-boss', 'graphile'], least: 40 },
  { of: 'postgres', to: ['graphile'], least: 5 },
  { of: 'nats', to: ['bullmq'], least: 1 },
];
const OURS = ['embedded', 'postgres', 'nats'];
const P50_MS = 2;
const P99_MS = 10;

/** What was promised, against this run; only what was measured in it. */
export function verdicts(rows: readonly Row[]): readonly Verdict[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const out: Verdict[] = [];
  for (const { of, to, least } of RATIOS)
    for (const other of to) {
      const [ours, theirs] = [byKey.get(of), byKey.get(other)];
      if (ours?.steady === undefined || theirs?.steady === undefined) continue;
      const ratio = ours.steady.perSecond / theirs.steady.perSecond;
      out.push({
        what: `steady: ${ours.name} against ${theirs.name}`,
        target: `≥ ${least} ×`,
        measured: `${ratio.toFixed(1)} ×`,
        reached: ratio >= least,
      });
    }
  for (const key of OURS)
    for (const { perSecond, p50Ms, p99Ms } of byKey.get(key)?.latency ?? [])
      out.push({
        what: `publish → handler at ${perSecond}/s: ${byKey.get(key)?.name}`,
        target: `p50 ≤ ${P50_MS} ms, p99 ≤ ${P99_MS} ms`,
        measured: `${p50Ms} / ${p99Ms} ms`,
        reached: p50Ms <= P50_MS && p99Ms <= P99_MS,
      });
  return out;
}

function thousands(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1000)} k`;
  return value >= 1000 ? `${(value / 1000).toFixed(1)} k` : `${Math.round(value)}`;
}
