import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant, Host, Queue, Setting } from './contestant.ts';
import { Ledger, type Proof } from './ledger.ts';
import { untilQuiet, withOthers } from './machine.ts';

/** How long and how much. */
export interface Extent {
  readonly enqueueMs: number;
  readonly steadyMs: number;
  readonly backlog: number;
  /** Jobs measured at 20 and at 200 a second. */
  readonly samples: readonly [number, number];
  /** Jobs at full speed before them: a process that has just begun has not compiled its code yet. */
  readonly warmUp: number;
  readonly calm?: Calm;
}

/** What to do about others on the machine. */
export interface Calm {
  /** So much of all cores may others take while something is measured. */
  readonly percent: number;
  readonly waitMs: number;
  readonly tries: number;
}

export const FULL: Extent = { enqueueMs: 2000, steadyMs: 4000, backlog: 50_000, samples: [200, 1000], warmUp: 2000 };
export const SMALL: Extent = { enqueueMs: 100, steadyMs: 200, backlog: 500, samples: [5, 20], warmUp: 10 };

export const PRODUCERS = 64;
const BULK = 100;
/** More than any queue could take in one measurement. */
const JOBS_MAX = 4_000_000;
/** Until what a warm-up left behind (cursors, notices) is done. */
const WARM_MS = 1000;
/** A queue that has not finished by then has lost something, or stands still. */
const PATIENCE_MS = 120_000;

export interface Rate {
  readonly setting: string;
  readonly perSecond: number;
  readonly proof: Proof;
  /** CPU of the client process, microseconds a job. */
  readonly clientCpuUs: number;
  /** What else ran on the machine meanwhile. */
  readonly othersPercent: number | undefined;
}

export interface Latency {
  readonly othersPercent: number | undefined;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Jobs a second: one caller, many callers, one caller with many jobs in a call. */
export interface Enqueue {
  readonly one: number;
  readonly many: number;
  readonly bulk: number;
}

export interface Measured {
  readonly enqueue: Enqueue | undefined;
  readonly steady: readonly Rate[];
  readonly drain: readonly Rate[];
  readonly latency: readonly Latency[];
}

export type Part = keyof Measured;

/** All figures of one contestant, one after the other, each on a new queue. */
export async function measure(
  contestant: Contestant,
  host: Host,
  extent: Extent,
  asked: ReadonlySet<Part>,
): Promise<Measured> {
  const { settings, prompt, subscribers } = contestant;
  const parts = contestant.parts === undefined ? asked : asked.intersection(new Set(contestant.parts));
  const on = <T>(setting: Setting, work: (queue: Queue) => Promise<T>) => withQueue(host, setting, work);
  const enqueueOf = (work: (queue: Queue, next: () => number) => Promise<void>, lanes: number, jobs: number) =>
    on(settings[0], (queue) => enqueue(queue, work, lanes, jobs, extent.enqueueMs));
  const single = (queue: Queue, next: () => number) => queue.publish(next());
  const calmly = (work: () => Promise<number>) => beside(async () => ({ rate: await work() }), extent.calm);
  const enqueued = parts.has('enqueue')
    ? {
        one: (await calmly(() => enqueueOf(single, 1, 1))).rate,
        many: (await calmly(() => enqueueOf(single, PRODUCERS, 1))).rate,
        bulk: (await calmly(() => enqueueOf((queue, next) => queue.publishMany(next() * BULK, BULK), 1, BULK))).rate,
      }
    : undefined;
  const result = { enqueue: enqueued, steady: [] as Rate[], drain: [] as Rate[], latency: [] as Latency[] };
  for (const setting of settings) {
    const rated = (work: (queue: Queue) => Promise<Omit<Rate, 'othersPercent'>>) =>
      beside(() => on(setting, work), extent.calm);
    if (parts.has('steady')) result.steady.push(await rated((queue) => steady(queue, setting, subscribers, extent)));
    if (parts.has('drain')) result.drain.push(await rated((queue) => drain(queue, setting, subscribers, extent)));
  }
  if (parts.has('latency')) {
    for (const [index, perSecond] of [20, 200].entries())
      result.latency.push(
        await beside(
          () =>
            on(prompt, (queue) =>
              latency(queue, subscribers, perSecond, { samples: extent.samples[index]!, warmUp: extent.warmUp }),
            ),
          extent.calm,
        ),
      );
  }
  return result;
}

/** Where others use the machine: waits until they leave it, and takes the least disturbed of a few tries. */
async function beside<T extends object>(
  work: () => Promise<T>,
  calm: Calm | undefined,
): Promise<T & { readonly othersPercent: number | undefined }> {
  let best: (T & { readonly othersPercent: number | undefined }) | undefined;
  for (let left = calm?.tries ?? 1; left > 0; left--) {
    if (calm !== undefined) await untilQuiet(calm.percent, calm.waitMs);
    const { value, othersPercent } = await withOthers(work);
    if (best === undefined || (othersPercent ?? 0) < (best.othersPercent ?? 0)) best = { ...value, othersPercent };
    // One that lost jobs counts, however disturbed.
    if ('proof' in value && faultsOf(value.proof as Proof) > 0) return { ...value, othersPercent };
    if ((othersPercent ?? 0) <= (calm?.percent ?? 100)) break;
  }
  return best!;
}

const faultsOf = ({ missing, repeated }: Proof): number => missing + repeated;

async function withQueue<T>(host: Host, setting: Setting, work: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = await host.open(setting);
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/** Jobs a second while `lanes` callers each publish one call after the other. */
async function enqueue(
  queue: Queue,
  work: (queue: Queue, next: () => number) => Promise<void>,
  lanes: number,
  jobs: number,
  ms: number,
): Promise<number> {
  let calls = 0;
  const next = () => calls++;
  const run = async (endAt: number) => {
    const lane = async () => {
      while (performance.now() < endAt) await work(queue, next);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await run(performance.now() + ms / 4);
  const before = calls;
  const startedAt = performance.now();
  await run(startedAt + ms);
  return Math.round((((calls - before) * jobs) / (performance.now() - startedAt)) * 1000);
}

/**
 * Producers and workers at once in this process for a while; then what is left is finished. The rate is of jobs that were
 * published, handled and acknowledged, over all that time.
 */
async function steady(
  queue: Queue,
  setting: Setting,
  subscribers: number,
  extent: Extent,
): Promise<Omit<Rate, 'othersPercent'>> {
  const ledger = new Ledger(subscribers, JOBS_MAX);
  await queue.work(ledger.record);
  let published = 0;
  const produce = async (endAt: number) => {
    const lane = async () => {
      while (performance.now() < endAt) await queue.publish(published++);
    };
    await Promise.all(Array.from({ length: PRODUCERS }, lane));
  };
  await produce(performance.now() + extent.steadyMs / 4);
  await finished(queue, ledger, published * subscribers);
  const before = published;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await produce(startedAt + extent.steadyMs);
  await finished(queue, ledger, published * subscribers);
  return rateOf(setting, published - before, startedAt, cpu, ledger.proof(published));
}

/** A backlog is there; only the workers work. */
async function drain(
  queue: Queue,
  setting: Setting,
  subscribers: number,
  extent: Extent,
): Promise<Omit<Rate, 'othersPercent'>> {
  const ledger = new Ledger(subscribers, extent.backlog);
  for (let first = 0; first < extent.backlog; first += BULK)
    await queue.publishMany(first, Math.min(BULK, extent.backlog - first));
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await queue.work(ledger.record);
  await finished(queue, ledger, extent.backlog * subscribers);
  return rateOf(setting, extent.backlog, startedAt, cpu, ledger.proof(extent.backlog));
}

/** From the call of publish to the handler, jobs at an even pace. */
async function latency(
  queue: Queue,
  subscribers: number,
  perSecond: number,
  { samples, warmUp }: { readonly samples: number; readonly warmUp: number },
): Promise<Omit<Latency, 'othersPercent'>> {
  const total = warmUp + samples;
  const calledAt = new Float64Array(total);
  const tookMs: number[] = [];
  const ledger = new Ledger(subscribers, total);
  await queue.work((n, subscriber) => {
    ledger.record(n, subscriber);
    if (n >= warmUp) tookMs.push(performance.now() - calledAt[n]!);
  });
  for (let n = 0; n < warmUp; n += PRODUCERS)
    await Promise.all(Array.from({ length: Math.min(PRODUCERS, warmUp - n) }, (_, i) => queue.publish(n + i)));
  await delay(WARM_MS);
  const published: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let n = warmUp; n < total; n++) {
    await delay(Math.max(0, startedAt + ((n - warmUp) * 1000) / perSecond - performance.now()));
    calledAt[n] = performance.now();
    published.push(queue.publish(n));
  }
  await Promise.all(published);
  await finished(queue, ledger, total * subscribers);
  const { missing, repeated } = ledger.proof(total);
  if (missing + repeated > 0) throw new Error(`at ${perSecond}/s: ${missing} jobs missing, ${repeated} repeated`);
  tookMs.sort((a, b) => a - b);
  const at = (q: number) => hundredths(tookMs[Math.min(tookMs.length - 1, Math.floor(q * tookMs.length))] ?? 0);
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** All were handled, and the queue's own books say that nothing is open. */
async function finished(queue: Queue, ledger: Ledger, handled: number): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let waitMs = 1; performance.now() < giveUpAt; await delay(waitMs)) {
    if (ledger.handled < handled) continue;
    if ((await queue.unfinished()) === 0) return;
    waitMs = 5;
  }
  console.error(`gave up: ${ledger.handled} of ${handled} handled, ${await queue.unfinished()} unfinished`);
}

function rateOf(
  setting: Setting,
  jobs: number,
  startedAt: number,
  cpu: NodeJS.CpuUsage,
  proof: Proof,
): Omit<Rate, 'othersPercent'> {
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return {
    setting: setting.label,
    perSecond: Math.round((jobs / tookMs) * 1000),
    proof,
    clientCpuUs: hundredths((user + system) / jobs),
  };
}

export function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
