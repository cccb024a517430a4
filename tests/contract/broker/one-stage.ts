/** A runtime with one stage on a fresh store and broker, on time that stands until it is moved. */
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import type { SqlStore, SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../../../src/contracts/event.ts';
import { type ErrorKind, TripwatchError } from '../../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../../src/domain/ids.ts';
import type { Broker } from '../../../src/ports/broker.ts';
import { ack, type Handler, type StageSpec } from '../../../src/ports/handler.ts';
import type { LogFields, Logger } from '../../../src/ports/logger.ts';
import type { DeadLetter } from '../../../src/ports/store/dead-letters.ts';
import type { Store, Tx } from '../../../src/ports/store.ts';
import type { DeadLetterHook } from '../../../src/runtime/attempt.ts';
import type { RuntimeEvent } from '../../../src/runtime/events.ts';
import type { Paused } from '../../../src/runtime/pauses.ts';
import { createRuntime, type Runtime } from '../../../src/runtime/runtime.ts';
import { type Rig, seededRandom, sqliteRig } from './rig.ts';

export const stage: StageSpec = {
  name: 'count',
  reads: 'notification.sent',
  key: 'traveller',
  writes: [],
  does: 'counts',
  concurrency: 4,
  deadlineMs: 10_000,
  retry: { attemptsMax: 3, firstDelayMs: 100, factor: 2, delayMsMax: 1000, ageMsMax: 100_000 },
};

export const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface World {
  readonly rig: Rig & { readonly store: SqlStore };
  readonly runtime: Runtime;
  readonly events: RuntimeEvent[];
  readonly logs: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  effects(): Promise<Record<string, number>>;
  letters(): Promise<readonly DeadLetter[]>;
}

/** An effect that shows how often it happened: not a set, a count. */
export async function countEffect(tx: Tx, event: AnyEvent): Promise<void> {
  const { db } = tx as SqlTx;
  await db
    .insertInto('consumer_cursor')
    .values({ consumer: `effect:${event.subject}`, shard: 0, topic: event.subject ?? '', seq: 1 })
    .onConflict((conflict) =>
      conflict.columns(['consumer', 'shard']).doUpdateSet((eb) => ({ seq: eb('consumer_cursor.seq', '+', 1) })),
    )
    .execute();
}
export const counting: Handler = async (event) =>
  ack(async (tx) => {
    await countEffect(tx, event as AnyEvent);
    return [];
  });

export async function world(
  handler: Handler,
  options: {
    readonly stage?: Partial<StageSpec>;
    readonly hook?: DeadLetterHook;
    readonly store?: (store: SqlStore) => Store;
    readonly broker?: (broker: Broker) => Broker;
    readonly rig?: Rig;
    readonly paused?: Paused;
  } = {},
): Promise<World> {
  const rig = (options.rig ?? (await sqliteRig())) as Rig & { store: SqlStore };
  if (options.rig === undefined) cleanups.push(() => rig.dispose());
  const logs: World['logs'] = [];
  const write = (level: string) => (fields: LogFields, message: string) => void logs.push({ level, fields, message });
  const logger: Logger = {
    debug: () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  const runtime = createRuntime({
    store: options.store?.(rig.store) ?? rig.store,
    broker: options.broker?.(rig.broker) ?? rig.broker,
    clock: rig.clock,
    random: seededRandom(7),
    logger,
    stages: [{ ...stage, ...options.stage }],
    handlers: { count: handler },
    ...(options.paused === undefined ? {} : { paused: options.paused }),
    ...(options.hook === undefined ? {} : { onDeadLetter: { count: options.hook } }),
  });
  const events: RuntimeEvent[] = [];
  runtime.on((event) => events.push(event));
  await runtime.start();
  cleanups.push(async () => {
    const stopped = runtime.stop();
    await rig.clock.advance(1000);
    await stopped;
  });
  return {
    rig,
    runtime,
    events,
    logs,
    effects: async () => {
      const rows = await rig.store.read(({ db }) =>
        db.selectFrom('consumer_cursor').selectAll().where('consumer', 'like', 'effect:%').execute(),
      );
      return Object.fromEntries(rows.map((row) => [row.topic, row.seq]));
    },
    letters: async () =>
      (await rig.store.read((tx) => tx.deadLetters.list(DEFAULT_TENANT, {}, { limit: 100 }))).letters,
  };
}

/** Moves time until nothing waits; fails when that takes too long. */
export async function untilIdle({ rig, runtime }: World, ms = 600_000): Promise<void> {
  let idle = false;
  const waiting = runtime.idle().then(() => {
    idle = true;
  });
  for (let spent = 0; !idle; spent += 100) {
    assert.ok(spent < ms, 'it never became idle');
    await rig.clock.advance(100);
  }
  await waiting;
}

export const failing = (
  kind: ErrorKind,
  times: number,
  retryAt?: () => number,
): { handler: Handler; calls: () => number } => {
  let calls = 0;
  return {
    calls: () => calls,
    handler: async (event, context) => {
      if (++calls <= times)
        throw new TripwatchError(kind, 'test-failure', 'it failed', retryAt ? { retryAt: retryAt() } : {});
      return counting(event as never, context);
    },
  };
};
