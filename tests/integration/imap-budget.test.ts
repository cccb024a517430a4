import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ImapFlow } from 'imapflow';
import { type DovecotServer, PASSWORD, startDovecot } from '../../scripts/servers/dovecot.ts';
import { heldOff } from '../../src/app/mailbox-budget.ts';
import { createMailboxDesk } from '../../src/app/mailbox-desk.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { MailboxId, TenantId } from '../../src/domain/ids.ts';
import { account, beside, connector, never, skipWithoutDovecot } from './imap.testing.ts';

/** How many connections an account has to bear, at a server that allows two of a user and address. */

const limited = (error: unknown) =>
  error instanceof TripwatchError && error.kind === 'rate-limited' && error.code === 'mailbox-limited';

describe('connections of an account', { skip: skipWithoutDovecot() }, () => {
  let server: DovecotServer;
  before(async () => {
    server = await startDovecot({ users: 2, settings: ['mail_max_userip_connections = 2'] });
  });
  after(async () => await server?.stop());

  /** As other programs of the owner: two connections, which is all there may be. */
  const crowded = <T>(user: string, work: (other: ImapFlow) => Promise<T>): Promise<T> =>
    beside(server, user, () => beside(server, user, work));

  test('a server that has too many is asked once, by whomever, until the time that was said; then again', async () => {
    let later = 0;
    const inner = connector();
    let dialled = 0;
    const counted: typeof inner.open = (...args) => {
      dialled++;
      return inner.open(...args);
    };
    const guarded = heldOff({ ...inner, open: counted }, { now: () => Date.now() + later });
    const of = (user: string) => guarded.open(account(user, { port: server.port }), never);
    await crowded('user1', async () => {
      await assert.rejects(of('user1'), limited);
      await assert.rejects(of('user1'), limited);
    });
    assert.equal(dialled, 1);
    await (await of('user2')).close();
    assert.equal(dialled, 2, 'another account is not kept waiting');
    // There is room now, but it is not known before it is time.
    await assert.rejects(of('user1'), limited);
    later = 3_600_001;
    await (await of('user1')).close();
    assert.equal(dialled, 3);
  });

  test('people look one at a time; the second is told to try again, and a crowded account is said to be one', async () => {
    const parts = { connectors: [connector()], clock: { now: Date.now }, config: {} };
    const desk = createMailboxDesk(parts as unknown as Parameters<typeof createMailboxDesk>[0]);
    const look = (mailbox: string) =>
      desk.test(
        {
          ...{ kind: 'imap', tenant: 'tnt_test' as TenantId, mailbox: mailbox as MailboxId, since: 0, rules: [] },
          settings: { host: '127.0.0.1', port: server.port, security: 'plain' },
          credentials: { kind: 'password', user: 'user1', password: PASSWORD },
        },
        never,
      );
    // Known here twice, as it is to two travellers: it is one account.
    const [first, second] = await Promise.allSettled([look('mbx_a'), look('mbx_b')]);
    assert.equal(first.status, 'fulfilled');
    assert.ok(second.status === 'rejected' && limited(second.reason));
    assert.match(String(second.reason.message), /being looked into .* Try again in a minute/);
    assert.equal((await look('mbx_b')).label, 'IMAP');
    await crowded('user1', () => assert.rejects(look('mbx_a'), limited));
    await look('mbx_a');
  });
});
