import { after } from 'node:test';
import { ImapFlow } from 'imapflow';
import { CYRUS_PASSWORD, type CyrusServer, startCyrus } from '../../../scripts/servers/cyrus.ts';
import { missingCyrus } from '../../../scripts/servers/find-cyrus.ts';
import { createJmapConnector } from '../../../src/adapters/mailbox/jmap/connector.ts';
import { account, clock, freshLine } from './api-rig.ts';
import { mailboxContract } from './mailbox-contract.ts';
import type { MailboxRig } from './rig.ts';

/** JMAP, against Debian's Cyrus. Each test has a user of its own. */

const missing = missingCyrus();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);

let server: Promise<CyrusServer> | undefined;
let used = 0;
after(async () => await (await server)?.stop());

async function open(): Promise<MailboxRig> {
  server ??= startCyrus({ users: 60 });
  const cyrus = await server;
  const user = cyrus.users[used++]!;
  const line = freshLine();
  /** As another program of the owner does things. */
  const beside = async (work: (client: ImapFlow) => Promise<unknown>): Promise<void> => {
    const auth = { user, pass: CYRUS_PASSWORD };
    const client = new ImapFlow({ host: '127.0.0.1', port: cyrus.imapPort, doSTARTTLS: false, auth, logger: false });
    await client.connect();
    await client.mailboxOpen('INBOX');
    await work(client);
    await client.logout();
  };
  // The server makes the mailbox when its owner signs in by IMAP.
  await beside(async () => {});
  return {
    connector: createJmapConnector({ clock, line, allowPrivate: true }),
    account: {
      ...account({ url: cyrus.url, folders: ['inbox'] }),
      credentials: async () => ({ kind: 'password', user, password: CYRUS_PASSWORD }),
    },
    badCredentials: { kind: 'password', user, password: 'wrong' },
    deliver: (mails, receivedAt) =>
      beside(async (client) => {
        // The server knows whole seconds only: each a second after the one before, as the order says.
        for (const [index, mail] of mails.entries()) {
          const at = (receivedAt ?? Date.now()) - (mails.length - 1 - index) * 1000;
          await client.append('INBOX', mail, [], new Date(at));
        }
      }),
    remove: (messageId) =>
      beside(async (client) => {
        await client.messageDelete({ header: { 'message-id': messageId } }, { uid: true });
      }),
    // Debian's build has its event stream switched off.
    tellsNothing: true,
    strictHeads: true,
    dispose: () => line.close(),
  };
}

mailboxContract('JMAP (Cyrus)', open, missing);
