import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FLIGHT, idle, startApi } from './api.testing.ts';

let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi();
});
after(() => service.close());

test('a traveller sets what is told, kind by kind, and takes it back', async () => {
  const path = `/v1/travellers/${service.traveller}/alert-rules`;
  const first = await service.call('GET', path);
  assert.deepEqual([first.status, first.body.settings], [200, {}]);
  assert.deepEqual(first.body.rules.delay, { on: true, minutes: 15, stepMinutes: 15 });
  const set = await service.call('PATCH', path, { delay: { minutes: 30 }, gate: { on: false } });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  assert.deepEqual(set.body.rules.delay, { on: true, minutes: 30, stepMinutes: 15 });
  const more = await service.call('PATCH', path, { delay: { stepMinutes: 20 }, gate: null });
  assert.deepEqual(more.body.settings, { delay: { minutes: 30, stepMinutes: 20 } });
  assert.deepEqual((await service.call('GET', path)).body.settings, more.body.settings);
});

test('what cannot be set is refused and named, and changes nothing', async () => {
  const path = `/v1/travellers/${service.traveller}/alert-rules`;
  const before = (await service.call('GET', path)).body;
  for (const [body, status] of [
    [{ weather: { on: true } }, 422],
    [{ delay: { minutes: 0 } }, 422],
    [{ cancellation: { minutes: 5 } }, 422],
    [{ delay: { colour: 'red' } }, 422],
  ] as const) {
    const answer = await service.call('PATCH', path, body);
    assert.ok(answer.status === status || answer.status === 400, `${JSON.stringify(body)}: ${answer.status}`);
  }
  assert.deepEqual((await service.call('GET', path)).body, before);
  assert.equal((await service.call('GET', '/v1/travellers/trv_nobody/alert-rules')).status, 404);
  const other = await service.operator('tnt_other');
  assert.equal((await service.as(other.token)('GET', path)).status, 404);
});

test('the last alerts stand with the reservation', async () => {
  const added = await service.call('POST', '/v1/reservations', FLIGHT(service.traveller, 'ALERT1', '611'));
  const { id } = added.body.reservation;
  await idle(service.pump);
  assert.equal((await service.call('GET', `/v1/reservations/${id}`)).body.alerts, undefined);
  const alert = {
    kind: 'gate',
    severity: 'warning',
    sentence: 'LH 611: gate A1.',
    certain: true,
    facts: [{ fact: 'leg_a/start.gate', value: 'A1' }],
    reservation: id,
  } as const;
  await service.store.transact((tx) =>
    tx.alerts.put('tnt_default', service.traveller, id, { version: 1, facts: {}, alerts: [{ ...alert, at: 0 }] }, null),
  );
  const [shown] = (await service.call('GET', `/v1/reservations/${id}`)).body.alerts;
  assert.deepEqual(shown, { ...alert, at: '1970-01-01T00:00:00.000Z' });
});
