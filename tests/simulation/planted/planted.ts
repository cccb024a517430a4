import type { Plan } from '../../../src/simulation/plan.ts';
import type { Planted } from '../../../src/simulation/process.ts';
import { ALERT_BUGS } from './alerts.ts';
import { BROKER_BUGS } from './broker.ts';
import { EDGE_BUGS } from './edges.ts';
import { LEASE_BUGS } from './leases.ts';
import { MAILBOX_BUGS } from './mailboxes.ts';
import { PROVIDER_PUSH_BUGS } from './provider-pushes.ts';
import { PUSH_BUGS } from './pushes.ts';
import { STAGE_BUGS } from './stages.ts';
import { STORE_BUGS } from './store.ts';

/** A bug as one might write it, put around a real part, with the invariants of which at least one must break. */
export interface PlantedBug {
  readonly name: string;
  readonly breaks: readonly string[];
  readonly planted: () => Planted;
  /** What has to happen for the bug to matter. */
  readonly plan?: (drawn: Plan) => Plan;
}

export const plantedBugs = (): readonly PlantedBug[] => [
  ...STORE_BUGS,
  ...BROKER_BUGS,
  ...LEASE_BUGS,
  ...STAGE_BUGS,
  ...EDGE_BUGS,
  ...MAILBOX_BUGS,
  ...PUSH_BUGS,
  ...PROVIDER_PUSH_BUGS,
  ...ALERT_BUGS,
];
