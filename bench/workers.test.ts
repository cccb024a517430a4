import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPostgres, POSTGRES_MISSING } from '../scripts/servers/postgres.ts';
import { benchWorkers } from './workers.ts';

test('the benchmark of several workers still runs, small', { timeout: 120_000 }, async (t) => {
  if (findPostgres() === undefined) {
    if (process.env.CI === 'true') throw new Error(POSTGRES_MISSING);
    t.skip(POSTGRES_MISSING);
    return;
  }
  const [row] = await benchWorkers({ mails: 40, workers: [2], seed: 1 });
  assert.ok(row !== undefined && row.mailsPerSecond > 0);
});
