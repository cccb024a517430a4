import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TripwatchError } from '../../../domain/errors.ts';
import { createExtractPool } from './pool.ts';

const never = new AbortController().signal;
const receivedAt = '2026-12-01T00:00:00Z';
// Starts with a JSON-LD mark, so that the check before the pool lets it pass.
const bytesOf = (first: string) => Buffer.from(`${first}`);
const workerUrl = new URL('./bad-worker.testing.ts', import.meta.url);
// Named as a calendar, with the mark of an event: what the pre-check lets through.
const input = (first: string) => ({
  bytes: Buffer.concat([bytesOf(first), Buffer.from('\nBEGIN:VEVENT')]),
  fileName: 'a.ics',
  receivedAt,
});
const isPoison = (code: string) => (error: unknown) =>
  error instanceof TripwatchError && error.kind === 'poison' && error.code === code;

// The deadline is far off: under load a thread may need seconds to reach its memory limit.
const bad = createExtractPool({ size: 2, deadlineMs: 60_000, heapMb: 32, workerUrl });
after(() => bad.close());

test('a document that hoards, exits or throws costs only itself', async () => {
  const results = await Promise.allSettled(['m', 'x', 't', 'a', 'b'].map((first) => bad.extract(input(first), never)));
  const codes = results.map((result) =>
    result.status === 'fulfilled' ? result.value.warnings[0]?.message : (result.reason as TripwatchError).code,
  );
  assert.deepEqual(codes, ['parse-memory', 'parse-crashed', 'parse-crashed', 'a', 'b']);
});

test('a document that hangs is ended at its deadline', async () => {
  const pool = createExtractPool({ size: 1, deadlineMs: 300, workerUrl });
  await assert.rejects(pool.extract(input('h'), never), isPoison('parse-timeout'));
  await pool.close();
});

test('the pool goes on after losing all its threads', async () => {
  await assert.rejects(bad.extract(input('x'), never), isPoison('parse-crashed'));
  assert.equal((await bad.extract(input('c'), never)).warnings[0]?.message, 'c');
});

test('a cancelled document is rejected, waiting or under way, and its thread is used again', async () => {
  const pool = createExtractPool({ size: 1, deadlineMs: 60_000, workerUrl });
  const controller = new AbortController();
  const under = pool.extract(input('a'), controller.signal);
  const queued = pool.extract(input('a'), controller.signal);
  controller.abort();
  for (const one of [under, queued, pool.extract(input('a'), controller.signal)]) {
    await assert.rejects(one, (error: unknown) => error instanceof TripwatchError && error.kind === 'cancelled');
  }
  assert.equal((await pool.extract(input('d'), never)).warnings[0]?.message, 'd');
  await pool.close();
});

test('too many waiting documents are refused as transient; closing rejects the rest', async () => {
  const pool = createExtractPool({ size: 1, waitingMax: 1, deadlineMs: 60_000, workerUrl });
  const first = pool.extract(input('h'), never);
  const second = pool.extract(input('a'), never);
  await assert.rejects(
    pool.extract(input('a'), never),
    (error: unknown) => error instanceof TripwatchError && error.code === 'extractor-busy',
  );
  const rest = Promise.allSettled([first, second]);
  await pool.close();
  for (const one of await rest)
    assert.equal(one.status === 'rejected' && (one.reason as TripwatchError).code, 'extractor-closed');
  await assert.rejects(pool.extract(input('a'), never), TripwatchError);
});

test('a real document passes through a thread, and one without travel never reaches it', async () => {
  const pool = createExtractPool({ size: 1 });
  const json = JSON.stringify({
    '@type': 'FlightReservation',
    reservationNumber: 'ABC123',
    reservationFor: {
      flightNumber: 'LH400',
      departureTime: '2026-12-01T10:05:00',
      departureAirport: { iataCode: 'FRA' },
    },
  });
  const bytes = Buffer.from(json);
  const result = await pool.extract({ bytes, receivedAt }, never);
  assert.equal(result.claims[0]?.legs[0]?.facts['start.scheduled']?.value, '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(bytes.toString(), json, "the caller's bytes are left alone");
  const none = createExtractPool({ size: 1, workerUrl: new URL('./does-not-exist.ts', import.meta.url) });
  assert.deepEqual(await none.extract({ bytes: Buffer.from('Subject: hi\n\nnothing'), receivedAt }, never), {
    claims: [],
    warnings: [],
  });
  await none.close();
  await pool.close();
});

test('errors of the parser keep their kind and code across the thread', async () => {
  const pool = createExtractPool({ size: 1, limits: { bytesMax: 20 } });
  const mail = 'Content-Type: text/html\r\n\r\nschema.org';
  await assert.rejects(pool.extract({ bytes: Buffer.from(mail), receivedAt }, never), isPoison('mail-too-large'));
  await pool.close();
});
