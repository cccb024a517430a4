/**
 * How fast do events go through stages, and how soon does one begin? On the embedded broker: one SQLite file,
 * synchronous=FULL, events of about 1 KiB, 64 keys, handlers that do nothing but pass on.
 * `node bench/runtime.ts [EVENTS]` prints JSON. Fixed input; `hash` covers what came out.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SqlBroker } from '../src/adapters/broker/sql/broker.ts';
import { createClock } from '../src/adapters/clock/system.ts';
import type { SqlStore } from '../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../src/adapters/store/sqlite/store.ts';
import type { AnyNewEvent } from '../src/contracts/event.ts';
import { ack, type Handler, type StageSpec } from '../src/ports/handler.ts';
import type { Logger } from '../src/ports/logger.ts';
import { createRuntime, type Runtime } from '../src/runtime/runtime.ts';

const KEYS = 64;
const PADDING = 'x'.repeat(560);
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export interface RuntimeFigures {
  readonly events: number;
  /** Append in batches of 100 and work through one stage, together. */
  readonly oneStagePerSecond: number;
  /** The backlog is there; only the stage works. */
  readonly oneStageDrainPerSecond: number;
  /** Events through all three, per second. */
  readonly threeStagesPerSecond: number;
  /** From the call of append to the handler, and from its durable end to the handler, at 50 events/s. */
  readonly wakeMs: { readonly p50: number; readonly p99: number };
  readonly wakeAfterAppendMs: { readonly p50: number; readonly p99: number };
  /** Share of one core with three stages waiting. */
  readonly idleCpuPercent: number;
  readonly hash: string;
}

interface Bench {
  readonly store: SqlStore;
  readonly runtime: Runtime;
  readonly hash: () => string;
  onHandled: (subject: string) => void;
}

const mailData = (n: number) => ({
  mailId: `mail_${n}` as const,
  mailboxId: 'mbx_1' as const,
  head: { fromAddress: 'a@example.org', subject: PADDING },
  size: 1,
  receivedAt: '2026-11-22T10:00:00Z',
  via: 'smtp' as const,
  raw: 'sha256:0' as const,
});

function eventOf(n: number): AnyNewEvent {
  return { topic: 'mail.seen', tenant: 'tnt_default', key: `key${n % KEYS}`, subject: `${n}`, data: mailData(n) };
}

const stage = (name: string, reads: StageSpec['reads']): StageSpec => ({
  name,
  reads,
  key: 'traveller',
  writes: [],
  does: 'passes on',
  concurrency: 64,
  deadlineMs: 30_000,
  retry: { attemptsMax: 3, firstDelayMs: 100, factor: 2, delayMsMax: 1000, ageMsMax: 10_000 },
});

async function withBench<T>(stages: number, work: (bench: Bench) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-bench-'));
  const clock = createClock();
  const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silent });
  const broker = new SqlBroker({ store, clock, logger: silent });
  const ids: string[] = [];
  const handled = (id: string, subject: string) => {
    ids.push(id);
    bench.onHandled(subject);
  };
  const pass: Record<string, (n: number, key: string) => AnyNewEvent> = {
    one: (n, key) => ({
      topic: 'mail.collected',
      tenant: 'tnt_default',
      key,
      subject: `${n}`,
      data: { ...mailData(n), reason: 'all' },
    }),
    two: (n, key) => ({
      topic: 'notification.sent',
      tenant: 'tnt_default',
      key,
      subject: `${n}`,
      data: { endpointId: 'whe_1', eventId: `${n}`, state: 'sent', attempts: 1, reason: PADDING },
    }),
  };
  const handlerOf =
    (name: string, last: boolean): Handler =>
    async (event) => {
      const subject = event.subject ?? '';
      if (name === 'one') handled(event.id, subject);
      return last ? ack() : ack(async () => [pass[name]!(Number(subject), event.partitionkey)]);
    };
  const table = [stage('one', 'mail.seen'), stage('two', 'mail.collected'), stage('three', 'notification.sent')];
  const used = table.slice(0, stages);
  const runtime = createRuntime({
    store,
    broker,
    clock,
    random: { number: () => 0.5, bytes: (length) => new Uint8Array(length) },
    logger: silent,
    stages: used,
    handlers: Object.fromEntries(used.map(({ name }, i) => [name, handlerOf(name, i === stages - 1)])),
  });
  const hash = () => createHash('sha256').update(ids.toSorted().join()).digest('hex').slice(0, 16);
  const bench: Bench = { store, runtime, hash, onHandled: () => {} };
  try {
    return await work(bench);
  } finally {
    await runtime.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function append(store: SqlStore, count: number): Promise<void> {
  for (let at = 0; at < count; at += 100) {
    const works: Promise<unknown>[] = [];
    for (let n = at; n < Math.min(count, at + 100); n++)
      works.push(store.transact((tx) => tx.append([eventOf(n)], { source: 'bench', seed: `${n}` })));
    await Promise.all(works);
  }
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return Math.round((count / (performance.now() - startedAt)) * 1000);
}

function quantiles(values: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 100) / 100;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Appends one event at a time, 20 ms apart. */
async function wakeUps(count: number): Promise<Pick<RuntimeFigures, 'wakeMs' | 'wakeAfterAppendMs'>> {
  return withBench(1, async (bench) => {
    await bench.runtime.start();
    const handledAt = new Map<string, number>();
    bench.onHandled = (subject) => void handledAt.set(subject, performance.now());
    const fromCall: number[] = [];
    const fromDurable: number[] = [];
    for (let n = 0; n < count; n++) {
      const calledAt = performance.now();
      await bench.store.transact((tx) => tx.append([eventOf(n)], { source: 'bench', seed: `${n}` }));
      const durableAt = performance.now();
      await delay(20);
      const at = handledAt.get(`${n}`) ?? Number.POSITIVE_INFINITY;
      fromCall.push(at - calledAt);
      fromDurable.push(Math.max(0, at - durableAt));
    }
    return { wakeMs: quantiles(fromCall), wakeAfterAppendMs: quantiles(fromDurable) };
  });
}

async function idleCpu(ms: number): Promise<number> {
  return withBench(3, async ({ runtime }) => {
    await runtime.start();
    await delay(200);
    const before = process.cpuUsage();
    await delay(ms);
    const { user, system } = process.cpuUsage(before);
    return Math.round(((user + system) / 1000 / ms) * 10_000) / 100;
  });
}

export async function benchRuntime(events: number): Promise<RuntimeFigures> {
  let hash = '';
  const oneStagePerSecond = await withBench(1, async ({ store, runtime, hash: result }) => {
    await runtime.start();
    const rate = await perSecond(events, async () => {
      await append(store, events);
      await runtime.idle();
    });
    hash = result();
    return rate;
  });
  const drainOf = (stages: number) =>
    withBench(stages, async ({ store, runtime }) => {
      await append(store, events);
      return perSecond(events, async () => {
        await runtime.start();
        await runtime.idle();
      });
    });
  return {
    events,
    oneStagePerSecond,
    oneStageDrainPerSecond: await drainOf(1),
    threeStagesPerSecond: await drainOf(3),
    ...(await wakeUps(Math.min(300, Math.ceil(events / 50)))),
    idleCpuPercent: await idleCpu(Math.min(4000, events)),
    hash,
  };
}

if (import.meta.main) console.log(JSON.stringify(await benchRuntime(Number(process.argv[2] ?? 20_000)), undefined, 2));
