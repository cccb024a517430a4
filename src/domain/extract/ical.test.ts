import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractDocument } from './document.ts';

const HOURS = 'DTSTART:20261201T090500Z\nDTEND:20261201T175500Z';
const DAYS = 'DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261204';

function keys(summary: string, description = '', times = HOURS): readonly string[] {
  const lines = `SUMMARY:${summary}\nDESCRIPTION:${description}\n${times}`;
  const bytes = Buffer.from(`BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\n${lines}\nEND:VEVENT\nEND:VCALENDAR\n`);
  const { claims } = extractDocument({ bytes, receivedAt: '2026-11-22T12:00:00Z' });
  return claims.flatMap((claim) => claim.legs.flatMap((leg) => leg.keys));
}

test('flights in the ways calendars write them', () => {
  const jfk = ['leg:flight:lh400:2026-12-01:fra'];
  assert.deepEqual(keys('LH 400 FRA-JFK'), jfk);
  assert.deepEqual(keys('✈ LH400 FRA → JFK'), jfk);
  assert.deepEqual(keys('FRA-JFK LH 400'), jfk);
  assert.deepEqual(keys('Flight: LH 400 / FRA-JFK'), jfk);
  assert.deepEqual(keys('Flug LH 400 von FRA nach JFK'), jfk);
  assert.deepEqual(keys('Lufthansa LH 400 Frankfurt (FRA) - New York (JFK)'), jfk);
  assert.deepEqual(keys('Flight from Stuttgart to New York JFK', 'Flight number: LH 1\\nTerminal: 1'), [
    'leg:flight:lh1:2026-12-01:str',
  ]);
  assert.deepEqual(keys('Vol vers la mer', ''), []);
});

test('trains, stays and cars', () => {
  assert.deepEqual(keys('Train 5186 from Lyon to Paris'), ['leg:train:5186:2026-12-01:lyon']);
  assert.deepEqual(keys('Hotelbuchung: Zur Post', 'Buchungsnummer: 123456', DAYS), ['leg:stay:zurpost:2026-12-01']);
  assert.deepEqual(keys('Check-in: Zur Post', 'Check-in: 3:00 PM', DAYS), ['leg:stay:zurpost:2026-12-01']);
  assert.deepEqual(keys('Car rental: Compact', 'Pickup location: Foo Cars Bergen\\nConfirmation: 998877'), [
    'leg:rental:foocarsbergen:2026-12-01',
  ]);
});

test('meetings are no travel, whatever words they use', () => {
  for (const summary of [
    'Sprint 42 DEV to PRD',
    'Q4 2026 ROI-TBD review',
    'Room A1 200 MAX-LEO',
    'Train the trainers from zero to hero',
    'Flight simulator demo',
    'Flight to quality: bond market (talk)',
    'Hotel Foo: decide',
    'Rental car policy',
    'Check-in: weekly',
    'Reservation at Noma',
    '',
  ]) {
    assert.deepEqual(keys(summary), [], summary);
    assert.deepEqual(keys(summary, '', DAYS), [], summary);
  }
  // A known airline, two airports, and an hour: too short for the distance.
  assert.deepEqual(keys('MS 365 SEA to SAP migration', '', 'DTSTART:20261201T090000Z\nDTEND:20261201T100000Z'), []);
});
