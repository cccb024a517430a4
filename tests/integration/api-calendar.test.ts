import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import ICAL from 'ical.js';
import { FLIGHT, startApi } from './api.testing.ts';

let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi();
});
after(() => service.close());

async function events(path: string) {
  const answer = await service.as(undefined)('GET', path);
  assert.equal(answer.status, 200);
  const root = new ICAL.Component(ICAL.parse(answer.body));
  return { answer, root, events: root.getAllSubcomponents('vevent').map((one) => new ICAL.Event(one)) };
}

test('a calendar address: read back, updated with a higher SEQUENCE and the same UID, cancelled, revoked', async () => {
  const made = await service.call('POST', `/v1/travellers/${service.traveller}/feed`);
  assert.equal(made.status, 201);
  const path = new URL(made.body.url).pathname;
  const body = FLIGHT(service.traveller);
  Object.assign(body.legs[0]!.facts, {
    'start.name': 'Terminal; with, odd\\ signs 🛫 and a very long name that must be folded somewhere',
  });
  const added = await service.call('POST', '/v1/reservations', body);
  const { reservation } = added.body;

  const first = await events(path);
  assert.equal(first.root.getFirstPropertyValue('version'), '2.0');
  assert.equal(String(first.root.getFirstPropertyValue('refresh-interval')), 'PT15M');
  const [flight] = first.events;
  assert.equal(flight!.startDate.toJSDate().toISOString(), '2026-12-01T09:05:00.000Z');
  assert.equal(flight!.endDate.toJSDate().toISOString(), '2026-12-01T18:05:00.000Z');
  assert.match(flight!.location, /Terminal; with, odd\\ signs 🛫/);
  assert.match(flight!.description, /Departs 2026-12-01 10:05 local time \(Europe\/Berlin\)/);
  for (const line of String(first.answer.body).split('\r\n')) assert.ok(Buffer.byteLength(line) <= 75, line);
  assert.doesNotMatch(String(first.answer.body).replaceAll('\r\n', ''), /[\r\n]/);
  assert.equal(first.answer.headers.get('referrer-policy'), 'no-referrer');
  assert.match(first.answer.headers.get('cache-control') ?? '', /private/);

  const etag = first.answer.headers.get('etag')!;
  const same = await service.as(undefined)('GET', path, undefined, { 'if-none-match': etag });
  assert.equal(same.status, 304);
  assert.equal(same.body, '');

  const leg = reservation.legs[0].id;
  await service.call('PATCH', `/v1/reservations/${reservation.id}`, { leg, facts: { status: 'cancelled' } });
  const second = await events(path);
  assert.notEqual(second.answer.headers.get('etag'), etag);
  assert.equal(second.events[0]!.uid, flight!.uid);
  assert.ok(second.events[0]!.sequence > flight!.sequence);
  assert.equal(second.events[0]!.component.getFirstPropertyValue('status'), 'CANCELLED');

  const asToken = /feeds\/(.*)\.ics/.exec(path)![1];
  assert.equal((await service.as(asToken)('GET', '/v1/travellers')).status, 401);
  assert.equal((await service.call('DELETE', `/v1/travellers/${service.traveller}/feed`)).body.revoked, 1);
  const gone = await service.as(undefined)('GET', path);
  assert.equal(gone.status, 404);
  assert.doesNotMatch(JSON.stringify(gone.body), new RegExp(asToken!));
});

test('unknown and odd calendar addresses are 404', async () => {
  for (const file of [
    'x.ics',
    'twf_short.ics',
    `twf_${'a'.repeat(52)}.ics`,
    service.token,
    '%00.ics',
    '..%2f..%2fetc.ics',
  ]) {
    assert.equal((await service.as(undefined)('GET', `/feeds/${file}`)).status, 404, file);
  }
});
