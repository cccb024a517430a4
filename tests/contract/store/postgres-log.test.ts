/** Only PostgreSQL: several connections commit at once, so numbers could become visible out of their order. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '../../../src/adapters/store/postgres/connection.ts';
import { lockNumber } from '../../../src/adapters/store/postgres/migrate.ts';
import type { Appended, SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { ana, appendOne, newEvent, origin } from './harness.ts';
import { freshSchema, openStore, serverForFile } from './postgres.testing.ts';

const server = await serverForFile();

const INSERT = `INSERT INTO log (seq, id, tenant, topic, key, correlation, subject, at, shard, body)
  VALUES (nextval('log_seq'), $1, 'tnt_one', 'notification.sent', 'k', $1, 's', 1, 0, '{}')`;

/** As a consumer reads: onwards from the highest number seen. */
function follow(store: SqlStore) {
  let cursor = 0;
  const seen: { readonly seq: number; readonly id: string }[] = [];
  return {
    seen,
    step: async () => {
      const rows = await store.read(({ db }) =>
        db.selectFrom('log').select(['seq', 'id']).where('seq', '>', cursor).orderBy('seq').limit(500).execute(),
      );
      seen.push(...rows);
      cursor = rows.at(-1)?.seq ?? cursor;
      return rows.length;
    },
  };
}

if (server !== undefined) {
  const opened = async (t: TestContext, schema: string): Promise<SqlStore> => {
    const store = await openStore(server, schema, { lanes: 2 });
    t.after(() => store.close());
    return store;
  };

  test('while a transaction holds its place in the log, later ones wait, and a reader misses nothing', async (t) => {
    const schema = freshSchema();
    const store = await opened(t, schema);
    const reader = follow(store);
    const slow = await Connection.open({ url: server.url, schema });
    await slow.command('BEGIN');
    await slow.query('SELECT pg_advisory_xact_lock($1::int8)', [lockNumber(`${schema}/log`)]);
    await slow.query(INSERT, ['evt_slow']);
    let done = false;
    const later = appendOne(store, 'later').then((event) => {
      done = true;
      return event;
    });
    // What appends nothing, in a transaction of its own, does not wait.
    await delay(150);
    await store.transact((tx) => tx.accounts.ensureTenant('tnt_x', 'x', 1));
    await reader.step();
    assert.deepEqual([done, reader.seen.length], [false, 0]);
    await slow.command('COMMIT');
    const { id } = await later;
    await reader.step();
    assert.deepEqual(
      reader.seen.map((row) => row.id),
      ['evt_slow', id],
    );
    await slow.close();
  });

  test('the control: numbers taken without the lock are missed by such a reader', async (t) => {
    const schema = freshSchema();
    const store = await opened(t, schema);
    const reader = follow(store);
    const slow = await Connection.open({ url: server.url, schema });
    await slow.command('BEGIN');
    await slow.query(INSERT, ['evt_slow']);
    await appendOne(store, 'later');
    await reader.step();
    await slow.command('COMMIT');
    while ((await reader.step()) > 0);
    assert.ok(!reader.seen.some((row) => row.id === 'evt_slow'), 'then the lock would not be needed');
    await slow.close();
  });

  test('appends from many connections of several processes: a reader sees all, in order, none twice', async (t) => {
    const schema = freshSchema();
    const stores = await Promise.all(Array.from({ length: 4 }, () => opened(t, schema)));
    const reader = follow(stores[0]!);
    const feed: number[] = [];
    const wanted = new Set<string>();
    let running = true;
    const reading = (async () => {
      while (running) {
        await reader.step();
        const items = await stores[1]!.read((tx) => tx.itineraries.feed(ana.tenant, feed.at(-1) ?? 0, 500));
        feed.push(...items.map((item) => item.seq));
      }
    })();
    await Promise.all(
      stores.flatMap((store, p) =>
        Array.from({ length: 12 }, async (_, c) => {
          for (let n = 0; n < 12; n++) {
            const name = `${p}-${c}-${n}`;
            const work = store.transact(async (tx) => {
              const some = Array.from({ length: 1 + ((c + n) % 3) }, (_, i) => newEvent(`${name}-${i}`));
              const events = await tx.append(some, origin(name));
              await tx.itineraries.appendFeed(ana.tenant, ana.traveller, events[0]!);
              if (n % 5 === 4) throw new Error('undone');
              return events;
            });
            for (const event of await work.catch(() => [])) wanted.add(event.id);
          }
        }),
      ),
    );
    running = false;
    await reading;
    await reader.step();
    const seqs = reader.seen.map((row) => row.seq);
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(reader.seen.map((row) => row.id)).size, reader.seen.length);
    assert.deepEqual(new Set(reader.seen.map((row) => row.id)), wanted);
    const all = await stores[2]!.read(({ db }) => db.selectFrom('feed').select('seq').orderBy('seq').execute());
    const last = await stores[1]!.read((tx) => tx.itineraries.feed(ana.tenant, feed.at(-1) ?? 0, 500));
    assert.deepEqual(
      [...feed, ...last.map((item) => item.seq)],
      all.map((row) => row.seq),
    );
  });

  test('a process hears of what another appends and replays, and can ask whether there was any', async (t) => {
    const schema = freshSchema();
    const [here, there] = await Promise.all([opened(t, schema), opened(t, schema)]);
    const heard: Appended[] = [];
    // At its start a store announces everything: what was appended before it listened.
    for (const giveUpAt = performance.now() + 10_000; heard.length === 0 && performance.now() < giveUpAt; ) {
      const stop = here.onAppended((appended) => void heard.push(appended));
      await there.transact(async (tx) => tx.touch('mail.seen', 3));
      await delay(50);
      stop();
    }
    await here.changedElsewhere();
    assert.equal(await here.changedElsewhere(), false);
    let tell: (appended: Appended) => void = () => {};
    const told = new Promise<Appended>((resolve) => {
      tell = resolve;
    });
    here.onAppended((appended) => {
      if (appended.has('notification.sent') && !appended.has('mail.seen')) tell(appended);
    });
    await appendOne(there, 'a');
    const appended = await told;
    assert.deepEqual([...appended.keys()], ['notification.sent']);
    assert.equal(await here.changedElsewhere(), true);
    assert.equal(await here.changedElsewhere(), false);
    await there.transact(async (tx) => tx.touch('mail.seen', 0));
    assert.equal(await here.changedElsewhere(), true);
  });

  test('a copy made row by row leaves the counter behind: the next start sets it right', async () => {
    const schema = freshSchema();
    let store = await openStore(server, schema);
    for (const seed of ['a', 'b', 'c']) await appendOne(store, seed);
    await store.close();
    const connection = await Connection.open({ url: server.url, schema });
    await connection.query("SELECT setval('log_seq', 1, false)");
    store = await openStore(server, schema);
    const event = await appendOne(store, 'd');
    const reader = follow(store);
    await reader.step();
    assert.equal(reader.seen.at(-1)?.id, event.id);
    assert.equal(reader.seen.length, 4);
    await store.close();
    // And one that is ahead stays so.
    await connection.query("SELECT setval('log_seq', 1000)");
    await connection.close();
    store = await openStore(server, schema);
    const { id } = await appendOne(store, 'e');
    assert.equal((await store.read((tx) => tx.log.get(id)))?.seq, 1001);
    await store.close();
  });
}
