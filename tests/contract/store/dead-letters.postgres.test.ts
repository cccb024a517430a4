/** Only PostgreSQL has two processes that decide at the very same time: SQLite lets one write after the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../../src/api/auth.ts';
import { replayDeadLetters } from '../../../src/api/commands/dead-letter-bulk.ts';
import { editDeadLetter } from '../../../src/api/commands/dead-letter-edit.ts';
import { discardDeadLetter } from '../../../src/api/commands/dead-letters.ts';
import type { CommandDeps } from '../../../src/api/deps.ts';
import { configSchema } from '../../../src/contracts/config.ts';
import type { Store } from '../../../src/ports/store.ts';
import { seededRandom } from '../broker/rig.ts';
import { ana, newEvent, origin, stillClock } from './harness.ts';
import { freshSchema, openStore, serverForFile } from './postgres.testing.ts';

const LETTERS = 60;
const server = await serverForFile();

const deps = (store: Store, seed: number): CommandDeps => ({
  store,
  clock: stillClock(),
  random: seededRandom(seed),
  secrets: undefined as never,
  config: configSchema.parse({ providers: [] }),
});
const caller = (ref: string): Caller => ({ tenant: ana.tenant, traveller: undefined, scopes: ['operate'], ref });

if (server !== undefined)
  test('two processes replay, edit and discard the same letters at once: each is decided once', async (t) => {
    const schema = freshSchema();
    const one = await openStore(server, schema, { lanes: 3 });
    const two = await openStore(server, schema, { lanes: 3 });
    t.after(() => Promise.all([one.close(), two.close()]));
    const events = await one.transact((tx) =>
      tx.append(
        Array.from({ length: LETTERS }, (_, i) => newEvent(`s${i}`)),
        origin('letters'),
      ),
    );
    const now = stillClock().now();
    for (const [i, event] of events.entries())
      await one.transact(async (tx) => {
        await tx.log.claim('count', event.id, now);
        await tx.deadLetters.add({
          id: `dead_${i}`,
          tenant: ana.tenant,
          consumer: 'count',
          topic: event.topic,
          eventId: event.id,
          key: event.partitionkey,
          correlation: event.correlationid,
          provider: undefined,
          attempts: [],
          kind: 'poison',
          code: 'x',
          message: 'x',
          createdAt: now,
        });
      });
    const bulk = { dryRun: false, limit: LETTERS, signal: new AbortController().signal };
    // By hand from the other end, so that both meet in the middle.
    const byHand = async () => {
      const hand = deps(two, 3);
      let done = 0;
      for (const [i, event] of [...events.entries()].reverse()) {
        const edited = { ...event, data: { ...event.data, attempts: 9 } } as never;
        const work =
          i % 2 === 0
            ? editDeadLetter(hand, caller('hand'), `dead_${i}`, edited)
            : discardDeadLetter(hand, caller('hand'), `dead_${i}`, 'old');
        const fault = await work.then(
          () => undefined,
          (error) => error,
        );
        if (fault === undefined) done++;
        else assert.equal(fault.code, 'conflict', String(fault));
      }
      return done;
    };
    const [first, second, third] = await Promise.all([
      replayDeadLetters(deps(one, 1), caller('first'), {}, bulk),
      replayDeadLetters(deps(two, 2), caller('second'), {}, bulk),
      byHand(),
    ]);
    assert.equal(first.done + second.done + third, LETTERS);
    await one.read(async (tx) => {
      const { letters } = await tx.deadLetters.inOrder(ana.tenant, {}, { limit: 1000 });
      assert.equal(letters.length, LETTERS);
      const by = (ref: string) => letters.filter((letter) => letter.decidedBy === ref).length;
      assert.deepEqual([by('first'), by('second'), by('hand')], [first.done, second.done, third]);
      for (const { editedEvent, eventId, state } of letters) {
        const parked = await tx.log.parked(eventId);
        const replayed = state === 'replayed' && editedEvent === undefined;
        assert.equal(
          parked.length,
          replayed ? 1 : 0,
          'delivered again where it was replayed as it was, and only there',
        );
        if (editedEvent !== undefined) assert.equal((await tx.log.get(editedEvent))?.event.causationid, eventId);
      }
      const { entries } = await tx.audit.list(ana.tenant, { action: 'dead-letter', by: 'hand', limit: 500 });
      assert.equal(entries.length, third, 'on record is what was done, and only that');
    });
  });
