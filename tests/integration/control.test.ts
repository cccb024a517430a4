/** Pausing and resuming by REST, what the status and the metrics say of it, and who may. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addToken } from '../../src/api/commands/accounts.ts';
import type { Figures } from '../../src/api/metrics.ts';
import { startApi } from './api.testing.ts';

const durations = { count: 2, p50Ms: 1.5, p99Ms: 20, maxMs: 25 };
const figures: Figures = {
  stages: [
    {
      ...{ name: 'extract', waiting: 3, parked: 1, running: 2, paused: true, processed: 40, repeats: 1, retried: 5 },
      ...{ dead: 6, latency: durations, wait: durations },
    },
  ],
  overloaded: false,
  held: ['extract/0', 'extract/1', 'sender'],
  workersAlive: 3,
  alarms: { 'nobody-works': 7 },
  providers: [
    {
      account: 'adb',
      subjects: 12,
      due: 4,
      failing: 1,
      held: 2,
      inFlight: 3,
      concurrency: 8,
      calls: 90,
      refused: 5,
      failed: 6,
      pace: 0.5,
      shortfallSeconds: 420,
      freshSecondsP50: 200,
      freshSecondsP99: 720,
      circuit: 'open',
      push: { kind: 'missing' },
      pushSeenAt: 1_700_000_000_000,
      paused: undefined,
    },
  ],
};

let looked = 0;
let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi({
    config: { providers: [{ account: 'adb', connector: 'aerodatabox', key: 'env:X' }] },
    consumers: [
      { name: 'collect', reads: 'mail.seen' },
      { name: 'extract', reads: 'mail.collected' },
    ],
    onPauses: () => looked++,
    figures: async () => figures,
    status: () => ({
      ...{ version: '0', startedAt: '2026-12-01T00:00:00Z', now: '2026-12-01T00:00:00Z', clockSpeed: 1, ready: true },
      stages: [{ name: 'extract', waiting: 1, parked: 0 }],
      providers: [
        { account: 'adb', label: 'ADB', state: 'ok', subjects: 0, unverified: 0, budgets: [], shortfallSeconds: 0 },
      ],
    }),
  });
});
after(() => service.close());

const extract = { kind: 'stage', id: 'extract', reason: 'looking into the parser' };

test('a stage is paused with a reason, shown wherever it matters, and goes on when it is resumed', async () => {
  const paused = await service.call('POST', '/v1/pauses', extract);
  assert.equal(paused.status, 200);
  assert.equal(paused.body.reason, extract.reason);
  assert.equal(looked, 1);
  const again = await service.call('POST', '/v1/pauses', { ...extract, reason: 'another' });
  assert.equal(again.body.reason, extract.reason, 'the first one stands');
  assert.equal(
    (await service.call('POST', '/v1/pauses', { kind: 'provider', id: 'adb', reason: 'quota' })).status,
    200,
  );
  const { body: status } = await service.call('GET', '/v1/status');
  assert.equal(status.stages[0].paused.reason, extract.reason);
  assert.equal(status.providers[0].state, 'paused');
  assert.match(status.providers[0].detail, /^paused by tok_\w+ since 20.*Z: quota$/);
  assert.deepEqual(
    status.paused.map((one: { id: string }) => one.id),
    ['extract', 'adb'],
  );
  assert.equal((await service.call('GET', '/v1/pauses')).body.items.length, 2);
  assert.equal((await service.call('DELETE', '/v1/pauses/stage/extract')).status, 200);
  assert.equal((await service.call('DELETE', '/v1/pauses/provider/adb')).status, 200);
  assert.deepEqual((await service.call('GET', '/v1/status')).body.paused, []);
  const audit = await service.call('GET', '/v1/audit?action=stage');
  assert.deepEqual(
    audit.body.items.map((one: { action: string; target: string }) => `${one.action} ${one.target}`),
    ['stage.resume extract', 'stage.pause extract'],
  );
});

test('what there is not is named, with what there is', async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ kind: 'stage', id: 'extrakt' }, /no stage "extrakt". Did you mean extract\? There are collect, extract\./],
    [{ kind: 'provider', id: 'abd' }, /no provider "abd". Did you mean adb\?/],
    [{ kind: 'mailbox', id: 'mbx_x' }, /no mailbox "mbx_x".* There is none\./],
    [{ kind: 'tenant', id: 'tnt_defualt' }, /no tenant "tnt_defualt". Did you mean tnt_default\?/],
  ];
  for (const [what, pattern] of cases) {
    const refused = await service.call('POST', '/v1/pauses', { ...what, reason: 'x' });
    assert.equal(refused.status, 404);
    assert.match(refused.body.detail, pattern);
  }
  const kind = await service.call('DELETE', '/v1/pauses/shard/1');
  assert.equal(kind.status, 404);
  assert.match(kind.body.detail, /There are stage, provider, mailbox, tenant/);
  const idle = await service.call('DELETE', '/v1/pauses/stage/collect');
  assert.match(idle.body.detail, /The stage collect is not paused\. None is\./);
  assert.equal((await service.call('POST', '/v1/pauses', { ...extract, reason: ' ' })).status, 422);
});

test('a paused mailbox refuses mails as well, and takes them again', async () => {
  const added = await service.call('POST', `/v1/travellers/${service.traveller}/mailboxes`, {
    kind: 'forward',
    label: 'x',
  });
  const { id } = added.body;
  const stateOf = async () => {
    const all = await service.store.read((tx) => tx.accounts.listMailboxes('tnt_default'));
    return all.find((one) => one.id === id)?.state;
  };
  await service.call('POST', '/v1/pauses', { kind: 'mailbox', id, reason: 'holiday' });
  assert.equal(await stateOf(), 'paused');
  await service.call('DELETE', `/v1/pauses/mailbox/${id}`);
  assert.equal(await stateOf(), 'active');
});

test('a tenant pauses itself and nothing that others share; one traveller pauses nothing', async () => {
  const other = await service.operator('tnt_other');
  const call = service.as(other.token);
  assert.equal((await call('POST', '/v1/pauses', { kind: 'tenant', id: 'tnt_other', reason: 'x' })).status, 200);
  for (const what of [
    extract,
    { kind: 'provider', id: 'adb', reason: 'x' },
    { kind: 'tenant', id: 'tnt_default', reason: 'x' },
  ])
    assert.equal((await call('POST', '/v1/pauses', what)).body.code, 'scope-missing');
  assert.equal((await call('GET', '/metrics')).body.code, 'scope-missing');
  await service.call('POST', '/v1/pauses', extract);
  const mine = await call('GET', '/v1/pauses');
  assert.deepEqual(
    mine.body.items.map((one: { id: string }) => one.id),
    ['tnt_other', 'extract'],
  );
  assert.equal((await service.call('GET', '/v1/pauses')).body.items.length, 2, 'the operator sees all');
  const third = await service.operator('tnt_third');
  assert.deepEqual(
    (await service.as(third.token)('GET', '/v1/pauses')).body.items.map((one: { id: string }) => one.id),
    ['extract'],
  );
  assert.equal((await service.call('DELETE', '/v1/pauses/tenant/tnt_other')).status, 200, 'the operator may');
  await service.call('DELETE', '/v1/pauses/stage/extract');
  const bound = await addToken(service.deps, service.caller, {
    label: 'one',
    traveller: service.traveller,
    scopes: ['read', 'operate'],
  });
  assert.equal((await service.as(bound.secret)('POST', '/v1/pauses', extract)).body.code, 'scope-missing');
});

test('figures in the text format of Prometheus, without anything personal', async () => {
  const { status, headers, body } = await service.call('GET', '/metrics');
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'tripwatch_stage_waiting{stage="extract"} 3',
    'tripwatch_stage_paused{stage="extract"} 1',
    'tripwatch_stage_processed_total{stage="extract"} 40',
    'tripwatch_stage_latency_seconds{stage="extract",quantile="0.99"} 0.02',
    'tripwatch_stage_latency_seconds_count{stage="extract"} 2',
    'tripwatch_leases_held{group="extract"} 2',
    'tripwatch_workers_alive 3',
    'tripwatch_alarm{kind="nobody-works"} 7',
    'tripwatch_provider_shortfall_seconds{account="adb"} 420',
    'tripwatch_provider_held{account="adb"} 2',
    'tripwatch_provider_refused_total{account="adb"} 5',
    'tripwatch_provider_circuit_open{account="adb"} 1',
    'tripwatch_provider_push_active{account="adb"} 0',
    'tripwatch_provider_push_seen_timestamp_seconds{account="adb"} 1700000000',
    'tripwatch_provider_age_seconds{account="adb",quantile="0.99"} 720',
    'tripwatch_events_lost 0',
    'tripwatch_events_recovered_total 0',
    'tripwatch_tenants_unbalanced 0',
  ])
    assert.ok(body.split('\n').includes(line), `${line}\nis not in\n${body}`);
  // Each metric is described once, before its values, and every line is of the format.
  const seen = new Set<string>();
  for (const line of body.trimEnd().split('\n')) {
    const name = /^# TYPE (\w+) (gauge|counter|summary)$/.exec(line)?.[1];
    if (name !== undefined) {
      assert.ok(!seen.has(name), line);
      seen.add(name);
    } else if (!line.startsWith('# HELP ')) assert.match(line, /^tripwatch_\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+-]+$/);
  }
  assert.doesNotMatch(body, /Ada|trv_|@/);
  assert.equal((await service.as(undefined)('GET', '/metrics')).status, 401);
});

test('the status tells a tenant its own balance, and the operator all', async () => {
  const { store } = service;
  const row = (tenant: string, passed: number) => ({
    ...{ consumer: 'extract', shard: 0, tenant, passed, settled: passed, ahead: 0, ahead_settled: 0, failed: 0 },
    ...{ overdue: 0, lost: 0, recovered: 0 },
  });
  await store.transact(async ({ db }) => {
    await db.insertInto('audited').values({ consumer: 'extract', shard: 0, seq: 9, turn: 0, checked_at: 5 }).execute();
    await db
      .insertInto('balance')
      .values([row('tnt_default', 4), row('tnt_other', 3)])
      .execute();
  });
  const { token } = await service.operator('tnt_other');
  const mine = (await service.as(token)('GET', '/v1/status')).body.conservation;
  assert.equal(mine.length, 1);
  assert.deepEqual(
    [mine[0].tenant, mine[0].accepted, mine[0].done, mine[0].balanced, mine[0].checkedAt],
    ['tnt_other', 3, 3, true, '1970-01-01T00:00:00.005Z'],
  );
  assert.equal((await service.call('GET', '/v1/status')).body.conservation.length, 2);
});
