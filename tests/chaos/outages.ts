import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Place } from './back-ends.ts';
import type { Violation } from './check.ts';
import { type Load, startLoad } from './load.ts';
import { Run } from './supervisor.ts';

/** Servers that go away and come back, and lines to them that fail, under load: how soon everything flows again. */
export interface OutagePlan {
  readonly name: string;
  readonly seed: number;
  readonly place: () => Place;
  /** The workers go another way than the supervisor (through a proxy), all or only the first. */
  readonly workersPlace?: (worker: number) => Place;
  readonly outages: readonly Outage[];
  /** Flow is there only when every shard has had an effect. */
  readonly untilAllKeys?: boolean;
  readonly progress?: (name: string, figures: OutageFigures) => void;
}

export interface Outage {
  readonly name: string;
  /** Resolves when it is over: then flow is waited for. `start` starts a worker, again and again until its stages run. */
  run(run: Run, start: (worker: number) => Promise<void>): Promise<void>;
}

export interface OutageFigures {
  /** From its beginning to its end. */
  readonly lastedMs: number;
  /** From its end until an append was durable, and until every stage had an effect. */
  readonly ackedMs: number;
  readonly flowMs: number;
  /** The longest time without an effect in some stage, from its beginning on. */
  readonly gapMs: number;
}

export interface OutageResult {
  readonly violations: readonly Violation[];
  readonly outages: readonly ({ readonly name: string } & OutageFigures)[];
  readonly folder: string | undefined;
}

export const WORKERS = 3;
const PER_SECOND = 60;
const FLOW_MS_MAX = 60_000;
/** Longer than a dead one's leases last. */
const STILL_MS = 30_000;
const BEFORE_MS = 1500;
const AFTER_MS = 1000;

export async function outageRun(plan: OutagePlan): Promise<OutageResult> {
  const run = await Run.begin(plan.name, plan.seed, plan.place);
  let keep = true;
  try {
    for (let i = 0; i < WORKERS; i++) await startWorker(run, plan, i);
    const load = startLoad(run, PER_SECOND);
    const outages: ({ readonly name: string } & OutageFigures)[] = [];
    for (const outage of plan.outages) {
      await delay(BEFORE_MS);
      const figures = await meet(run, load, outage, plan.untilAllKeys === true ? 'resource' : 'stage', (i) =>
        startWorker(run, plan, i),
      );
      outages.push({ name: outage.name, ...figures });
      plan.progress?.(outage.name, figures);
    }
    await load.stop();
    await run.settled(STILL_MS);
    await run.stopAll();
    const { violations } = await run.check({ atRest: true });
    keep = violations.length > 0;
    return { violations, outages, folder: keep ? run.folder : undefined };
  } finally {
    await run.close(keep);
  }
}

/** As something that keeps a service running does: starts it again where it cannot begin. */
async function startWorker(run: Run, plan: OutagePlan, i: number): Promise<void> {
  const place = plan.workersPlace?.(i);
  const orders = {
    worker: { id: `w${i}`, label: `w${i}`, alone: false },
    work: { workMs: 2, failing: 0 },
    ...(place === undefined ? {} : { place }),
  };
  for (let tries = 0; tries < 50; tries++) {
    if ((await run.start(orders, { mayEnd: true })).alive) return;
    await delay(200);
  }
  run.faults.push(`worker ${i} never began`);
}

async function meet(
  run: Run,
  load: Load,
  outage: Outage,
  part: 'stage' | 'resource',
  start: (worker: number) => Promise<void>,
): Promise<OutageFigures> {
  const parts = await partsOf(run, part);
  const from = Date.now();
  run.note({ what: 'outage', name: outage.name });
  await outage.run(run, start);
  const over = Date.now();
  run.note({ what: 'over', name: outage.name });
  const giveUpAt = over + FLOW_MS_MAX;
  let flowAt: number | undefined;
  while (flowAt === undefined || load.ackedAt < over) {
    if (Date.now() > giveUpAt) {
      run.faults.push(`no flow ${FLOW_MS_MAX} ms after ${outage.name}`);
      break;
    }
    await delay(20);
    flowAt ??= await firstInAll(run, over, parts, part).catch(() => undefined);
  }
  const ackedAt = load.ackedAt;
  await delay(AFTER_MS);
  return {
    lastedMs: over - from,
    ackedMs: Math.max(0, ackedAt - over),
    flowMs: Math.max(0, (flowAt ?? giveUpAt) - over),
    gapMs: await longestGap(run, from),
  };
}

/** How many stages, or shards of stages, have had an effect since the beginning. */
async function partsOf(run: Run, part: 'stage' | 'resource'): Promise<number> {
  const { rows } = await run.store.read(({ db }) =>
    sql<{ n: number }>`SELECT count(DISTINCT ${sql.ref(part)}) AS n FROM chaos_effect`.execute(db),
  );
  return Number(rows[0]!.n);
}

/** When each of them had had one after that time. */
async function firstInAll(
  run: Run,
  after: number,
  parts: number,
  part: 'stage' | 'resource',
): Promise<number | undefined> {
  const { rows } = await run.store.read(({ db }) =>
    sql<{ at: number }>`SELECT min(at) AS at FROM chaos_effect WHERE at > ${after} GROUP BY ${sql.ref(part)}`.execute(
      db,
    ),
  );
  return rows.length < parts ? undefined : Math.max(...rows.map((row) => Number(row.at)));
}

async function longestGap(run: Run, from: number): Promise<number> {
  const { rows } = await run.store.read(({ db }) =>
    sql<{ stage: string; at: number }>`SELECT stage, at FROM chaos_effect WHERE at >= ${from} ORDER BY at`.execute(db),
  );
  const last = new Map<string, number>();
  let gap = 0;
  for (const { stage, at } of rows) {
    gap = Math.max(gap, Number(at) - (last.get(stage) ?? from));
    last.set(stage, Number(at));
  }
  return gap;
}
