import { after, before, test } from 'node:test';
import { brokerContract } from './broker-contract.ts';
import { missingServers, type Servers, serverRig, startServers } from './nats.testing.ts';

const missing = missingServers(false);
if (missing !== undefined) test('PostgreSQL', { skip: missing });
else {
  let servers: Servers;
  before(async () => {
    servers = await startServers(false);
  });
  after(() => servers?.stop());
  brokerContract('PostgreSQL', () => serverRig(servers));
}
