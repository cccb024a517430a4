/**
 * The process that tests/integration/kill-runtime.test.ts kills: three stages on a SQLite file, each counting its
 * effects, while events are appended. Arguments: file, seed, first number, and `finish` to append nothing and end when
 * all is done, or `unmarked` to leave out the processed marks. Prints `ready`, then `acked N` once event N is durable.
 */
import { sql } from 'kysely';
import { SqlBroker } from '../../src/adapters/broker/sql/broker.ts';
import { createClock } from '../../src/adapters/clock/system.ts';
import type { SqlTx } from '../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { AnyNewEvent } from '../../src/contracts/event.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import { ack, type Handler, type StageSpec } from '../../src/ports/handler.ts';
import type { Store, Tx } from '../../src/ports/store.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { seededRandom, silent } from '../contract/broker/rig.ts';

const [file = '', seed = '1', first = '0', mode = ''] = process.argv.slice(2);
const clock = createClock();
const random = seededRandom(Number(seed));
const store = openSqliteStore({ file, clock, logger: silent });
await store.transact(async ({ db }) => {
  await sql`CREATE TABLE IF NOT EXISTS effect (stage TEXT, event TEXT, n INTEGER, PRIMARY KEY (stage, event))`.execute(
    db,
  );
});
const broker = new SqlBroker({ store, clock, logger: silent });

const common = { tenant: DEFAULT_TENANT };
const mail = (n: string) => ({
  mailId: `mail_${n}` as const,
  mailboxId: 'mbx_1' as const,
  head: { fromAddress: 'a@example.org', subject: n },
  size: 1,
  receivedAt: '2026-11-22T10:00:00Z',
  via: 'smtp' as const,
  raw: `sha256:${n}` as const,
});
const next: Record<string, (n: string, key: string) => readonly AnyNewEvent[]> = {
  one: (n, key) => [{ ...common, topic: 'mail.collected', key, subject: n, data: { ...mail(n), reason: 'all' } }],
  two: (n, key) => [
    {
      ...common,
      topic: 'notification.sent',
      key,
      subject: n,
      data: { endpointId: 'whe_1', eventId: n, state: 'sent', attempts: 1 },
    },
  ],
  three: () => [],
};

async function countEffect(tx: Tx, stage: string, event: string): Promise<void> {
  const { db } = tx as SqlTx;
  await sql`INSERT INTO effect VALUES (${stage}, ${event}, 1) ON CONFLICT DO UPDATE SET n = n + 1`.execute(db);
}

/** Every 41st is poison in stage two; one attempt in eight fails, so that keys are parked all the time. */
function handlerOf(stage: string): Handler {
  return async (event, context) => {
    const n = event.subject ?? '';
    if (stage === 'two' && Number(n) % 41 === 40) throw new TripwatchError('poison', 'forty-one', 'every 41st');
    if (context.attempt < 4 && random.number() < 0.12) throw new TripwatchError('transient', 'dice', 'bad luck');
    return ack(async (tx) => {
      await countEffect(tx, stage, event.id);
      return next[stage]!(n, event.partitionkey);
    });
  };
}

const spec = (name: string, reads: StageSpec['reads'], extra: Partial<StageSpec> = {}): StageSpec => ({
  name,
  reads,
  key: 'traveller',
  writes: [],
  does: 'counts',
  concurrency: 8,
  deadlineMs: 10_000,
  retry: { attemptsMax: 1000, firstDelayMs: 20, factor: 2, delayMsMax: 200, ageMsMax: 1e9 },
  ...extra,
});
const stages = [
  spec('one', 'mail.seen'),
  spec('two', 'mail.collected', { countsFirst: true }),
  spec('three', 'notification.sent'),
];
const hook = async (tx: Tx, event: { readonly id: string }) => countEffect(tx, 'hook', event.id);
/** Without the marks that make effects happen once: the checks must find that out. */
const unmarked: Store = {
  ...store,
  effect: async (_mark, work, options) => ({ repeat: false, value: await store.transact(work, options) }),
};
const runtime = createRuntime({
  store: mode === 'unmarked' ? unmarked : store,
  broker,
  clock,
  random,
  logger: silent,
  stages,
  handlers: Object.fromEntries(stages.map(({ name }) => [name, handlerOf(name)])),
  onDeadLetter: { two: hook },
});
await runtime.start();
console.log('ready');

if (mode === 'finish') {
  await runtime.idle({ signal: AbortSignal.timeout(60_000) });
  await runtime.drain(1000);
  await store.close();
} else {
  for (let n = Number(first); ; n += 5) {
    const batch = Array.from({ length: 5 }, (_, i) => append(n + i));
    await Promise.all(batch);
    await clock.sleep(random.number() * 4, new AbortController().signal);
  }
}

async function append(n: number): Promise<void> {
  const text = String(n);
  const event: AnyNewEvent = { ...common, topic: 'mail.seen', key: `k${n % 13}`, subject: text, data: mail(text) };
  await store.transact((tx) => tx.append([event], { source: 'test', seed: text }));
  console.log(`acked ${n}`);
}
