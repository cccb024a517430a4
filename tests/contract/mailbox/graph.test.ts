import { createGraphConnector } from '../../../src/adapters/mailbox/graph/connector.ts';
import { systemRandom } from '../../../src/adapters/random/system.ts';
import { startGraphFake } from '../../../src/sandbox/mailboxes/graph.ts';
import { account, clock, freshBox, freshLine, GOOD, outside, token } from './api-rig.ts';
import { mailboxContract } from './mailbox-contract.ts';

const open = (settings: Readonly<Record<string, unknown>>, unkind: boolean) => async () => {
  const box = freshBox();
  const fake = await startGraphFake({ box, now: () => clock.now(), accepts: (given) => given === GOOD });
  fake.goneStatus = unkind ? 400 : 410;
  fake.headersInLists = !unkind;
  const line = freshLine();
  return {
    connector: createGraphConnector({ clock, random: systemRandom, line, url: fake.url }),
    account: account(settings),
    badCredentials: token('bad'),
    keepsBytes: false,
    ...outside(box),
    dispose: async () => {
      await line.close();
      await fake.close();
    },
  };
};

mailboxContract('Microsoft Graph', open({ folders: ['inbox'] }, false));
mailboxContract('Microsoft Graph, all folders, without headers in lists', open({}, true));
