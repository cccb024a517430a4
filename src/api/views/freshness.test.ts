import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../adapters/clock/system.ts';
import { silentLogger } from '../../adapters/logger/pino.ts';
import { openSqliteStore } from '../../adapters/store/sqlite/store.ts';
import { completeEvents } from '../../contracts/event.ts';
import type { TopicData } from '../../contracts/topics.ts';
import { isoInstant } from '../../ports/clock.ts';
import { freshnessView } from './freshness.ts';

const NOW = Date.UTC(2026, 10, 1, 12);
const at = (seconds: number): string => isoInstant(NOW - seconds * 1000);

test('what counts, from when, and what is left of the budget', async () => {
  const store = openSqliteStore({ file: ':memory:', clock: createClock(), logger: silentLogger });
  const said = (n: number, times: Partial<TopicData<'itinerary.updated'>>) =>
    completeEvents(
      [
        {
          topic: 'itinerary.updated',
          tenant: 'tnt_a',
          traveller: 'trv_a',
          key: 'trv_a',
          subject: 'rsv_a',
          data: {
            reservationId: 'rsv_a',
            version: n,
            title: 'LH 400',
            sentences: [],
            changes: [],
            changedAt: at(0),
            publishedAt: at(0),
            confirmation: { account: 'adb', urgency: 'today' },
            ...times,
          },
        },
      ],
      { source: 'test', seed: String(n) },
      at(0),
    )[0]!;
  const events = [
    // Said 100 s ago, asked before 200 s ago: 100 s.
    said(1, { checkedBefore: at(200), assertedAt: at(100), observedAt: at(2) }),
    // The provider says it knew for an hour, but said otherwise 200 s ago: 200 s.
    said(2, { checkedBefore: at(200), assertedAt: at(3600), observedAt: at(2) }),
    // Its clock is ahead: from when we fetched it.
    said(3, { checkedBefore: at(200), assertedAt: at(-50), observedAt: at(2) }),
    // Not asked for too long: late.
    said(4, { checkedBefore: at(900), assertedAt: at(3600), observedAt: at(2) }),
    // A first answer, a mail, and one from before the time asked for.
    said(5, { assertedAt: at(3600), observedAt: at(2) }),
    said(6, { checkedBefore: at(900), confirmation: undefined }),
  ];
  try {
    const view = await store.transact(async (tx) => {
      const old = said(7, { checkedBefore: at(9000), assertedAt: at(9000), publishedAt: at(8000) });
      for (const event of [old, ...events]) await tx.itineraries.appendFeed('tnt_a', 'trv_a', event);
      return freshnessView(tx, { tenant: 'tnt_a', from: NOW - 3_600_000 });
    });
    assert.equal(view.complete, true);
    const [row, ...others] = view.rows;
    assert.deepEqual(others, []);
    assert.ok(row !== undefined);
    assert.deepEqual([row.account, row.urgency, row.changes, row.withinPromise], ['adb', 'today', 4, 3]);
    assert.equal(row.sincePossible.maxSeconds, 900);
    assert.ok(row.sincePossible.p50Seconds >= 100 && row.sincePossible.p50Seconds <= 120);
    assert.equal(row.sinceFetched.maxSeconds, 2);
    assert.deepEqual(row.sincePossible.histogram, [
      { upToSeconds: 2, count: 1 },
      { upToSeconds: 120, count: 1 },
      { upToSeconds: 240, count: 1 },
      { upToSeconds: 1800, count: 1 },
    ]);
    assert.ok(row.budgetLeft! < 0);
    const other = await store.read((tx) => freshnessView(tx, { tenant: 'tnt_b', from: 0 }));
    assert.deepEqual(other.rows, []);
  } finally {
    await store.close();
  }
});
