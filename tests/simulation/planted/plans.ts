import type { SqlStore, SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import {
  CALM_MAILBOXES,
  LEASE_MS,
  type MailboxPlan,
  type NodeMoment,
  type Plan,
} from '../../../src/simulation/plan.ts';
import type { Planted } from '../../../src/simulation/process.ts';
import { around } from '../../contract/broker/rig.ts';

/** Faults that a bug needs to show itself, and the absence of those that would hide which one it was. */

const HOUR = 3_600_000;

/** So many moments over the day, on each node in turn. */
function often(plan: Plan, count: number): readonly NodeMoment[] {
  return Array.from({ length: count }, (_, i) => ({
    at: ((i + 1) * plan.hours * HOUR) / (count + 1),
    node: i % plan.nodes,
  }));
}

export const crashing = (plan: Plan): Plan => ({ ...plan, crashes: often(plan, 12) });

/** Nobody dies, stops or stands still. */
export const steady = (plan: Plan): Plan => ({
  ...plan,
  crashAtCall: 0,
  crashes: [],
  restarts: [],
  powerLosses: [],
  pauses: [],
  extractor: { ...plan.extractor, killer: 0 },
});

export const failingStore = (plan: Plan): Plan => ({ ...plan, store: { ...plan.store, refused: 0.1, lost: 0.1 } });

export const slowStore = (plan: Plan): Plan => ({ ...plan, store: { ...plan.store, answerMsMax: 2000, slow: 0.1 } });

export const failingExtractor = (plan: Plan): Plan => ({
  ...plan,
  extractor: { busy: 0.5, hang: 0, poison: 0.2, killer: 0 },
});

/** Each node stands still now and then for longer than a lease, mostly while something is under way. */
export const pausing = (plan: Plan): Plan => ({
  ...slowStore(plan),
  broker: 'sql',
  pauses: often(plan, 12).map((moment) => ({ ...moment, ms: 2 * LEASE_MS * plan.speed })),
  speed: 240,
});

export const powerFailing = (plan: Plan): Plan => ({
  ...plan,
  powerLosses: often(plan, 4).map(({ at }) => at),
});

export const walled = (plan: Plan): Plan => ({
  ...steady(plan),
  provider: { ...plan.provider, callsPerMinuteMax: 1 },
});

export const deafReceiver = (plan: Plan): Plan => ({
  ...plan,
  receiver: { ...plan.receiver, lost: 0.5, fail: 0.2 },
});

export const repeating = (plan: Plan): Plan => ({
  ...plan,
  broker: 'memory',
  delivery: { duplicate: 0.3, loseAck: 0.3, reorderKeys: true },
});

/** All travellers have connected their mailboxes, where this goes wrong and nothing else. */
export const connected =
  (faults: Partial<MailboxPlan> = {}) =>
  (plan: Plan): Plan => ({
    ...plan,
    mailboxes: { ...CALM_MAILBOXES, connected: 3, share: 1, older: 6, news: 12, ...faults },
  });

/** The store with something changed inside of each transaction, as the process sees it. */
export function withTx(change: (tx: SqlTx) => SqlTx): Planted {
  return { store: (store) => changed(store, change) };
}

export function changed(store: SqlStore, change: (tx: SqlTx) => SqlTx): SqlStore {
  return around(store, (work, options) => store.transact((tx) => work(change(tx)), options));
}
