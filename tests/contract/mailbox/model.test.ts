import { createModelConnector } from '../../../src/adapters/mailbox/model/connector.ts';
import { type ModelMail, ModelMailServer } from '../../../src/adapters/mailbox/model/server.ts';
import { readHead } from '../../../src/domain/mail/head.ts';
import type { MailboxAccount, MailboxCapabilities } from '../../../src/ports/mailbox.ts';
import { seededRandom } from '../broker/rig.ts';
import { mailboxContract } from './mailbox-contract.ts';
import type { MailboxRig } from './rig.ts';

function open(
  push: MailboxCapabilities['push'],
  kind: 'token' | 'password',
  unkind: boolean,
): () => Promise<MailboxRig> {
  return async () => {
    const server = new ModelMailServer(unkind ? { random: seededRandom(7), repeats: 0.3, shortPages: 0.5 } : {});
    const credentials = (word: string) =>
      kind === 'token'
        ? ({ kind, user: 'me', accessToken: word } as const)
        : ({ kind: 'password', user: 'me', password: word } as const);
    const account: MailboxAccount = {
      mailbox: 'mbx_contract',
      tenant: 'tnt_contract',
      settings: {},
      credentials: async () => credentials('right'),
    };
    return {
      connector: createModelConnector({ push, server: () => server }),
      account,
      badCredentials: credentials('wrong'),
      deliver: async (all, receivedAt = Date.now()) => {
        for (const bytes of all) server.deliver(bytes, receivedAt);
      },
      remove: async (messageId) => server.remove(({ bytes }: ModelMail) => readHead(bytes).messageId === messageId),
      loseHistory: async () => server.renumber(),
      drop: async () => server.drop(),
      dispose: async () => server.drop(),
    };
  };
}

mailboxContract('model', open('live', 'password', false));
mailboxContract('model that repeats itself', open('none', 'token', true));
