import assert from 'node:assert/strict';
import { test } from 'node:test';
import { airlineCode, airlineName } from './airlines.ts';
import table from './airports.json' with { type: 'json' };
import { airportByCode, airportsByName, countryCode, distanceKm, zoneNear, zoneOfCountry } from './airports.ts';

const codes = (name: string) => airportsByName(name).map((airport) => airport.code);

test('codes, with zones that the runtime knows', () => {
  assert.equal(airportByCode(' fra ')?.zone, 'Europe/Berlin');
  assert.equal(airportByCode('BAH')?.zone, 'Asia/Bahrain');
  assert.equal(airportByCode('TXL')?.city, 'Berlin', 'closed airports stay: old mails name them');
  assert.equal(airportByCode('QQQ'), undefined);
  for (const zone of table.zones)
    assert.doesNotThrow(() => Temporal.PlainDateTime.from('2026-01-01').toZonedDateTime(zone), zone);
});

test('names as mails print them; what fits several airports is not guessed', () => {
  assert.deepEqual(codes('TOULOUSE FR BLAGNAC'), ['TLS']);
  assert.deepEqual(codes('Seattle-Tacoma International Airport'), ['SEA']);
  assert.deepEqual(codes('VALENCIA ES VALENCIA AIRPORT'), ['VLC']);
  assert.deepEqual(codes('Frankfurt International').sort(), ['FRA', 'HHN']);
  assert.deepEqual(codes(''), []);
  assert.deepEqual(codes('Airport'), []);
  assert.deepEqual(codes('x'.repeat(1000)), []);
});

test('countries and coordinates', () => {
  assert.equal(countryCode('Österreich'), 'AT');
  assert.equal(countryCode('UK'), 'GB');
  assert.equal(countryCode('Atlantis'), undefined);
  assert.equal(zoneOfCountry('GERMANY'), 'Europe/Berlin');
  assert.equal(zoneOfCountry('US'), undefined);
  assert.equal(zoneOfCountry('toString'), undefined);
  assert.equal(zoneNear(43.83, 4.37, 'FR'), 'Europe/Paris');
  assert.equal(zoneNear(0, -30), undefined);
  assert.equal(zoneNear(Number.NaN, 0), undefined);
  const [fra, jfk] = [airportByCode('FRA'), airportByCode('JFK')];
  assert.ok(fra && jfk && Math.abs(distanceKm(fra, jfk) - 6200) < 100);
});

test('airlines by code and name', () => {
  assert.equal(airlineName('lh'), 'Lufthansa');
  assert.equal(airlineCode('United'), 'UA');
  assert.equal(airlineCode('UNITED AIRLINES'), 'UA');
  assert.equal(airlineCode('No Such Air'), undefined);
});
