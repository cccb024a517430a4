import type { TenantId } from '../domain/ids.ts';
import { LOOK_AHEAD_MAX } from '../domain/limits.ts';
import type { OpenEvent, ShardLook } from '../ports/store/conservation.ts';
import type { ReadTx } from '../ports/store.ts';
import type { AuditedConsumer } from './conservation-alarms.ts';

/** All events of one tenant, over all stages, at this moment. */
export interface BalanceNow {
  readonly tenant: TenantId;
  readonly accepted: number;
  readonly done: number;
  readonly failed: number;
  readonly inProgress: number;
  /** Nowhere: what the sum of the others lacks. */
  readonly lost: number;
  readonly recovered: number;
}

export interface ConservationNow {
  readonly balances: readonly BalanceNow[];
  readonly lost: readonly (OpenEvent & { readonly consumer: string; readonly shard: number })[];
  /** The oldest of the last checks by the running processes, epoch ms; undefined: there was none. */
  readonly checkedAt: number | undefined;
}

/** What one look goes through here: whoever asks waits for the answer, and nobody else does. */
const EVENTS_MAX = 10_000_000;

/**
 * The balance now, worked out in one snapshot from the books and what came since: whether or not a service runs. Writes
 * nothing and puts nothing back.
 */
export async function conservationNow(
  tx: ReadTx,
  options: { readonly consumers: readonly AuditedConsumer[]; readonly shards: number; readonly now: number },
): Promise<ConservationNow> {
  const { consumers, shards, now } = options;
  const books = await tx.conservation.balances();
  const sums = new Map<TenantId, Sum>();
  for (const { tenant, marked, recovered } of books) {
    const { passed, settled, unsettled } = marked;
    sums.set(tenant, { accepted: passed, settled, open: unsettled, failed: 0, lost: 0, recovered });
  }
  const lost = [];
  for (const { name, reads } of consumers)
    for (let shard = 0; shard < shards; shard++) {
      const place = { consumer: name, topic: reads, shard };
      const limits = { now, eventsMax: EVENTS_MAX, aheadMax: LOOK_AHEAD_MAX, overdueBefore: undefined };
      const look = await tx.conservation.look(place, limits);
      addTo(sums, look);
      lost.push(...look.lost.map((one) => ({ ...one, consumer: name, shard })));
    }
  const balances = [...sums].map(([tenant, { accepted, settled, open, failed, lost, recovered }]) => ({
    ...{ tenant, accepted, done: settled - failed, failed, inProgress: open - lost, lost, recovered },
  }));
  const checked = books.map((one) => one.checkedAt);
  return {
    balances: balances.sort((a, b) => (a.tenant < b.tenant ? -1 : 1)),
    lost,
    checkedAt: checked.length === 0 ? undefined : Math.min(...checked),
  };
}

interface Sum {
  accepted: number;
  settled: number;
  open: number;
  failed: number;
  lost: number;
  readonly recovered: number;
}

function addTo(sums: Map<TenantId, Sum>, look: ShardLook): void {
  const of = (tenant: TenantId): Sum => {
    let found = sums.get(tenant);
    if (found === undefined) {
      found = { accepted: 0, settled: 0, open: 0, failed: 0, lost: 0, recovered: 0 };
      sums.set(tenant, found);
    }
    return found;
  };
  for (const [tenant, tally] of look.tallies) {
    const sum = of(tenant);
    sum.accepted += tally.passed + tally.ahead;
    sum.settled += tally.passedSettled + tally.aheadSettled;
    sum.open += tally.passed - tally.passedSettled + tally.ahead - tally.aheadSettled;
    sum.failed += tally.failed;
  }
  for (const { tenant, gone } of look.closed) {
    const sum = of(tenant);
    sum.open--;
    if (gone) sum.accepted--;
    else sum.settled++;
  }
  for (const { tenant } of look.reopened) {
    const sum = of(tenant);
    sum.open++;
    sum.settled--;
  }
  for (const { tenant } of look.lost) of(tenant).lost++;
}
