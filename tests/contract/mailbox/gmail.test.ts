import { createGmailConnector } from '../../../src/adapters/mailbox/gmail/connector.ts';
import { startGmailFake } from '../../../src/sandbox/mailboxes/gmail.ts';
import { account, clock, freshBox, freshLine, GOOD, outside, token } from './api-rig.ts';
import { mailboxContract } from './mailbox-contract.ts';

const open = (settings: Readonly<Record<string, unknown>>, recordsOf: number) => async () => {
  const box = freshBox();
  const fake = await startGmailFake({ box, now: () => clock.now(), accepts: (given) => given === GOOD });
  fake.recordsOf = recordsOf;
  fake.unitsPerMinute = 1e9;
  const line = freshLine();
  return {
    connector: createGmailConnector({ clock, line, url: fake.url, unitsPerMinute: 1e6 }),
    account: account(settings),
    badCredentials: token('bad'),
    ...outside(box),
    dispose: async () => {
      await line.close();
      await fake.close();
    },
  };
};

mailboxContract('Gmail API', open({ folders: ['INBOX'] }, 1));
mailboxContract('Gmail API, everything but junk, records of many mails', open({}, 7));
