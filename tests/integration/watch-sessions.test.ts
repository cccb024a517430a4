import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import { MailboxSessions } from '../../src/stages/watch/sessions.ts';
import { letter, settle, WatchRig } from './watch.testing.ts';

/** Sessions of a process that reads single mails and watches no mailbox. */

test('a session that was opened for a mail ends a while after its last use, though nobody watches here', async () => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  server.deliver(letter(1), rig.clock.now());
  const { access, store, clock } = rig;
  const sessions = new MailboxSessions({ access, store, clock, logger: silentLogger });
  const ref = { tenant: DEFAULT_TENANT, mailbox: 'mbx_a' } as const;
  const fetched = () =>
    sessions.use(ref, 'live', (session, signal) => session.fetch('INBOX;1;1', 10_000, signal), never);
  assert.equal((await fetched()).kind, 'mail');
  await clock.advance(50_000);
  await settle(20);
  assert.equal((await fetched()).kind, 'mail');
  assert.deepEqual([server.signIns, server.sessions], [1, 1], 'the same session, still open');
  for (let half = 0; half < 4; half++) {
    await clock.advance(30_000);
    await settle(20);
  }
  assert.deepEqual([server.sessions, sessions.size], [0, 0]);
  assert.equal(clock.sleeping, 0, 'and nothing waits any more');
  assert.equal((await fetched()).kind, 'mail');
  await sessions.close();
  await settle(20);
  assert.deepEqual([server.sessions, clock.sleeping], [0, 0]);
});

test('where a mailbox is not watched one session serves all; where it is, older mails have one of their own', async () => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  for (const n of [1, 2]) server.deliver(letter(n), rig.clock.now());
  const { access, store, clock } = rig;
  const sessions = new MailboxSessions({ access, store, clock, logger: silentLogger });
  const ref = { tenant: DEFAULT_TENANT, mailbox: 'mbx_a' } as const;
  const both = () =>
    Promise.all(
      (['live', 'work'] as const).map((lane, n) =>
        sessions.use(ref, lane, (session, signal) => session.fetch(`INBOX;1;${n + 1}`, 10_000, signal), never),
      ),
    );
  assert.deepEqual(
    (await both()).map(({ kind }) => kind),
    ['mail', 'mail'],
  );
  assert.deepEqual([server.sessions, sessions.size], [1, 1]);
  const watch = await store.read((tx) => tx.watches.get(ref.tenant, ref.mailbox));
  await sessions.pin(watch!, never);
  assert.equal(server.sessions, 1, 'the same one is kept');
  await both();
  assert.deepEqual([server.sessions, sessions.size], [2, 2]);
  await sessions.close();
  await settle(20);
  assert.deepEqual([server.sessions, clock.sleeping], [0, 0]);
});

const never = new AbortController().signal;
