import { brokerContract } from './broker-contract.ts';
import { RIGS } from './rig.ts';

for (const [name, open] of Object.entries(RIGS)) brokerContract(name, open);
