import { createJmapConnector } from '../../../src/adapters/mailbox/jmap/connector.ts';
import type { Credentials } from '../../../src/ports/mailbox.ts';
import { startJmapFake } from '../../../src/sandbox/mailboxes/jmap.ts';
import { account, clock, freshBox, freshLine, GOOD, outside, token } from './api-rig.ts';
import { mailboxContract } from './mailbox-contract.ts';

const password = (word: string): Credentials => ({ kind: 'password', user: 'me@mailbox.example', password: word });
const basic = `Basic ${Buffer.from('me@mailbox.example:right').toString('base64')}`;

const open =
  (folders: readonly string[] | undefined, kind: 'token' | 'password', objectsInGetMax: number) => async () => {
    const box = freshBox();
    const accepts = (given: string) => given === `Bearer ${GOOD}` || given === basic;
    const fake = await startJmapFake({ box, accepts, objectsInGetMax });
    const line = freshLine();
    const settings = { url: fake.url, ...(folders === undefined ? {} : { folders }) };
    return {
      connector: createJmapConnector({ clock, line, allowPrivate: true }),
      account:
        kind === 'token' ? account(settings) : { ...account(settings), credentials: async () => password('right') },
      badCredentials: kind === 'token' ? token('bad') : password('wrong'),
      ...outside(box),
      dispose: async () => {
        await line.close();
        await fake.close();
      },
    };
  };

mailboxContract('JMAP', open(['inbox'], 'token', 50));
mailboxContract('JMAP, all folders, by password, few objects in an answer', open(undefined, 'password', 3));
