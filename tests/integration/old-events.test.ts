import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { addMailbox, addTraveller } from '../../src/api/commands/accounts.ts';
import { addReservation } from '../../src/api/commands/reservations.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { settle } from '../../src/app/pipeline.ts';
import { TOPICS, type Topic } from '../../src/contracts/topics.ts';
import type { Mailbox, Traveller } from '../../src/ports/store/accounts.ts';
import { createOldEvents } from '../../src/runtime/old-events.ts';
import { STAGES } from '../../src/stages/stages.ts';
import { createIntake } from '../../src/stages/watch/intake.ts';
import { FLIGHT } from './api.testing.ts';
import { flightMail } from './cli.testing.ts';

/** Old events go from a whole installation, and nothing that anybody rests on goes with them. On SQLite with files. */

const folder = mkdtempSync(join(tmpdir(), 'tripwatch-old-'));
const DAY_MS = 86_400_000;
let core: Core;
let ada: Traveller;
let mailbox: Mailbox;
const first = flightMail({ reference: 'OLD001', number: '11' });

const worked = () => settle(core, new AbortController().signal);
async function receive(mail: string): Promise<void> {
  const intake = createIntake({ store: core.store, blobs: core.blobs, clock: core.clock, logger: core.logger });
  await intake.accept({ mailbox, bytes: Buffer.from(mail), via: 'smtp' });
  await worked();
}
/** The books, as if the minute's check had just been made. */
const audit = () =>
  (core.store as unknown as SqlStore).transact(async ({ db }) => {
    for (const { consumer, shard, seq } of await db.selectFrom('consumer_cursor').selectAll().execute())
      await db
        .insertInto('audited')
        .values({ consumer, shard, seq, turn: 0, checked_at: 1 })
        .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doUpdateSet({ seq }))
        .execute();
  });
/** A look as it will be `days` from now. */
const sweep = (days: number) =>
  createOldEvents({
    ...{ store: core.store, logger: core.logger, shards: 1, stages: STAGES, keepDays: 400 },
    clock: { ...core.clock, now: () => core.clock.now() + days * DAY_MS, sleep: async () => {} },
    topics: Object.keys(TOPICS) as Topic[],
  }).sweep();
const topicsLeft = async () =>
  (core.store as unknown as SqlStore).transact(async ({ db }) =>
    (await db.selectFrom('log').select('topic').distinct().execute()).map(({ topic }) => topic),
  );
const reservations = async () =>
  (await core.store.read((tx) => tx.itineraries.list(ada.tenant, {}))).map(({ reservation, version }) => ({
    reservation,
    version,
  }));

before(async () => {
  core = await openCore(
    loadConfig({ data: folder, override: { log: { level: 'silent' }, workers: 1 } }),
    prepareFolder(folder),
  );
  ada = await addTraveller(core.commands, OPERATOR, { name: 'Ada Lovelace', zone: 'Europe/London', locale: 'en' });
  mailbox = await addMailbox(core.commands, OPERATOR, ada.id, { kind: 'forward', label: 'forwarded' });
});
after(async () => {
  await core.close();
  rmSync(folder, { recursive: true });
});

test('nothing goes before its time, nor before the books have passed it', async () => {
  await receive(first);
  await receive(flightMail({ reference: 'OLD002', number: '12' }));
  assert.deepEqual(await sweep(399), { log: 0, feed: 0 });
  assert.deepEqual(await sweep(401), { log: 0, feed: 1 }, 'no check has passed them');
  await audit();
  assert.deepEqual(await sweep(399), { log: 0, feed: 0 });
});

test('then all go but what says which mails were opened; trips, receipts and the newest change stay', async () => {
  const before = await reservations();
  assert.equal(before.length, 2);
  const gone = await sweep(401);
  assert.ok(gone.log >= 8, JSON.stringify(gone));
  assert.equal(gone.feed, 0, 'the newest of a tenant stays');
  assert.deepEqual(await topicsLeft(), ['mail.collected']);
  assert.deepEqual(await reservations(), before);
  const opened = await core.store.read((tx) => tx.privacy.opened(ada.tenant, { limit: 9 }));
  assert.equal(opened.mails.length, 2);
  assert.deepEqual(await sweep(401), { log: 0, feed: 0 });
});

test('what comes again is known, what is new goes its way', async () => {
  const before = await reservations();
  await receive(first);
  assert.deepEqual(await reservations(), before);
  const { receipts } = await core.store.read((tx) => tx.mails.list(ada.tenant, { traveller: ada.id, limit: 9 }));
  assert.deepEqual(receipts.map(({ timesSeen }) => timesSeen).toSorted(), [1, 2]);
  await receive(flightMail({ reference: 'NEW003', number: '13' }));
  assert.equal((await reservations()).length, 3);
});

test('a key of a command whose event has gone is refused as used, and swallows nothing unseen', async () => {
  const said = (number: string) => FLIGHT(ada.id, 'HAND01', number) as never;
  const add = (number: string) => addReservation(core.commands, OPERATOR, said(number), 'a key');
  assert.equal((await add('21')).new, true);
  await worked();
  await audit();
  assert.ok((await sweep(401)).log > 0);
  await assert.rejects(add('22'), (error: { code?: string }) => error.code === 'idempotency-key-reused');
  assert.equal((await reservations()).length, 4);
});
