import { STAGES } from '../stages/stages.ts';
import type { Mailers } from './mailers.ts';
import type { World } from './world.ts';

/** What has not come to its end yet, in words; empty: the pipeline is quiet and everything known is fresh. */
export async function leftToDo(
  world: World,
  mailers: Mailers,
  healedAt: number,
  now: number,
): Promise<readonly string[]> {
  const left: string[] = [];
  if (mailers.waiting > 0) left.push(`${mailers.waiting} mails that nobody has accepted`);
  const { running } = world;
  if (running === undefined) return [...left, 'no process runs'];
  left.push(...(await undone(world)), ...(await stale(world, healedAt, now)));
  const { stages } = await running.process.runtime.status();
  for (const { name, waiting, parked, running: busy } of stages) {
    if (waiting + parked + busy > 0) left.push(`${name}: ${waiting} waiting, ${parked} parked, ${busy} at work`);
  }
  const pending = await world.store.read(({ db }) =>
    db
      .selectFrom('notification')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow(),
  );
  if (pending.count > 0) left.push(`${pending.count} ${PENDING}`);
  return left;
}

/** Ends the line about webhooks, which have a schedule of days. */
export const PENDING = 'notifications pending';

/** Events without the processed mark of a stage that reads them; not by the broker's word, but by the store's. */
async function undone(world: World): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { name, reads } of STAGES) {
    const open = await world.store.read(({ db }) =>
      db
        .selectFrom('log')
        .leftJoin('processed', (join) =>
          join.onRef('processed.event_id', '=', 'log.id').on('processed.consumer', '=', name),
        )
        .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('log.id').as('first')])
        .where('log.topic', '=', reads)
        .where('processed.event_id', 'is', null)
        .executeTakeFirstOrThrow(),
    );
    if (open.count > 0) left.push(`${name} has ${open.count} ${reads} not done, as ${open.first}`);
  }
  return left;
}

/** Subjects that nobody has asked about with success since everything is well. */
async function stale(world: World, healedAt: number, now: number): Promise<readonly string[]> {
  const active = await world.store.read((tx) => tx.subjects.listActive());
  const found = active.filter((one) => one.spec.fromAt <= now && (one.checkedAt ?? 0) < healedAt);
  return found.length === 0 ? [] : [`${found.length} subjects not checked since all is well, as ${found[0]!.spec.id}`];
}
