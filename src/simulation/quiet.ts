import { sql } from 'kysely';
import { statement } from '../adapters/store/sql/rows.ts';
import { NOTHING_TOLD, type Told } from '../domain/alerts/alert.ts';
import { isHeld } from '../domain/alerts/outage.ts';
import { leftToList, lookIntoLedger } from './ledger.ts';
import type { Mailers } from './mailers.ts';
import { STAGES_SQL } from './tables.ts';
import type { World } from './world.ts';

/**
 * What has not come to its end yet, in words; empty: the pipeline is quiet and everything known is fresh. `all`: every
 * reason; else the first that is found, for a look that only wants to know whether.
 */
export async function leftToDo(
  world: World,
  mailers: Mailers,
  when: { readonly healedAt: number; readonly now: number },
  all: boolean,
): Promise<readonly string[]> {
  const left: string[] = [];
  if (mailers.waiting > 0) left.push(`${mailers.waiting} mails that nobody has accepted`);
  for (const look of [unlisted, undone, stale, unowned, atWork, held, unsent]) {
    if (left.length > 0 && !all) break;
    left.push(...(await look(world, when)));
  }
  return left;
}

const selectUndone = statement((db) => ({
  compile: () =>
    sql<{ stage: string; topic: string; count: number; first: string }>`
      WITH stage (name, reads) AS (VALUES ${STAGES_SQL})
      SELECT stage.name AS stage, log.topic AS topic, count(*) AS count, min(log.id) AS first
      FROM stage JOIN log ON log.topic = stage.reads
      WHERE NOT EXISTS (SELECT 1 FROM processed p WHERE p.event_id = log.id AND p.consumer = stage.name)
      GROUP BY stage.name, log.topic`.compile(db),
}));

const selectLeases = statement((db) => db.selectFrom('lease').selectAll().orderBy('resource'));

type Look = (world: World, when: { readonly healedAt: number; readonly now: number }) => Promise<readonly string[]>;

/** Ends the line about webhooks, which have a schedule of days. */
export const PENDING = 'notifications pending';

const unsent: Look = async (world) => {
  const pending = await world.store.read(({ db }) =>
    db
      .selectFrom('notification')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow(),
  );
  return pending.count > 0 ? [`${pending.count} ${PENDING}`] : [];
};

/** Mails of connected mailboxes that are not on the ledger. */
const unlisted: Look = async (world) => {
  const { mailServer } = world;
  return mailServer === undefined ? [] : leftToList((await lookIntoLedger(world.store, mailServer)).mailboxes);
};

/** Events without the processed mark of a stage that reads them; not by the broker's word, but by the store's. */
const undone: Look = async (world) => {
  const { rows } = await world.store.read(({ db }) => selectUndone(db, []));
  return rows.map(({ stage, topic, count, first }) => `${stage} has ${count} ${topic} not done, as ${first}`);
};

/** Work that no living process holds: of one that died, and whose time has not run out. */
const unowned: Look = async (world, { now }) => {
  const living = new Set(world.running.map(({ life }) => life.worker));
  const { rows } = await world.store.read(({ db }) => selectLeases(db, []));
  const found = rows.filter((row) => row.expires_at <= now || !living.has(row.owner));
  return found.length === 0 ? [] : [`${found.length} pieces of work held by nobody, as ${found[0]!.resource}`];
};

/** What the brokers of the nodes say. */
const atWork: Look = async (world) => {
  const left: string[] = [];
  const { running } = world;
  if (running.length < world.nodes.length) return [`${running.length} of ${world.nodes.length} processes run`];
  for (const { life, process } of running)
    for (const { name, waiting, parked, running: busy } of (await process.runtime.status()).stages)
      if (waiting + parked + busy > 0)
        left.push(`${life.number} ${name}: ${waiting} waiting, ${parked} parked, ${busy} at work`);
  return left;
};

/** Subjects that nobody has asked about with success since everything is well. */
const stale: Look = async (world, { healedAt, now }) => {
  const active = await world.store.read((tx) => tx.subjects.listActive());
  const found = active.filter((one) => one.spec.fromAt <= now && (one.checkedAt ?? 0) < healedAt);
  return found.length === 0 ? [] : [`${found.length} subjects not checked since all is well, as ${found[0]!.spec.id}`];
};

/** Journeys of which it was told that nobody answers, and never that somebody does again. */
const held: Look = async (world) => {
  const rows = await world.store.read(({ db }) =>
    db.selectFrom('told').select(['reservation', 'body']).where('due_at', 'is not', null).execute(),
  );
  const found = rows.filter(({ body }) => isHeld({ ...NOTHING_TOLD, ...(JSON.parse(body) as Told) }));
  return found.length === 0 ? [] : [`${found.length} reservations said to be unverified, as ${found[0]!.reservation}`];
};
