import { sql } from 'kysely';
import type { SqlStore, SqlTx } from '../../src/adapters/store/sql/sql-store.ts';
import type { AnyNewEvent } from '../../src/contracts/event.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import type { Random } from '../../src/ports/clock.ts';
import { ack, type Handler, type StageSpec } from '../../src/ports/handler.ts';
import type { Lease } from '../../src/ports/store/leases.ts';
import type { Tx } from '../../src/ports/store.ts';
import type { DeadLetterHook } from '../../src/runtime/attempt.ts';

/**
 * What the processes of a chaos run work on: numbers, each on its way through three stages. Every effect leaves a row that
 * says who did it under which lease, in tables of their own; nothing stops a second one from being written, so that the
 * checks (check.ts) can find it.
 */

/** Keys of the events: more than there are shards, few enough that events of one key meet. */
export const KEYS = 48;
/** Every so manieth number is poison to stage two. */
const POISON_EVERY = 17;

export const isPoison = (n: number): boolean => n % POISON_EVERY === POISON_EVERY - 1;
export const keyOf = (n: number): string => `key${n % KEYS}`;

export interface WorkOptions {
  /** A handler takes up to so long. */
  readonly workMs: number;
  /** Of a hundred first attempts, so many fail. */
  readonly failing: number;
}

/** Makes the tables. Before any process is at work. */
export async function makeTables(store: SqlStore): Promise<void> {
  const serial = (await isPostgres(store)) ? 'BIGSERIAL PRIMARY KEY' : 'INTEGER PRIMARY KEY AUTOINCREMENT';
  await store.transact(async ({ db }) => {
    const statements = [
      `CREATE TABLE chaos_effect (seq ${serial}, stage TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL,
        n BIGINT NOT NULL, resource TEXT, token BIGINT, owner TEXT, at BIGINT NOT NULL)`,
      `CREATE TABLE chaos_state (stage TEXT NOT NULL, key TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (stage, key))`,
      `CREATE TABLE chaos_dead (seq ${serial}, event TEXT NOT NULL)`,
    ];
    for (const statement of statements) await sql.raw(statement).execute(db);
  });
}

async function isPostgres(store: SqlStore): Promise<boolean> {
  return store.read(({ db }) =>
    sql`SELECT sqlite_version()`.execute(db).then(
      () => false,
      () => true,
    ),
  );
}

/** The event that brings a number in. The same number is the same event, whoever appends it and how often. */
export function seen(n: number): AnyNewEvent {
  return { ...common, topic: 'mail.seen', key: keyOf(n), subject: String(n), data: mail(String(n)) };
}

export async function appendSeen(store: SqlStore, numbers: readonly number[]): Promise<void> {
  await Promise.all(
    numbers.map((n) => store.transact((tx) => tx.append([seen(n)], { source: 'chaos', seed: String(n) }))),
  );
}

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
const next: Readonly<Record<string, (n: string, key: string) => readonly AnyNewEvent[]>> = {
  one: (n, key) => [{ ...common, topic: 'mail.collected', key, subject: n, data: { ...mail(n), reason: 'all' } }],
  two: (n, key) => [
    {
      ...common,
      ...{ topic: 'notification.sent', key, subject: n },
      data: { endpointId: 'whe_1', eventId: n, state: 'sent', attempts: 1 },
    },
  ],
  three: () => [],
};

const spec = (name: string, reads: StageSpec['reads'], extra: Partial<StageSpec> = {}): StageSpec => ({
  name,
  reads,
  key: 'traveller',
  writes: [],
  does: 'counts',
  concurrency: 16,
  deadlineMs: 30_000,
  retry: { attemptsMax: 100_000, firstDelayMs: 20, factor: 2, delayMsMax: 200, ageMsMax: 1e9 },
  ...extra,
});

export const STAGES: readonly StageSpec[] = [
  spec('one', 'mail.seen'),
  spec('two', 'mail.collected', { countsFirst: true }),
  spec('three', 'notification.sent'),
];

/** A transaction that knows under which lease it is made. */
export interface FencedTx extends Tx {
  readonly fence?: Lease | undefined;
}

/** The handlers, by stage. `store` is read before the transaction, as slow work of a real stage would. */
export function handlersOf(
  store: SqlStore,
  random: Random,
  options: WorkOptions,
  inHandler: () => void,
): Readonly<Record<string, Handler>> {
  const handler =
    (stage: string): Handler =>
    async (event, context) => {
      const n = event.subject ?? '';
      if (stage === 'two' && isPoison(Number(n))) throw new TripwatchError('poison', 'seventeen', 'every 17th');
      // Whoever holds the shard is the only one to count for this key, so what is read now holds until the commit.
      const before = await countOf(store, stage, event.partitionkey);
      if (options.workMs > 0) await context.clock.sleep(random.number() * options.workMs, context.signal);
      inHandler();
      if (context.attempt === 1 && random.number() * 100 < options.failing)
        throw new TripwatchError('transient', 'dice', 'bad luck');
      return ack(async (tx) => {
        const { db, fence } = tx as SqlTx & FencedTx;
        const { id, partitionkey: key } = event;
        await sql`INSERT INTO chaos_effect (stage, event, key, n, resource, token, owner, at) VALUES (${stage}, ${id},
          ${key}, ${Number(n)}, ${fence?.resource ?? null}, ${fence?.token ?? null}, ${fence?.owner ?? null},
          ${context.clock.now()})`.execute(db);
        // Last word wins, on purpose: one who writes late undoes what others have counted.
        await sql`INSERT INTO chaos_state (stage, key, n) VALUES (${stage}, ${key}, ${before + 1})
          ON CONFLICT (stage, key) DO UPDATE SET n = ${before + 1}`.execute(db);
        return next[stage]!(n, key);
      });
    };
  return Object.fromEntries(STAGES.map(({ name }) => [name, handler(name)]));
}

async function countOf(store: SqlStore, stage: string, key: string): Promise<number> {
  return store.read(async ({ db }) => {
    const { rows } = await sql<{ n: number }>`
      SELECT n FROM chaos_state WHERE stage = ${stage} AND key = ${key}`.execute(db);
    return Number(rows[0]?.n ?? 0);
  });
}

export const onDeadLetter: Readonly<Record<string, DeadLetterHook>> = {
  two: async (tx, event) => {
    await sql`INSERT INTO chaos_dead (event) VALUES (${event.id})`.execute((tx as SqlTx).db);
  },
};
