import { after } from 'node:test';
import { ImapFlow } from 'imapflow';
import { type DovecotServer, missingDovecot, PASSWORD, startDovecot } from '../../../scripts/servers/dovecot.ts';
import { createImapConnector } from '../../../src/adapters/mailbox/imap/connector.ts';
import type { MailboxId, TenantId } from '../../../src/domain/ids.ts';
import { startTcpProxy } from '../../chaos/tcp-proxy.ts';
import { mailboxContract } from './mailbox-contract.ts';
import type { MailboxRig } from './rig.ts';

/** IMAP, against Debian's Dovecot behind a proxy that can cut it off. Each test has a user of its own. */

const missing = missingDovecot();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);

let server: Promise<DovecotServer> | undefined;
let used = 0;
after(async () => await (await server)?.stop());

async function open(): Promise<MailboxRig> {
  server ??= startDovecot({ users: 60 });
  const dovecot = await server;
  const user = dovecot.users[used++]!;
  const proxy = await startTcpProxy({ target: { port: dovecot.port } });
  const connector = createImapConnector({ allowPrivate: true, allowPlain: false });
  /** As another program of the owner does things. */
  const beside = async (work: (client: ImapFlow) => Promise<unknown>): Promise<void> => {
    const auth = { user, pass: PASSWORD };
    const client = new ImapFlow({ host: '127.0.0.1', port: dovecot.port, doSTARTTLS: false, auth, logger: false });
    await client.connect();
    await client.mailboxOpen('INBOX');
    await work(client);
    await client.logout();
  };
  return {
    connector,
    account: {
      mailbox: 'mbx_contract' as MailboxId,
      tenant: 'tnt_contract' as TenantId,
      settings: { host: '127.0.0.1', port: proxy.port, security: 'plain', folders: ['INBOX'] },
      credentials: async () => ({ kind: 'password', user, password: PASSWORD }),
    },
    badCredentials: { kind: 'password', user, password: 'wrong' },
    deliver: (mails, receivedAt) =>
      beside(async (client) => {
        for (const mail of mails) await client.append('INBOX', mail, [], new Date(receivedAt ?? Date.now()));
      }),
    remove: (messageId) =>
      beside(async (client) => {
        await client.messageDelete({ header: { 'message-id': messageId } }, { uid: true });
      }),
    loseHistory: async () => dovecot.renumber(user),
    drop: async () => {
      proxy.reset();
    },
    dispose: () => proxy.close(),
  };
}

mailboxContract('IMAP (Dovecot)', open, missing);
