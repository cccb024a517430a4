import { after, before, test } from 'node:test';
import { brokerContract } from './broker-contract.ts';
import { missingServers, type Servers, serverRig, startServers } from './nats.testing.ts';

const missing = missingServers(true);
if (missing !== undefined) test('PostgreSQL and NATS', { skip: missing });
else {
  let servers: Servers;
  before(async () => {
    servers = await startServers(true);
  });
  after(() => servers?.stop());
  brokerContract('PostgreSQL and NATS', () => serverRig(servers));
}
