/**
 * Only PostgreSQL: several transactions write at once. What is looked at and then changed must not change between,
 * and a lease that is written under must not pass to another meanwhile. Two stores on one schema stand for two
 * processes.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { rotateEndpoint } from '../../../src/api/commands/endpoints.ts';
import type { ObservationId, SubjectId } from '../../../src/domain/ids.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import type { Lease, Worker } from '../../../src/ports/store/leases.ts';
import type { Tx } from '../../../src/ports/store.ts';
import { recordObservation } from '../../../src/stages/reconcile/handler.ts';
import { publishAnswer } from '../../../src/stages/track/publish.ts';
import { ana, ben, eventId, hook, mail, newEvent, origin, stillClock } from './harness.ts';
import { freshSchema, openStore, serverForFile } from './postgres.testing.ts';

const server = await serverForFile();

/** A place in a work where the test says when it goes on. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: () => open.resolve(),
    pass: () => {
      reached.resolve();
      return open.promise;
    },
  };
}

/** Whether it is still under way after a while. */
async function waits(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => false), delay(200, true)]);
}

if (server !== undefined) {
  const two = async (t: TestContext): Promise<readonly [SqlStore, SqlStore]> => {
    const schema = freshSchema();
    const first = await openStore(server, schema);
    const second = await openStore(server, schema);
    t.after(() => Promise.all([first.close(), second.close()]));
    return [first, second];
  };

  const worker: Worker = { id: 'a', groups: ['x'], label: 'a', startedAt: 1, load: {} };
  const take = (store: SqlStore, owner: string, others: 'respect' | 'ignore' = 'respect') =>
    store.transact((tx) => tx.leases.take(owner, ['x'], 60_000, others));
  const tenant = (store: SqlStore, id: string, fence: Lease | undefined, wait: () => Promise<void>) =>
    store.transact(
      async (tx) => {
        await tx.accounts.ensureTenant(id as never, id, 1);
        await wait();
      },
      { fence },
    );
  const tenants = (store: SqlStore) =>
    store.read(async ({ db }) => (await db.selectFrom('tenant').select('id').orderBy('id').execute()).map((r) => r.id));

  test('a lease that is being written under cannot be taken until that is committed; beats go on', async (t) => {
    const [here, there] = await two(t);
    const [lease] = await take(here, 'a');
    const { reached, open, pass } = gate();
    const write = tenant(here, 'tnt_under', lease, pass);
    await reached;
    assert.deepEqual(await there.transact((tx) => tx.leases.beat(worker, [lease!], 60_000)), [lease], 'a beat waits');
    const taken = take(there, 'b', 'ignore');
    assert.equal(await waits(taken), true, 'taken from under a write');
    open();
    await write;
    assert.equal((await taken)[0]?.token, 2);
    assert.deepEqual(await tenants(there), ['tnt_under']);
    await assert.rejects(
      tenant(here, 'tnt_late', lease, async () => {}),
      { kind: 'stale', code: 'lease-lost' },
    );
  });

  test('a write waits for a take that is under way, and is refused by it', async (t) => {
    const [here, there] = await two(t);
    const [lease] = await take(here, 'a');
    const { reached, open, pass } = gate();
    const taking = there.transact(async (tx) => {
      await tx.leases.take('b', ['x'], 60_000, 'ignore');
      await pass();
    });
    await reached;
    const write = tenant(here, 'tnt_late', lease, async () => {});
    const refused = assert.rejects(write, { code: 'lease-lost' });
    assert.equal(await waits(write.catch(() => {})), true);
    open();
    await taking;
    await refused;
    assert.deepEqual(await tenants(here), []);
  });

  test('in one commit, works under a lost lease are refused and those under others are done', async (t) => {
    const [here, there] = await two(t);
    const [lost] = await take(here, 'a');
    const [held] = await here.transact((tx) => tx.leases.take('a', ['y'], 60_000));
    await take(there, 'b', 'ignore');
    const results = await Promise.allSettled(
      [held, lost, held, lost].map((fence, n) =>
        here.effect({ consumer: 'c', eventId: eventId(String(n)), now: 1 }, async () => n, { fence }),
      ),
    );
    assert.deepEqual(
      results.map((one) => one.status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    assert.equal((await here.read((tx) => tx.log.processedBy(eventId('1')))).length, 0);
  });

  test('a new lease goes to one of many who ask at once', async (t) => {
    const stores = await two(t);
    for (let round = 0; round < 10; round++) {
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          stores[n % 2]!.transact((tx) => tx.leases.take(`w${n}`, [`r${round}`], 60_000)),
        ),
      );
      assert.equal(taken.flat().length, 1);
    }
  });

  test('one effect in two processes at once: the second waits, and is a repeat', async (t) => {
    const [here, there] = await two(t);
    const mark = { consumer: 'c', eventId: eventId('1'), now: 1 };
    const { reached, open, pass } = gate();
    const first = here.effect(mark, async (tx) => {
      await tx.accounts.ensureTenant('tnt_first', 'x', 1);
      await pass();
    });
    await reached;
    const second = there.effect(mark, (tx) => tx.accounts.ensureTenant('tnt_second', 'x', 1));
    assert.equal(await waits(second), true);
    open();
    await first;
    assert.deepEqual(await second, { repeat: true });
    assert.deepEqual(await tenants(here), ['tnt_first']);
  });

  test('one effect in two processes at once: where the first fails, the second does it', async (t) => {
    const [here, there] = await two(t);
    const mark = { consumer: 'c', eventId: eventId('1'), now: 1 };
    const { reached, open, pass } = gate();
    const first = here.effect(mark, async () => {
      await pass();
      throw new Error('no');
    });
    await reached;
    const second = there.effect(mark, async () => 2);
    open();
    await assert.rejects(first, /no/);
    assert.deepEqual(await second, { repeat: false, value: 2 });
  });

  test('the same effects in any order from everywhere: each happens once', async (t) => {
    const stores = await two(t);
    const ran = new Map<number, number>();
    await Promise.all(
      stores.flatMap((store, p) =>
        Array.from({ length: 200 }, async (_, k) => {
          const n = p === 0 ? k % 100 : 99 - (k % 100);
          const result = await store.effect({ consumer: 'c', eventId: eventId(`e${n}`), now: 1 }, async (tx) => {
            await tx.append([newEvent(`s${n}`)], origin(`seed-${n}-${p}-${k}`));
          });
          if (!result.repeat) ran.set(n, (ran.get(n) ?? 0) + 1);
        }),
      ),
    );
    assert.deepEqual([...ran.values()], Array(100).fill(1));
    const events = await stores[0].read(({ db }) => db.selectFrom('log').select('id').execute());
    assert.equal(events.length, 100);
  });

  const spec = { id: 's', label: 'S', query: {}, fromAt: 0, startAt: 1, endAt: 2 };
  const leave = async (tx: Tx, id: SubjectId, reservation: string, between: () => Promise<void>) => {
    const { left } = await tx.subjects.unfollow(id, ana.tenant, reservation as never);
    await between();
    if (left === 0) await tx.subjects.end(id);
    return left;
  };
  const join = async (tx: Tx, id: SubjectId, reservation: string, who = ana) => {
    const stored = await tx.subjects.get(id);
    if (stored?.state !== 'active') await tx.subjects.put(id, 'flights', spec);
    await tx.subjects.follow(id, { ...who, reservation: reservation as never });
    return stored;
  };
  const nothing = async () => {};

  test('a subject that one leaves as the last while another begins to follow it goes on', async (t) => {
    const [here, there] = await two(t);
    await here.transact((tx) => join(tx, 'sub_a', 'rsv_1'));
    const { reached, open, pass } = gate();
    const leaving = here.transact((tx) => leave(tx, 'sub_a', 'rsv_1', pass));
    await reached;
    const joining = there.transact((tx) => join(tx, 'sub_a', 'rsv_2', ben));
    assert.equal(await waits(joining), true);
    open();
    assert.equal(await leaving, 0);
    assert.equal((await joining)?.state, 'ended');
    assert.equal((await here.read((tx) => tx.subjects.get('sub_a')))?.state, 'active');
  });

  test('of two who leave a subject at once, one is the last', async (t) => {
    const stores = await two(t);
    for (let round = 0; round < 20; round++) {
      const id: SubjectId = `sub_${round}`;
      await stores[0].transact(async (tx) => {
        await join(tx, id, 'rsv_1');
        await join(tx, id, 'rsv_2');
      });
      const left = await Promise.all(
        stores.map((store, n) => store.transact((tx) => leave(tx, id, `rsv_${n + 1}`, nothing))),
      );
      assert.deepEqual(left.sort(), [0, 1]);
    }
  });

  test('who begins to follow while an answer comes has it, or is there when it is handed on', async (t) => {
    const [here, there] = await two(t);
    await here.transact((tx) => join(tx, 'sub_a', 'rsv_1'));
    const answer = {
      authority: 'status',
      assertedAt: '2026-12-01T00:00:00.000Z',
      bookingKeys: [],
      facts: {},
      legs: [],
    };
    const made = { id: 'sub_a' as SubjectId, account: 'flights', label: 'F', digest: 'd', fetchedAt: 1 };
    const { reached, open, pass } = gate();
    const joining = here.transact(async (tx) => {
      const stored = await join(tx, 'sub_a', 'rsv_2', ben);
      await pass();
      return stored;
    });
    await reached;
    const published = publishAnswer(there, { ...made, answer: answer as never });
    assert.equal(await waits(published), true, 'the answer went out and the one who joins knows nothing of it');
    open();
    assert.equal((await joining)?.answer, undefined);
    assert.equal(await published, true);
    assert.equal((await here.read((tx) => tx.subjects.followers('sub_a', undefined, 10))).length, 2);
  });

  test('works that lock the same things in opposite orders never wait in a circle', async (t) => {
    const stores = await two(t);
    const ids = ['sub_a', 'sub_b', 'sub_c'] as SubjectId[];
    const startedAt = performance.now();
    const all = Array.from({ length: 120 }, (_, n) =>
      stores[n % 2]!.transact(async (tx) => {
        const mine = n % 3 === 0 ? ids : n % 3 === 1 ? ids.toReversed() : [ids[1]!, ids[2]!, ids[0]!];
        for (const id of mine) {
          const stored = await tx.subjects.get(id);
          const count = Number(stored?.spec.query.count ?? 0) + 1;
          await tx.subjects.put(id, 'flights', { ...spec, query: { count: String(count) } });
        }
      }),
    );
    await Promise.all(all);
    for (const id of ids) {
      const stored = await stores[0].read((tx) => tx.subjects.get(id));
      assert.equal(stored?.spec.query.count, '120', 'a change was lost');
    }
    // The server looks for circles after a second: had there been some, each would have cost that.
    assert.ok(performance.now() - startedAt < 20_000);
  });

  test('two observations of one booking, recorded at once, are one reservation', async (t) => {
    const stores = await two(t);
    const observation = (n: number, traveller: string): Observation => ({
      id: `obs_${traveller}_${n}` as ObservationId,
      tenant: ana.tenant,
      traveller: traveller as never,
      source: { kind: 'mail', ref: `mail_${n}`, label: 'mail' },
      authority: 'mail',
      assertedAt: '2026-11-01T00:00:00.000Z',
      observedAt: '2026-11-01T00:00:00.000Z',
      bookingKeys: ['booking:lh:abc123'],
      facts: {},
      legs: [{ kind: 'flight', keys: ['leg:flight:lh400:2026-12-01:fra'], facts: { number: { value: '400' } } }],
    });
    for (let round = 0; round < 15; round++) {
      const traveller = `trv_${round}`;
      await Promise.all(
        [0, 1, 2, 3].map((n) =>
          stores[n % 2]!.transact((tx) => recordObservation(tx, observation(n, traveller), 1000 + n)),
        ),
      );
      const found = await stores[0].read((tx) => tx.reservations.list(ana.tenant, traveller as never));
      assert.equal(found.length, 1);
    }
  });

  test('the same mail and the same notification from everywhere at once are there once', async (t) => {
    const stores = await two(t);
    for (let round = 0; round < 10; round++) {
      const added = await Promise.all(
        Array.from({ length: 8 }, (_, n) => stores[n % 2]!.transact((tx) => tx.mails.add(mail(`m${round}`), 1))),
      );
      assert.equal(added.filter((one) => one.new).length, 1);
      const receipt = await stores[0].read((tx) => tx.mails.get(ana.tenant, `mail_m${round}`));
      assert.equal(receipt?.timesSeen, 8);
      const notification = {
        ...{ id: `ntf_${round}`, tenant: ana.tenant, endpoint: hook, eventId: eventId(`e${round}`), body: '{}' },
        ...{ state: 'pending', attempts: 0, nextAt: 1, lastStatus: undefined, lastError: undefined, createdAt: 1 },
        ...{ settledAt: undefined, correlation: 'c' },
      } as never;
      const queued = await Promise.all(
        Array.from({ length: 8 }, (_, n) => stores[n % 2]!.transact((tx) => tx.notifications.add(notification))),
      );
      assert.equal(queued.filter((one) => one.new).length, 1);
    }
  });

  test('a mail that another has just added, under both its keys, is a repeat and no fault', async (t) => {
    const [here, there] = await two(t);
    const { reached, open, pass } = gate();
    const first = here.transact(async (tx) => {
      const added = await tx.mails.add(mail('m'), 1);
      await pass();
      return added;
    });
    await reached;
    const second = there.transact((tx) => tx.mails.add(mail('m'), 1));
    assert.equal(await waits(second), true);
    open();
    assert.deepEqual([(await first).new, (await second).new], [true, false]);
  });

  test('one key with different contents, at once and in one commit: one is new, the others see it', async (t) => {
    const stores = await two(t);
    for (let round = 0; round < 10; round++) {
      const say = (store: SqlStore, what: string) =>
        store.transact(async (tx) => {
          const [first] = await tx.append([newEvent('probe')], origin(`probe-${round}-${what}`));
          assert.ok(first);
          const id = eventId(`same${round}`);
          const before = await tx.log.get(id);
          if (before !== undefined) return before.event.subject;
          await tx.log.append([{ ...first, id, subject: what }]);
          return 'new';
        });
      const said = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => say(stores[n % 2]!, `w${n}`)));
      const stored = await stores[0].read((tx) => tx.log.get(eventId(`same${round}`)));
      assert.deepEqual(
        said.filter((one) => one !== stored?.event.subject),
        ['new'],
        said.join(),
      );
    }
  });

  test('a limit on their number holds when many add at once', async (t) => {
    const stores = await two(t);
    const add = (n: number) =>
      stores[n % 2]!.transact(async (tx) => {
        await tx.accounts.change(ana.tenant);
        if ((await tx.accounts.listRules(ana.tenant, ana.traveller)).length >= 5) return false;
        const rule = { action: 'deny', field: 'domain', pattern: 'x.example', createdAt: n } as const;
        await tx.accounts.addRule({ ...ana, ...rule, id: `rule_${n}` });
        return true;
      });
    const added = await Promise.all(Array.from({ length: 20 }, (_, n) => add(n)));
    assert.equal(added.filter(Boolean).length, 5);
    assert.equal((await stores[0].read((tx) => tx.accounts.listRules(ana.tenant, ana.traveller))).length, 5);
  });

  test('of two rotations of a secret at once none is lost', async (t) => {
    const stores = await two(t);
    const endpoint = { url: 'https://x.example', state: 'active', stateReason: undefined, createdAt: 1 } as const;
    await stores[0].transact((tx) =>
      tx.accounts.addEndpoint({
        ...endpoint,
        id: hook,
        tenant: ana.tenant,
        traveller: undefined,
        sealedSecrets: ['0'],
      }),
    );
    let made = 0;
    const rotate = (store: SqlStore) => {
      const random = { bytes: () => Buffer.alloc(32, ++made), number: () => 0.5 };
      const secrets = { seal: (secret: string) => secret, open: (sealed: string) => sealed };
      const deps = { store, random, secrets, clock: stillClock() } as never;
      return rotateEndpoint(deps, { tenant: ana.tenant, traveller: undefined, scopes: ['write'] } as never, hook);
    };
    const rotated = await Promise.all([rotate(stores[0]), rotate(stores[1])]);
    const stored = await stores[0].read((tx) => tx.accounts.getEndpoint(ana.tenant, hook));
    assert.deepEqual(new Set(stored?.sealedSecrets), new Set(rotated.map((one) => one.secret)));
  });

  test('a deadlock that the database finds is no error of anybody', async (t) => {
    const [here, there] = await two(t);
    for (const id of ['tnt_a', 'tnt_b']) await here.transact((tx) => tx.accounts.ensureTenant(id as never, id, 1));
    const rename = (store: SqlStore, ids: readonly string[], wait: () => Promise<void>) =>
      store.transact(async ({ db }) => {
        for (const id of ids) {
          await db.updateTable('tenant').set({ name: ids.join() }).where('id', '=', id).execute();
          await wait();
        }
      });
    let waited = 0;
    const [one, other] = [gate(), gate()];
    const both = [
      rename(here, ['tnt_a', 'tnt_b'], () => (waited++ < 2 ? one.pass() : nothing())),
      rename(there, ['tnt_b', 'tnt_a'], () => (waited++ < 2 ? other.pass() : nothing())),
    ];
    await Promise.all([one.reached, other.reached]);
    one.open();
    other.open();
    await Promise.all(both);
    const names = await here.read(({ db }) => db.selectFrom('tenant').select('name').execute());
    assert.equal(new Set(names.map((row) => row.name)).size, 1);
  });
}
