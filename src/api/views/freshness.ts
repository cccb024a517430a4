import type { FreshnessView } from '../../contracts/http/freshness.ts';
import type { TopicData } from '../../contracts/topics.ts';
import {
  addDelay,
  DELAY_BOUNDS_MS,
  type Delays,
  delayQuantileMs,
  errorBudgetLeft,
  FRESH_MS,
  keptPromise,
  NO_DELAYS,
} from '../../domain/freshness-figures.ts';
import type { TenantId, TravellerId } from '../../domain/ids.ts';
import { FRESHNESS_CLASSES } from '../../domain/schedule/freshness.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { ReadTx } from '../../ports/store.ts';

/** Changes looked at for one answer, the newest. */
const CHANGES_MAX = 50_000;
const PAGE = 1000;

interface Row {
  readonly account: string;
  readonly urgency: string;
  possible: Delays;
  fetched: Delays;
}

/**
 * How soon the changes of a tenant (or traveller) since `from` (epoch ms) were published, from the change stream itself.
 * The clock of the promise starts at the earliest moment at which a change can have been visible to us: when the provider
 * says that it happened, or, where that is older, when it last said something else. First answers are left out: nobody
 * waited for them.
 */
export async function freshnessView(
  tx: ReadTx,
  { tenant, traveller, from }: { readonly tenant: TenantId; readonly traveller?: TravellerId; readonly from: number },
): Promise<FreshnessView> {
  const rows = new Map<string, Row>();
  let before: number | undefined;
  let looked = 0;
  let complete = false;
  while (looked < CHANGES_MAX) {
    const query = {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
      ...(traveller === undefined ? {} : { traveller }),
    };
    const page = await tx.itineraries.feedBack(tenant, query);
    looked += page.length;
    for (const { event } of page) {
      if (event.topic !== 'itinerary.updated') continue;
      const data = event.data as TopicData<'itinerary.updated'>;
      if (Date.parse(data.publishedAt) < from) complete = true;
      else count(rows, data);
    }
    before = page.at(-1)?.seq;
    if (page.length < PAGE) complete = true;
    if (complete) break;
  }
  const order = (one: Row): number => FRESHNESS_CLASSES.findIndex(({ name }) => name === one.urgency);
  return {
    since: isoInstant(from),
    promiseSeconds: FRESH_MS / 1000,
    complete,
    rows: [...rows.values()]
      .sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : order(a) - order(b)))
      .map(({ account, urgency, possible, fetched }) => {
        const budgetLeft = errorBudgetLeft(possible);
        return {
          account,
          urgency,
          changes: possible.count,
          withinPromise: keptPromise(possible),
          ...(budgetLeft === undefined ? {} : { budgetLeft: Math.round(budgetLeft * 1000) / 1000 }),
          sincePossible: delaysView(possible),
          sinceFetched: delaysView(fetched),
        };
      }),
    delivered: delaysView(await deliveries(tx, tenant, from)),
  };
}

function count(rows: Map<string, Row>, data: TopicData<'itinerary.updated'>): void {
  const { confirmation, checkedBefore, assertedAt, observedAt, publishedAt } = data;
  if (confirmation === undefined || checkedBefore === undefined) return;
  const key = `${confirmation.account} ${confirmation.urgency}`;
  const row = rows.get(key) ?? { ...confirmation, possible: NO_DELAYS, fetched: NO_DELAYS };
  rows.set(key, row);
  const published = Date.parse(publishedAt);
  const fetched = Date.parse(observedAt ?? publishedAt);
  // A source whose clock is ahead says that it happened after we heard of it.
  const said = Math.min(Date.parse(assertedAt ?? checkedBefore), fetched);
  row.possible = addDelay(row.possible, published - Math.max(said, Date.parse(checkedBefore)));
  row.fetched = addDelay(row.fetched, published - fetched);
}

async function deliveries(tx: ReadTx, tenant: TenantId, from: number): Promise<Delays> {
  const sent = await tx.notifications.list(tenant, { state: 'sent', limit: PAGE });
  return sent
    .filter((one) => one.createdAt >= from)
    .reduce((delays, one) => addDelay(delays, (one.settledAt ?? one.createdAt) - one.createdAt), NO_DELAYS);
}

function delaysView(delays: Delays) {
  return {
    count: delays.count,
    p50Seconds: delayQuantileMs(delays, 0.5) / 1000,
    p99Seconds: delayQuantileMs(delays, 0.99) / 1000,
    maxSeconds: delays.maxMs / 1000,
    histogram: delays.buckets.flatMap((count, index) => {
      const bound = DELAY_BOUNDS_MS[index];
      return count === 0 ? [] : [{ ...(bound === undefined ? {} : { upToSeconds: bound / 1000 }), count }];
    }),
  };
}
