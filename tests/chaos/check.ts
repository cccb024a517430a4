import { sql } from 'kysely';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { isPoison, STAGES } from './workload.ts';

/** A promise that was broken, with a few of the cases. */
export interface Violation {
  readonly what: string;
  readonly count: number;
  readonly some: readonly string[];
}

export interface CheckOptions {
  /** Numbers of which somebody was told that they are in. */
  readonly acked: ReadonlySet<number>;
  /** Every process was stopped in good order: nothing may be left behind. */
  readonly atRest: boolean;
}

export interface Facts {
  readonly stored: number;
  readonly effects: number;
  readonly dead: number;
  /** Changes of a shard's owner or token, over all shards. */
  readonly takeovers: number;
}

interface Effect {
  readonly stage: string;
  readonly event: string;
  readonly key: string;
  readonly resource: string | null;
  readonly token: number | null;
  readonly owner: string | null;
}
interface Logged {
  readonly seq: number;
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly key: string;
  readonly shard: number;
}

/** How many events some stage has neither worked on nor set aside. */
export async function outstanding(store: SqlStore): Promise<number> {
  const topics = STAGES.map(({ reads }) => reads);
  return store.read(async ({ db }) => {
    const { rows } = await sql<{ logged: number; processed: number }>`
      SELECT (SELECT count(*) FROM log WHERE topic IN (${sql.join(topics)})) AS logged,
        (SELECT count(*) FROM processed WHERE consumer IN (${sql.join(STAGES.map(({ name }) => name))})) AS processed
    `.execute(db);
    return Number(rows[0]!.logged) - Number(rows[0]!.processed);
  });
}

/** The history of what was acknowledged and the tables at the end, to what is wrong with them. */
export async function check(
  store: SqlStore,
  options: CheckOptions,
): Promise<{ readonly violations: readonly Violation[]; readonly facts: Facts }> {
  const tables = await readTables(store);
  const violations: Violation[] = [];
  const expectNone = (what: string, cases: readonly unknown[]): void => {
    if (cases.length > 0) violations.push({ what, count: cases.length, some: cases.slice(0, 5).map(String) });
  };
  const { effects, log, dead, hooks, state } = tables;
  const logged = new Map(log.map((row) => [row.id, row]));

  const numbers = new Set(log.filter((row) => row.topic === 'mail.seen').map((row) => Number(row.subject)));
  expectNone(
    'acknowledged and lost',
    [...options.acked].filter((n) => !numbers.has(n)).sort((a, b) => a - b),
  );
  expectNone('an effect without an event', effects.filter((row) => !logged.has(row.event)).map(describe));
  expectNone('two events of one number on a topic', twice(log.map((row) => `${row.topic} ${row.subject}`)));

  for (const { name, reads } of STAGES) {
    const mine = effects.filter((row) => row.stage === name).map((row) => row.event);
    const done = new Set(mine);
    const buried = new Set(dead.filter((row) => row.consumer === name).map((row) => row.event_id));
    const poison = (row: Logged) => name === 'two' && isPoison(Number(row.subject));
    const events = log.filter((row) => row.topic === reads);
    expectNone(`stage ${name}: effects doubled`, twice(mine));
    expectNone(
      `stage ${name}: dead letters doubled`,
      twice([...dead].filter((d) => d.consumer === name).map((d) => d.event_id)),
    );
    expectNone(
      `stage ${name}: neither done nor dead`,
      events.filter((row) => !done.has(row.id) && !buried.has(row.id)).map((row) => row.subject),
    );
    expectNone(
      `stage ${name}: done and dead`,
      events.filter((row) => done.has(row.id) && buried.has(row.id)).map((row) => row.subject),
    );
    expectNone(
      `stage ${name}: dead without cause`,
      [...dead]
        .filter((d) => d.consumer === name && !poison(logged.get(d.event_id)!))
        .map((d) => `${d.event_id} ${d.code}: ${d.message}`),
    );
    expectNone(
      `stage ${name}: not in the order of the key`,
      disordered(
        effects.filter((row) => row.stage === name),
        (row) => row.key,
        (row) => logged.get(row.event)?.seq ?? 0,
      ),
    );
    const counted = Map.groupBy(
      effects.filter((row) => row.stage === name),
      (row) => row.key,
    );
    expectNone(
      `stage ${name}: counts that another has overwritten`,
      state
        .filter((row) => row.stage === name && Number(row.n) !== (counted.get(row.key)?.length ?? 0))
        .map((row) => `${row.key}: ${row.n}, not ${counted.get(row.key)?.length}`),
    );
  }
  const follows = [
    ['one', 'mail.collected'],
    ['two', 'notification.sent'],
  ] as const;
  for (const [stage, topic] of follows) {
    const done = new Set(effects.filter((row) => row.stage === stage).map((row) => logged.get(row.event)?.subject));
    const told = new Set(log.filter((row) => row.topic === topic).map((row) => row.subject));
    expectNone(`${topic}: an effect that was not told`, [...done.difference(told)]);
    expectNone(`${topic}: told without an effect`, [...told.difference(done)]);
  }
  expectNone(
    'dead letters without their hook, or with two',
    twice(hooks).concat([...new Set(dead.map((d) => d.event_id)).symmetricDifference(new Set(hooks))]),
  );

  const fenced = effects.filter((row) => row.resource !== null);
  expectNone(
    'a stale write: by an older lease',
    disordered(
      fenced,
      (row) => row.resource!,
      (row) => Number(row.token),
    ),
  );
  expectNone(
    'two owners of one lease',
    twice(
      [...new Set(fenced.map((row) => `${row.resource} ${row.token}\n${row.owner}`))].map(
        (text) => text.split('\n')[0]!,
      ),
    ),
  );

  if (options.atRest) {
    expectNone(
      'rows of deliveries left behind',
      tables.deliveries.map((row) => `${row.consumer} ${row.seq} ${row.state}`),
    );
    expectNone(
      'cursors behind the log',
      tables.cursors
        .filter((row) => row.seq < lastOf(log, row))
        .map((row) => `${row.consumer}/${row.shard}: ${row.seq} < ${lastOf(log, row)}`),
    );
    expectNone(
      'leases not given back',
      tables.leases.filter((row) => Number(row.expires_at) !== 0).map((row) => `${row.resource} of ${row.owner}`),
    );
  }
  const holders = new Set(fenced.map((row) => `${row.resource} ${row.token}`));
  const facts = {
    ...{ stored: numbers.size, effects: effects.length, dead: dead.length },
    takeovers: holders.size - new Set(fenced.map((row) => row.resource)).size,
  };
  return { violations, facts };
}

async function readTables(store: SqlStore) {
  return store.read(async ({ db }) => {
    const all = async <T>(text: string) => (await sql.raw<T>(text).execute(db)).rows;
    return {
      log: (await all<Logged>('SELECT seq, id, topic, subject, key, shard FROM log ORDER BY seq')).map((row) => ({
        ...row,
        seq: Number(row.seq),
      })),
      effects: await all<Effect>('SELECT stage, event, key, resource, token, owner FROM chaos_effect ORDER BY seq'),
      state: await all<{ stage: string; key: string; n: number }>('SELECT stage, key, n FROM chaos_state'),
      dead: await all<{ consumer: string; event_id: string; code: string; message: string }>(
        'SELECT consumer, event_id, code, message FROM dead_letter',
      ),
      hooks: (await all<{ event: string }>('SELECT event FROM chaos_dead')).map((row) => row.event),
      deliveries: await all<{ consumer: string; seq: number; state: string }>(
        'SELECT consumer, seq, state FROM delivery',
      ),
      cursors: await all<{ consumer: string; topic: string; shard: number; seq: number }>(
        'SELECT consumer, topic, shard, seq FROM consumer_cursor',
      ),
      leases: await all<{ resource: string; owner: string; expires_at: number }>(
        'SELECT resource, owner, expires_at FROM lease',
      ),
    };
  });
}

function twice(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}

/** Where the number of a group goes back, in the order given. */
function disordered(
  rows: readonly Effect[],
  groupOf: (row: Effect) => string,
  numberOf: (row: Effect) => number,
): string[] {
  const last = new Map<string, number>();
  return rows.flatMap((row) => {
    const group = groupOf(row);
    const number = numberOf(row);
    const before = last.get(group) ?? 0;
    last.set(group, Math.max(before, number));
    return number < before ? [`${describe(row)} after ${before}`] : [];
  });
}

function describe(row: Effect): string {
  return `${row.stage} ${row.key} ${row.event} (${row.resource} token ${row.token} of ${row.owner})`;
}

function lastOf(log: readonly Logged[], cursor: { readonly topic: string; readonly shard: number }): number {
  let last = 0;
  for (const row of log)
    if (row.topic === cursor.topic && Number(row.shard) === Number(cursor.shard)) last = Math.max(last, row.seq);
  return last;
}
