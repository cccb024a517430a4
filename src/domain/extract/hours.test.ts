import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Warnings } from './draft.ts';
import { readLeg } from './legs.ts';
import { hoursOf } from './times.ts';

test('a check-in stated as hours has a begin and an end; one time, a day, or words are none', () => {
  const hours: readonly (readonly [string, string, string])[] = [
    ['15:00 - 22:00', '15:00', '22:00'],
    ['15:00-22:00', '15:00', '22:00'],
    ['15:00–22:30', '15:00', '22:30'],
    ['from 3:00 pm until 11:00 pm', '3:00 pm', '23:00'],
    ['von 15:00 bis 22:00', '15:00', '22:00'],
    ['14:00/24:00', '14:00', '00:00'],
    ['2026-12-01T15:00/2026-12-01T22:00', '2026-12-01T15:00', '22:00'],
    ['2026-12-01T15:00:00+01:00/2026-12-02T02:00:00+01:00', '2026-12-01T15:00:00+01:00', '02:00'],
  ];
  for (const [said, from, until] of hours) assert.deepEqual(hoursOf(said), { from, until }, said);
  const none = [
    '15:00',
    '2026-12-01',
    '2026-12-01T15:00:00-05:00',
    '2026-12-01T15:00-05:00',
    '01/12/2026',
    '2026/12/01',
  ];
  for (const said of [...none, '', 'from 15:00', 'any time - late', '15:00 - late', '1/2', undefined])
    assert.equal(hoursOf(said), undefined, String(said));
});

test('a stay whose check-in is a span begins with it, and names until when one may come', () => {
  const trip = { '@type': 'LodgingBusiness', name: 'Gasthof Probe' };
  const node = { checkinDate: '2026-12-03', checkinTime: '15:00 - 22:00', checkoutTime: '2026-12-06T11:00' };
  const warnings = new Warnings();
  const { facts } = readLeg({ kind: 'stay', node, trip, where: 'first', warnings });
  assert.equal(facts.facts['start.scheduled']?.value, '2026-12-03T15:00:00');
  assert.equal(facts.facts['start.until']?.value, '22:00');
  assert.equal(facts.facts['end.scheduled']?.value, '2026-12-06T11:00:00');
});
