/** Only PostgreSQL: the server is another process on another machine, and both it and the way there can fail. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '../../../scripts/servers/postgres.ts';
import { Connection } from '../../../src/adapters/store/postgres/connection.ts';
import { migrate } from '../../../src/adapters/store/postgres/migrate.ts';
import type { PostgresStoreOptions } from '../../../src/adapters/store/postgres/store.ts';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { startTcpProxy, type TcpProxy } from '../../chaos/tcp-proxy.ts';
import { ana, appendOne, eventId, newEvent, origin } from './harness.ts';
import { freshSchema, openStore, serverForFile } from './postgres.testing.ts';

const server = await serverForFile();

const coded = (code: string) => (error: unknown) => error instanceof TripwatchError && error.code === code;
const isLost = { kind: 'transient', code: 'store-lost' };

if (server !== undefined) {
  const open = async (
    t: TestContext,
    options: Partial<PostgresStoreOptions> = {},
    schema = freshSchema(),
  ): Promise<SqlStore> => {
    const store = await openStore(server, schema, options);
    t.after(() => store.close());
    return store;
  };
  const raw = async (t: TestContext, schema: string): Promise<Connection> => {
    const connection = await Connection.open({ url: server.url, schema });
    t.after(() => connection.close());
    return connection;
  };
  const through = async (t: TestContext): Promise<{ proxy: TcpProxy; url: string }> => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    t.after(() => proxy.close());
    return { proxy, url: server.url.replace(`:${server.port}/`, `:${proxy.port}/`) };
  };
  const subjects = (store: SqlStore) =>
    store.read(async ({ db }) =>
      (await db.selectFrom('log').select('subject').orderBy('seq').execute()).map((r) => r.subject),
    );

  test('a server that swallows everything: works and reads reject in time, and go on when it is back', async (t) => {
    const { proxy, url } = await through(t);
    const store = await open(t, { url, answerMs: 600 });
    await appendOne(store, 'before');
    await store.read((tx) => tx.mails.count(ana.tenant));
    proxy.set({ blackHole: true });
    const startedAt = performance.now();
    const results = await Promise.allSettled([
      appendOne(store, 'a'),
      store.read((tx) => tx.mails.count(ana.tenant)),
      store.changedElsewhere(),
    ]);
    for (const one of results) assert.ok(one.status === 'rejected' && coded('store-lost')(one.reason));
    // The longest: a connection that is made anew, and that nobody answers.
    assert.ok(performance.now() - startedAt < 12_000);
    proxy.set({});
    await appendOne(store, 'after');
    assert.ok((await subjects(store)).includes('thing-after'));
  });

  test('the answer to a commit is lost: nobody is told that it was done, and doing it again does nothing', async (t) => {
    const { proxy, url } = await through(t);
    const store = await open(t, { url, answerMs: 600 });
    const mark = { consumer: 'c', eventId: eventId('1'), now: 1 };
    const work = (cut: boolean) =>
      store.effect(mark, async (tx) => {
        await tx.append([newEvent('once')], origin('once'));
        if (cut) proxy.set({ blackHole: true }, 'down');
      });
    await assert.rejects(work(true), isLost);
    proxy.set({});
    proxy.reset();
    const done = await work(false);
    assert.deepEqual(await subjects(store), ['once']);
    assert.deepEqual(done, { repeat: true }, 'the commit had arrived');
  });

  test('the commit itself is lost: doing it again does it', async (t) => {
    const { proxy, url } = await through(t);
    const store = await open(t, { url, answerMs: 600 });
    const mark = { consumer: 'c', eventId: eventId('1'), now: 1 };
    const work = (cut: boolean) =>
      store.effect(mark, async (tx) => {
        await tx.append([newEvent('once')], origin('once'));
        if (cut) proxy.reset();
      });
    await assert.rejects(work(true), isLost);
    assert.deepEqual(await work(false), { repeat: false, value: undefined });
    assert.deepEqual(await subjects(store), ['once']);
  });

  test('a client that stops in the middle of a transaction holds nobody up for long', {
    timeout: 30_000,
  }, async (t) => {
    const schema = freshSchema();
    const store = await open(t, {}, schema);
    const stopped = await raw(t, schema);
    await stopped.command('BEGIN');
    await stopped.query("INSERT INTO tenant (id, name, created_at) VALUES ('tnt_x', 'x', 1)");
    const startedAt = performance.now();
    await store.transact((tx) => tx.accounts.ensureTenant('tnt_x', 'x', 1));
    assert.ok(performance.now() - startedAt < 12_000);
    assert.equal(stopped.broken, true);
  });

  test('kill -9 of the server under load: what was acknowledged is there, once; flow again soon', async (t) => {
    const store = await open(t);
    const acknowledged: number[] = [];
    let next = 0;
    let running = true;
    const callers = Array.from({ length: 24 }, async () => {
      while (running) {
        const n = next++;
        for (;;) {
          try {
            const result = await store.effect({ consumer: 'c', eventId: eventId(`n${n}`), now: n }, async (tx) => {
              await tx.append([newEvent(`n${n}`)], origin(`n${n}`));
            });
            assert.ok(result !== undefined);
            acknowledged.push(n);
            break;
          } catch (error) {
            assert.ok(error instanceof TripwatchError && error.kind === 'transient', String(error));
            await delay(20);
          }
        }
      }
    });
    for (let round = 0; round < 3; round++) {
      await delay(300);
      const before = acknowledged.length;
      await server.kill9();
      await server.restart();
      const restartedAt = performance.now();
      while (acknowledged.length === before && performance.now() - restartedAt < 20_000) await delay(10);
      assert.ok(performance.now() - restartedAt < 10_000, 'no flow ten seconds after the restart');
    }
    running = false;
    await Promise.all(callers);
    const marks = await store.read(
      async ({ db }) => (await db.selectFrom('processed').select('event_id').execute()).length,
    );
    const stored = await subjects(store);
    assert.equal(new Set(stored).size, stored.length, 'something is there twice');
    assert.deepEqual(new Set(stored), new Set(acknowledged.map((n) => `n${n}`)));
    assert.equal(marks, stored.length);
  });

  test('while the server is down works hear of it soon; a restart needs nobody', async (t) => {
    const store = await open(t);
    await appendOne(store, 'before');
    await server.pause();
    const startedAt = performance.now();
    await assert.rejects(appendOne(store, 'during'), isLost);
    await assert.rejects(
      store.read((tx) => tx.mails.count(ana.tenant)),
      isLost,
    );
    assert.ok(performance.now() - startedAt < 8_000);
    await server.restart();
    await appendOne(store, 'after');
    assert.deepEqual(await subjects(store), ['thing-before', 'thing-after']);
  });

  test('settings under which an acknowledged write could be lost are refused, with the remedy', async (t) => {
    for (const setting of ['fsync', 'full_page_writes']) {
      const unsafe = await startPostgres({ settings: { [setting]: 'off' } });
      t.after(() => unsafe.stop());
      await assert.rejects(openStore(unsafe, 't'), (error: Error) => {
        assert.ok(coded('store-not-durable')(error) && error.message.includes(`${setting} = on`), error.message);
        return true;
      });
    }
    // A session of ours turns this one on for itself.
    const lazy = await startPostgres({ settings: { synchronous_commit: 'off' } });
    t.after(() => lazy.stop());
    const store = await openStore(lazy, 't');
    const [setting] = await store.transact(async ({ db }) => {
      const { sql } = await import('kysely');
      return (await sql<{ v: string }>`SELECT current_setting('synchronous_commit') AS v`.execute(db)).rows;
    });
    assert.equal(setting?.v, 'on');
    await store.close();
  });

  test('what cannot be opened says why, and never the password', async () => {
    const refused = async (url: string, code: string) =>
      assert.rejects(openStore(server, 't', { url }), (error: Error) => {
        assert.ok(coded(code)(error), String(error));
        const shown = `${error.message} ${JSON.stringify(error)} ${error.stack}`;
        assert.ok(!shown.includes('geheim') && !shown.includes(new URL(server.url).password), shown);
        return true;
      });
    await refused(server.url.replace(/:[^:@]+@/, ':geheim@'), 'store-cannot-open');
    await refused(server.urlOf('no_such_database'), 'store-cannot-open');
    await refused('postgres://user:geheim@127.0.0.1:bad/x', 'store-cannot-open');
    await refused('postgres://user:geheim@127.0.0.1:9/x', 'store-lost');
    await assert.rejects(openStore(server, 'No; DROP'), coded('store-cannot-open'));
  });

  test('processes that start at once make the tables once; a newer or foreign schema is refused', async (t) => {
    const schema = freshSchema();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(server, schema, { shards: 5 })));
    for (const store of stores) {
      assert.equal(store.shards, 5);
      await store.close();
    }
    const kept = await openStore(server, schema, { shards: 7 });
    assert.equal(kept.shards, 5);
    await kept.close();
    const connection = await raw(t, schema);
    await connection.query("INSERT INTO migration VALUES (999, 'future', 0)");
    await assert.rejects(openStore(server, schema), coded('store-newer'));
    await connection.command('CREATE SCHEMA strange; CREATE TABLE strange.bookmarks (url text)');
    await assert.rejects(openStore(server, 'strange'), coded('store-foreign'));
  });

  test('a migration that fails leaves nothing behind, and the next start goes on from there', async (t) => {
    const schema = freshSchema();
    const connection = await Connection.open({ url: server.url, schema, use: 'migrating' });
    t.after(() => connection.close());
    const one = { id: 1, name: 'one', up: () => ['CREATE TABLE one (x TEXT)'] };
    const bad = { id: 2, name: 'two', up: () => ['CREATE TABLE two (x TEXT)', 'CREATE TABEL three (x TEXT)'] };
    const good = { id: 2, name: 'two', up: () => ['CREATE TABLE two (x TEXT)'] };
    await assert.rejects(migrate(connection, schema, 1, [one, bad]), coded('store-sql'));
    const tables = async () =>
      (
        await connection.query<{ name: string }>(
          'SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
          [schema],
        )
      ).rows.map((row) => row.name);
    assert.deepEqual(await tables(), ['migration', 'one']);
    await migrate(connection, schema, 2, [one, good]);
    await migrate(connection, schema, 3, [one, good]);
    assert.deepEqual(await tables(), ['migration', 'one', 'two']);
  });

  test('texts compare by their bytes, whatever the server sorts by', async (t) => {
    const store = await open(t);
    const ids = ['tnt_Z', 'tnt_a', 'tnt_B', 'tnt_é', 'tnt_b'];
    for (const id of ids) await store.transact((tx) => tx.accounts.ensureTenant(id as never, id, 1));
    const rows = await store.read(({ db }) => db.selectFrom('tenant').select('id').orderBy('id').execute());
    assert.deepEqual(
      rows.map((row) => row.id),
      ids.toSorted(),
    );
  });

  test('what PostgreSQL cannot hold as text, and fractions of a millisecond, do no harm', async (t) => {
    const store = await open(t);
    await store.transact((tx) => tx.accounts.ensureTenant('tnt_x', 'a\0b \u{1F6EB}', 12.75));
    await appendOne(store, 'nul\0');
    const rows = await store.read(({ db }) => db.selectFrom('tenant').select(['name', 'created_at']).execute());
    assert.deepEqual(rows, [{ name: 'a\u{FFFD}b \u{1F6EB}', created_at: 12 }]);
    assert.deepEqual(await subjects(store), ['thing-nul\u{FFFD}']);
  });
}
