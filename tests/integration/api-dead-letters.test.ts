import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { addToken } from '../../src/api/commands/accounts.ts';
import type { AnyEvent } from '../../src/contracts/event.ts';
import type { Scope } from '../../src/ports/store/accounts.ts';
import type { NewDeadLetter } from '../../src/ports/store/dead-letters.ts';
import { startApi } from './api.testing.ts';

const MINUTE = 60_000;

let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi({
    config: { providers: [{ account: 'adb', connector: 'aerodatabox', key: 'env:X', freshSeconds: 300 }] },
    consumers: [
      { name: 'reconcile', reads: 'observation.recorded' },
      { name: 'track', reads: 'reservation.changed' },
      { name: 'fan-out', reads: 'subject.observed' },
    ],
  });
  service.pump.on = false;
});
after(() => service.close());

let made = 0;
/** An event in the log and its letter. */
async function letter(change: Partial<NewDeadLetter> = {}): Promise<{ id: `dead_${string}`; event: AnyEvent }> {
  const n = ++made;
  const tenant = change.tenant ?? 'tnt_default';
  const id = `dead_${String(n).padStart(3, '0')}` as const;
  const event = await service.store.transact(async (tx) => {
    const [appended] = await tx.append(
      [
        {
          topic: 'notification.sent',
          tenant,
          key: `key${n}`,
          subject: `ntf_${n}`,
          data: { endpointId: 'whe_1', eventId: 'evt_1', state: 'sent', attempts: n, reason: 'Ada is at home' },
        },
      ],
      { source: 'test', seed: String(n), correlation: `mail_${n}` },
    );
    const at = service.deps.clock.now();
    await tx.log.claim('reconcile', appended!.id, at);
    await tx.deadLetters.add({
      id,
      tenant,
      consumer: 'reconcile',
      topic: 'notification.sent',
      eventId: appended!.id,
      key: `key${n}`,
      correlation: `mail_${n}`,
      provider: undefined,
      attempts: [
        { at: at - 1000, kind: 'transient', code: 'store-busy', message: 'busy' },
        { at, kind: 'poison', code: 'event-invalid', message: 'broken' },
      ],
      kind: 'poison',
      code: 'event-invalid',
      message: 'broken',
      createdAt: at,
      ...change,
    });
    return appended!;
  });
  return { id, event };
}
const ids = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map((one) => one.id);

test('only a token of the whole tenant with the scope operate gets in; letters of others are not found', async () => {
  const own = await letter();
  const foreign = await letter({ tenant: 'tnt_other' });
  const make = async (scopes: Scope[], traveller?: string) => {
    const body = {
      label: 'x',
      scopes,
      ...(traveller === undefined ? {} : { traveller: traveller as `trv_${string}` }),
    };
    return service.as((await addToken(service.deps, service.caller, body)).secret);
  };
  const callers = [await make(['read', 'write']), await make(['read', 'write', 'operate'], service.traveller)];
  const query = { query: { stage: 'reconcile' } };
  const calls: readonly (readonly [string, string, object?])[] = [
    ['GET', '/v1/dead-letters'],
    ['GET', '/v1/dead-letters/summary'],
    ['GET', `/v1/dead-letters/${own.id}`],
    ['POST', `/v1/dead-letters/${own.id}/replay`],
    ['POST', `/v1/dead-letters/${own.id}/edit`, { event: {} }],
    ['POST', `/v1/dead-letters/${own.id}/discard`, { reason: 'x' }],
    ['POST', '/v1/dead-letters/replays', query],
    ['POST', '/v1/dead-letters/discards', { ...query, reason: 'x' }],
    ['GET', '/v1/audit'],
  ];
  for (const caller of callers)
    for (const [method, path, body] of calls) {
      const answer = await caller(method, path, body);
      assert.equal(answer.status, 403, `${method} ${path}`);
      assert.equal(answer.body.code, 'scope-missing');
    }
  for (const [method, path, body] of calls.filter(([, path]) => path.includes(own.id))) {
    const answer = await service.call(method, path.replace(own.id, foreign.id), body);
    assert.equal(answer.status, 404, `${method} ${path}`);
  }
  assert.deepEqual(ids(await service.call('GET', '/v1/dead-letters')), [own.id]);
  const other = service.as((await service.operator('tnt_other')).token);
  assert.deepEqual(ids(await other('GET', '/v1/dead-letters')), [foreign.id]);
  const mass = await other('POST', '/v1/dead-letters/discards', { query: {}, all: true, reason: 'tidy' });
  assert.equal(mass.body.done, 1);
  assert.equal((await service.call('GET', `/v1/dead-letters/${own.id}`)).body.state, 'open');
  assert.deepEqual((await service.call('GET', '/v1/audit')).body.items, [], 'each tenant has its own trail');
  assert.equal((await other('GET', '/v1/audit')).body.items.length, 2);
  await service.call('POST', `/v1/dead-letters/${own.id}/discard`, { reason: 'done with' });
});

test('listed and summed up by any part of the query, page by page', async () => {
  const now = service.deps.clock.now();
  const old = await letter({
    createdAt: now - 90 * MINUTE,
    code: 'provider-timeout',
    provider: 'adb',
    kind: 'transient',
  });
  const newer = await letter({
    createdAt: now - 30 * MINUTE,
    code: 'provider-failed',
    provider: 'adb',
    consumer: 'fan-out',
  });
  const third = await letter({ createdAt: now - 5 * MINUTE, code: 'provider-failed', consumer: 'fan-out' });
  const list = async (query: string) => ids(await service.call('GET', `/v1/dead-letters?state=open&${query}`));
  assert.deepEqual(await list(''), [third.id, newer.id, old.id]);
  assert.deepEqual(await list('stage=fan-out'), [third.id, newer.id]);
  assert.deepEqual(await list('code=provider-failed'), [third.id, newer.id]);
  assert.deepEqual(await list('code=provider-*'), [third.id, newer.id, old.id]);
  assert.deepEqual(await list('kind=transient'), [old.id]);
  assert.deepEqual(await list('provider=adb'), [newer.id, old.id]);
  assert.deepEqual(await list('olderThan=1h'), [old.id]);
  assert.deepEqual(await list('youngerThan=10m'), [third.id]);
  assert.deepEqual(await list('olderThan=10m&youngerThan=1h'), [newer.id]);
  assert.deepEqual(await list(`olderThan=${new Date(now - 60 * MINUTE).toISOString()}`), [old.id]);
  assert.deepEqual(await list(`key=${old.event.partitionkey}`), [old.id]);
  assert.deepEqual(await list(`correlation=${newer.event.correlationid}`), [newer.id]);
  assert.deepEqual(await list('topic=mail.seen'), []);
  const first = await service.call('GET', '/v1/dead-letters?state=open&limit=2');
  assert.equal(first.body.total, 3);
  const second = await service.call('GET', `/v1/dead-letters?state=open&limit=2&before=${first.body.nextBefore}`);
  assert.deepEqual([...ids(first), ...ids(second)], [third.id, newer.id, old.id]);
  assert.equal(second.body.nextBefore, undefined);

  const summary = (await service.call('GET', '/v1/dead-letters/summary')).body;
  assert.equal(summary.total, 3);
  assert.deepEqual(
    summary.groups.map((one: { stage: string; code: string; count: number; example: string }) => [
      one.stage,
      one.code,
      one.count,
      one.example,
    ]),
    [
      ['fan-out', 'provider-failed', 2, third.id],
      ['reconcile', 'provider-timeout', 1, old.id],
    ],
  );
  for (const { id } of [old, newer, third])
    await service.call('POST', `/v1/dead-letters/${id}/discard`, { reason: 'done with' });
});

test('a mistyped name is said, with what was meant: an empty list would be good news', async () => {
  const { id } = await letter({ code: 'home-made', provider: 'duffel' });
  const refused = async (query: string, ...patterns: RegExp[]) => {
    const { status, body } = await service.call('GET', `/v1/dead-letters?${query}`);
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(body.code, 'query-invalid');
    for (const pattern of patterns) assert.match(body.detail, pattern);
  };
  await refused('stage=reconcil', /no stage "reconcil"/, /Did you mean reconcile\?/, /reconcile, track, fan-out/);
  await refused('code=parse-timout', /no code "parse-timout"/, /Did you mean parse-timeout\?/);
  await refused('code=hom-*', /no code "hom-\*"/, /home-made/);
  await refused('code=%25', /not an error code/);
  await refused('provider=adbb', /no provider "adbb"/, /Did you mean adb\?/, /duffel/);
  await refused('olderThan=yesterday', /olderThan/, /2h, 7d/);
  await refused('youngerThan=1h&olderThan=2h', /Nothing is both older than 2h and younger than 1h/);
  await refused('kind=deadly', /kind/);
  await refused('key=%00', /NUL/);
  assert.deepEqual(ids(await service.call('GET', '/v1/dead-letters?code=home-*')), [id]);
  const known = await service.call('GET', '/v1/dead-letters?code=parse-timeout');
  assert.deepEqual(known.body.items, [], 'a code that nobody has now is no mistake');
  const bulk = await service.call('POST', '/v1/dead-letters/replays', { query: { stage: 'trak' } });
  assert.match(bulk.body.detail, /Did you mean track\?/);
  await service.call('POST', `/v1/dead-letters/${id}/discard`, { reason: 'done with' });
});

test('shown with every attempt and where it came from; what may be personal only when asked for', async () => {
  const { id, event } = await letter();
  const plain = await service.call('GET', `/v1/dead-letters/${id}`);
  assert.equal(plain.body.attempts.length, 2);
  assert.equal(plain.body.attempts[0].code, 'store-busy');
  assert.equal(plain.body.event, event.id);
  assert.deepEqual(plain.body.origin, { mail: event.correlationid });
  assert.equal(plain.body.explain, event.correlationid);
  assert.equal(plain.body.payloadState, 'kept');
  assert.doesNotMatch(JSON.stringify(plain.body), /Ada/);
  const whole = await service.call('GET', `/v1/dead-letters/${id}?payload=true`);
  assert.deepEqual(whole.body.payload, event);
  assert.doesNotMatch(JSON.stringify((await service.call('GET', '/v1/dead-letters')).body), /Ada/);
  await service.call('POST', `/v1/dead-letters/${id}/discard`, { reason: 'done with' });
});

test('edited: refused with every fault, or a new event and an entry on record', async () => {
  const { id, event } = await letter();
  const edit = (changed: object) => service.call('POST', `/v1/dead-letters/${id}/edit`, changed);
  assert.equal((await edit({})).status, 422);
  assert.equal((await edit({ event: 'text' })).status, 422);
  const moved = await edit({ event: { ...event, tenantid: 'tnt_other' } });
  assert.equal(moved.status, 422);
  assert.deepEqual(moved.body.errors[0].path, 'tenantid');
  const unfit = await edit({ event: { ...event, data: { ...event.data, state: 'lost' } } });
  assert.match(unfit.body.detail, /data\.state/);
  const done = await edit({ event: { ...event, data: { ...event.data, attempts: 999 } }, reason: 'was cut off' });
  assert.equal(done.status, 200);
  assert.equal(done.body.letter.editedEvent, done.body.event);
  assert.equal((await edit({ event: { ...event, data: { ...event.data, attempts: 998 } } })).status, 409);
  const explained = await service.call('GET', `/v1/explain/${done.body.event}`);
  const shown = explained.body.events.find((one: { id: string }) => one.id === done.body.event);
  assert.equal(shown.causation, event.id);
  assert.equal(shown.recipient, 'reconcile');
  const [entry] = (await service.call('GET', '/v1/audit?action=dead-letter.edit')).body.items;
  assert.equal(entry.target, id);
  assert.equal(entry.details.editedEvent, done.body.event);
  assert.equal(entry.details.reason, 'was cut off');
  assert.match(entry.by, /^tok_/);
});

test('whatever comes as an edited event is refused or taken, never a fault of ours, and never for somebody else', async () => {
  const { event } = await letter();
  const any = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('tnt_other', 'reconcile', {}, [], '', null));
  const fields = fc.dictionary(fc.constantFrom(...Object.keys(event), '__proto__', 'recipient', 'x'), any, {
    maxKeys: 3,
  });
  const data = fc.dictionary(fc.constantFrom(...Object.keys(event.data), 'tenant', 'constructor'), any, { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(fields, data, async (changed, changedData) => {
      const { id, event: own } = await letter();
      const edited = { ...own, data: { ...own.data, ...changedData }, ...changed };
      const answer = await service.call('POST', `/v1/dead-letters/${id}/edit`, { event: edited });
      assert.ok([200, 400, 422].includes(answer.status), `${answer.status} ${JSON.stringify(answer.body)}`);
      if (answer.status !== 200) return;
      const { event: appended } = (await service.store.read((tx) => tx.log.get(answer.body.event)))!;
      assert.deepEqual([appended.tenantid, appended.recipient], ['tnt_default', 'reconcile']);
      assert.equal(appended.partitionkey, own.partitionkey);
    }),
    { numRuns: 100 },
  );
  await service.call('POST', '/v1/dead-letters/discards', { query: {}, all: true, reason: 'done with' });
});

test('replayed once, however often it is asked for; what is discarded stays so', async () => {
  const one = await letter();
  const two = await letter();
  const results = await Promise.all(
    Array.from({ length: 5 }, () => service.call('POST', `/v1/dead-letters/${one.id}/replay`)),
  );
  assert.deepEqual(results.map((answer) => answer.status).sort(), [200, 409, 409, 409, 409]);
  const conflict = results.find((answer) => answer.status === 409)!;
  assert.match(conflict.body.detail, /is replayed already, by tok_/);
  assert.equal((await service.call('POST', `/v1/dead-letters/${one.id}/discard`, { reason: 'late' })).status, 409);
  const empty = await service.call('POST', `/v1/dead-letters/${two.id}/discard`, { reason: '  ' });
  assert.match(empty.body.detail, /reason.*must say why/);
  assert.equal((await service.call('POST', `/v1/dead-letters/${two.id}/discard`, { reason: 'old' })).status, 200);
  assert.equal((await service.call('POST', `/v1/dead-letters/${two.id}/replay`)).status, 409);
  const { items } = (await service.call('GET', `/v1/audit?target=${one.id}`)).body;
  assert.equal(items.length, 1);
  assert.equal(items[0].action, 'dead-letter.replay');
});

test('by query: a dry run, then at most 100 a call, then what is left', async () => {
  for (let i = 0; i < 12; i++) await letter({ code: 'home-made' });
  const gone = await letter({ code: 'home-made', eventId: 'evt_gone' });
  const replays = (body: object) => service.call('POST', '/v1/dead-letters/replays', body);
  const empty = await replays({ query: {} });
  assert.equal(empty.status, 422);
  assert.match(empty.body.detail, /"all": true/);
  assert.equal((await replays({ query: { state: 'replayed' } })).status, 422);
  assert.equal((await replays({ query: {}, all: true, limit: 101 })).status, 422);
  assert.equal((await replays({ query: {}, all: true, ratePerSecond: 1 })).status, 422);
  const query = { code: 'home-*' };
  const dry = await replays({ query, dryRun: true });
  assert.deepEqual([dry.body.matched, dry.body.done, dry.body.ids.length], [13, 0, 13]);
  assert.equal(dry.body.summary.groups[0].count, 13);
  const first = await replays({ query, limit: 8, ratePerSecond: 1000, reason: 'mended' });
  assert.deepEqual([first.body.matched, first.body.done], [13, 7]);
  assert.deepEqual(first.body.skipped, [{ id: gone.id, why: 'its event is no longer in the log: discard it' }]);
  const second = await replays({ query, ratePerSecond: 1000, after: first.body.next });
  assert.equal(second.body.done, 5);
  assert.equal(second.body.next, undefined);
  assert.match((await replays({ query, after: 'x' })).body.detail, /no place to go on from/);
  const rest = await service.call('POST', '/v1/dead-letters/discards', { query, reason: 'its event is gone' });
  assert.deepEqual([rest.body.matched, rest.body.done], [1, 1]);
  const { items } = (await service.call('GET', '/v1/audit?action=dead-letter&limit=6')).body;
  assert.deepEqual(
    items.map((one: { action: string }) => one.action),
    [
      'dead-letter.bulk-discard-end',
      'dead-letter.bulk-discard',
      'dead-letter.bulk-replay-end',
      'dead-letter.bulk-replay',
      'dead-letter.bulk-replay-end',
      'dead-letter.bulk-replay',
    ],
  );
});

test('who goes away while it runs ends it: the rest stays open', async () => {
  for (let i = 0; i < 6; i++) await letter({ code: 'slow-one' });
  const asking = new AbortController();
  const body = JSON.stringify({ query: { code: 'slow-one' }, ratePerSecond: 4 });
  const call = fetch(`${service.url}/v1/dead-letters/replays`, {
    method: 'POST',
    signal: asking.signal,
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body,
  });
  await service.deps.clock.sleep(300, asking.signal);
  asking.abort();
  await assert.rejects(call);
  // It is told at the next letter, a quarter of a second later; then its end is on record.
  let end: { details: { stopped?: string; done: number } } | undefined;
  for (let i = 0; end === undefined && i < 100; i++) {
    await service.deps.clock.sleep(20, new AbortController().signal);
    const { items } = (await service.call('GET', '/v1/audit?limit=1')).body;
    if (items[0].action === 'dead-letter.bulk-replay-end') end = items[0];
  }
  assert.equal(end?.details.stopped, 'called off');
  const left = (await service.call('GET', '/v1/dead-letters?state=open&code=slow-one')).body.total;
  assert.equal(left, 6 - end!.details.done);
  assert.ok(left >= 3, `${left} are left`);
});

test('the audit trail is asked by action, person, target and time, in pages', async () => {
  const all = (await service.call('GET', '/v1/audit?limit=500')).body.items;
  assert.ok(all.length > 10);
  const first = (await service.call('GET', '/v1/audit?limit=4')).body;
  const second = (await service.call('GET', `/v1/audit?limit=4&before=${first.nextBefore}`)).body;
  assert.deepEqual([...first.items, ...second.items], all.slice(0, 8));
  const [{ by }] = all;
  assert.equal((await service.call('GET', `/v1/audit?by=${by}&limit=500`)).body.items.length, all.length);
  assert.equal((await service.call('GET', '/v1/audit?since=1h&limit=500')).body.items.length, all.length);
  assert.deepEqual((await service.call('GET', '/v1/audit?by=nobody')).body.items, []);
  assert.equal((await service.call('GET', '/v1/audit?since=soon')).status, 400);
  assert.equal((await service.call('GET', '/v1/audit?action=Drop%20table')).status, 400);
});
