import { withTx } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of what decides what a traveller is told. */
export const ALERT_BUGS: readonly PlantedBug[] = [
  {
    name: 'what was told is not recorded with the event',
    breaks: ['I23'],
    planted: () => withTx((tx) => ({ ...tx, alerts: { ...tx.alerts, put: async () => {} } })),
  },
];
