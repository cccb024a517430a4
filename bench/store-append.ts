/**
 * How many durable transactions a second does the store make, each appending one event of 1 KiB, with 1, 8 and 64
 * callers? And how many with six statements each? Run: `node bench/store-append.ts [works]`.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createClock } from '../src/adapters/clock/system.ts';
import type { SqlTx } from '../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../src/adapters/store/sqlite/store.ts';
import type { AnyNewEvent } from '../src/contracts/event.ts';
import type { Logger } from '../src/ports/logger.ts';

export interface StoreAppendResult {
  readonly work: 'one append' | 'six statements';
  readonly callers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const TENANT = 'tnt_bench';
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** About 1 KiB as stored. */
function eventOf(n: number): AnyNewEvent {
  return {
    topic: 'notification.sent',
    tenant: TENANT,
    key: `trv_${n % 100}`,
    subject: `thing-${n}`,
    data: { endpointId: 'whe_1', eventId: 'evt_1', state: 'dead', attempts: 1, reason: 'x'.repeat(560) },
  };
}

async function append(tx: SqlTx, n: number): Promise<void> {
  await tx.append([eventOf(n)], { source: 'bench', seed: String(n) });
}

/** What a stage does at least: mark, a few look-ups, state, event. */
async function six(tx: SqlTx, n: number): Promise<void> {
  await tx.log.claim('bench', `evt_in${n}`, n);
  await tx.accounts.getTraveller(TENANT, `trv_${n % 100}`);
  await tx.itineraries.put({
    tenant: TENANT,
    traveller: `trv_${n % 100}`,
    reservation: `rsv_${n % 1000}`,
    version: n,
    startsAt: n,
    endsAt: n,
    cancelled: false,
    removed: false,
    updatedAt: n,
  });
  await tx.log.get(`evt_in${n}`);
  await tx.subjects.get('sub_1');
  await append(tx, n);
}

/** Runs every mode in a fresh file. `digest` proves that the same works give the same log. */
export async function storeAppend(works: number): Promise<{ results: readonly StoreAppendResult[]; digest: string }> {
  const results: StoreAppendResult[] = [];
  const digest = createHash('sha256');
  for (const [work, run] of [['one append', append] as const, ['six statements', six] as const]) {
    for (const callers of [1, 8, 64]) {
      const folder = await mkdtemp(join(tmpdir(), 'tripwatch-bench-'));
      const store = openSqliteStore({ file: join(folder, 'bench.db'), clock: createClock(), logger: quiet });
      const tookMs: number[] = [];
      let next = 0;
      const startedAt = performance.now();
      const caller = async () => {
        while (next < works) {
          const n = next++;
          const at = performance.now();
          await store.transact((tx) => run(tx, n));
          tookMs.push(performance.now() - at);
        }
      };
      await Promise.all(Array.from({ length: callers }, caller));
      const perSecond = Math.round((works / (performance.now() - startedAt)) * 1000);
      const rows = await store.read((tx) => tx.db.selectFrom('log').select(['seq', 'id']).orderBy('id').execute());
      digest.update(`${rows.length} ${rows.map((row) => row.id).join()}`);
      await store.close();
      await rm(folder, { recursive: true });
      tookMs.sort((a, b) => a - b);
      const at = (share: number) => Math.round((tookMs[Math.floor(tookMs.length * share)] ?? 0) * 100) / 100;
      results.push({ work, callers, perSecond, p50Ms: at(0.5), p99Ms: at(0.99) });
    }
  }
  return { results, digest: digest.digest('hex').slice(0, 16) };
}

if (import.meta.main) {
  const { results, digest } = await storeAppend(Number(process.argv[2] ?? 5000));
  for (const { work, callers, perSecond, p50Ms, p99Ms } of results) {
    console.log(
      `${work.padEnd(14)}  ${String(callers).padStart(2)} callers  ${String(perSecond).padStart(6)}/s  p50 ${p50Ms} ms  p99 ${p99Ms} ms`,
    );
  }
  console.log(`result ${digest}`);
}
