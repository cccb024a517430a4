import type { Plan } from '../../../src/simulation/plan.ts';
import { pausing, steady, withTx } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of what travel providers push. */

/** The provider pushes all that changes, answers well, and is asked so seldom that a push makes a difference. */
const pushed = (plan: Plan): Plan => ({
  ...steady(plan),
  travellers: 2,
  flights: 2,
  speed: 120,
  freshSeconds: 7200,
  store: { ...plan.store, busy: 0, refused: 0, lost: 0 },
  provider: {
    ...{ walls: [], outages: [], slow: 0, fail: 0, other: 0, garbage: 0, stale: 0 },
    callsPerMinuteMax: 300,
  },
  pushes: { loss: 0, late: 0, twice: 0.3, forgeries: [] },
});

export const PROVIDER_PUSH_BUGS: readonly PlantedBug[] = [
  {
    name: 'why a subject is to be asked is not stored',
    breaks: ['I24'],
    plan: pushed,
    planted: () =>
      withTx((tx) => ({ ...tx, subjects: { ...tx.subjects, wake: (ids) => tx.subjects.wake(ids, 'related') } })),
  },
  {
    name: 'a pushed message wakes in memory only, in the process that it reached',
    breaks: ['I24'],
    plan: pushed,
    planted: () => ({
      ...withTx((tx) => ({ ...tx, subjects: { ...tx.subjects, wake: async () => {} } })),
      pushDesk: (desk, wake) => async (account, request) => {
        const answer = await desk(account, request);
        if (answer?.kind === 'accepted')
          wake((JSON.parse(Buffer.from(request.body).toString()) as { flights: readonly string[] }).flights);
        return answer;
      },
    }),
  },
  {
    name: 'who has stood still asks before the store has said whose the account is',
    breaks: ['I13'],
    plan: (plan) => {
      const { store, ...calm } = pushed(plan);
      // Not much longer than a lease: whoever stood still may get the account again at once.
      const pauses = pausing(plan)
        .pauses.map((one) => ({ ...one, ms: one.ms * 0.65 }))
        .flatMap((one) => [one, { ...one, at: one.at + 1_800_000 }])
        .toSorted((a, b) => a.at - b.at);
      const asked = { flights: 4, freshSeconds: 60, store: { ...store, answerMsMax: 6000 } };
      return { ...calm, ...asked, speed: 240, broker: 'sql', pauses };
    },
    planted: () => ({
      groups: (groups) =>
        groups.map((group) => ({ ...group, take: (resource, lease) => group.take(resource, lease, () => true) })),
    }),
  },
  {
    name: "a provider's signature is not looked at",
    breaks: ['I24'],
    plan: (plan) => ({
      ...plan,
      pushes: { loss: 0, late: 0, twice: 0, forgeries: Array.from({ length: 12 }, (_, hour) => hour * 3_600_000) },
    }),
    planted: () => ({ pushDesk: () => async () => ({ kind: 'accepted' }) }),
  },
];
