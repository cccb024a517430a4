import type { Reservation } from '../../../src/domain/reservation.ts';
import { steady, withTx } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of what decides what a traveller is told. */
export const ALERT_BUGS: readonly PlantedBug[] = [
  {
    name: 'what was told is not recorded with the event',
    breaks: ['I23'],
    planted: () => withTx((tx) => ({ ...tx, alerts: { ...tx.alerts, put: async () => {} } })),
  },
  {
    name: 'nobody looks at what the clock brings about',
    breaks: ['I23'],
    plan: steady,
    planted: () => ({ groups: (groups) => groups.filter(({ name }) => name !== 'alerts') }),
  },
  {
    name: 'when to look by the clock is not stored with what was told',
    breaks: ['I23'],
    plan: steady,
    planted: () =>
      withTx((tx) => ({
        ...tx,
        alerts: {
          ...tx.alerts,
          put: (tenant, traveller, reservation, told, dueAt) =>
            tx.alerts.put(tenant, traveller, reservation, told, dueAt === undefined ? dueAt : null),
        },
      })),
  },
  {
    name: 'the clock tells of what was read once and is kept in memory',
    breaks: ['I23'],
    planted: () => {
      const kept = new Map<string, Reservation | undefined>();
      return withTx((tx) => ({
        ...tx,
        reservations: {
          ...tx.reservations,
          get: async (tenant, id) => {
            if (!kept.has(id)) kept.set(id, await tx.reservations.get(tenant, id));
            return kept.get(id);
          },
        },
      }));
    },
  },
];
