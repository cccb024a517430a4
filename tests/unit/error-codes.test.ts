import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PROBLEMS } from '../../src/api/problems.ts';
import { ERROR_CODES } from '../../src/domain/error-codes.ts';
import { ERROR_KINDS } from '../../src/domain/errors.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const KINDS = Object.keys(ERROR_KINDS).join('|');
/** `new TripwatchError('kind', 'code'`, and tables and helpers that give kind and code side by side. */
const PAIR = new RegExp(`'(?:${KINDS})',\\s*'([a-z][a-z0-9-]+)'`, 'g');

async function used(): Promise<Map<string, string>> {
  const codes = new Map<string, string>();
  for await (const file of glob('**/*.ts', { cwd: src })) {
    if (/\.(test|testing)\.ts$|^sandbox.scenario/.test(file)) continue;
    for (const match of readFileSync(join(src, file), 'utf8').matchAll(PAIR)) codes.set(match[1]!, file);
  }
  return codes;
}

test('every code in the source stands in the catalogue', async () => {
  const codes = await used();
  assert.ok(codes.size > 40, `only ${codes.size} found: has the way of writing them changed?`);
  const missing = [...codes].filter(([code]) => !(code in ERROR_CODES) && !(code in PROBLEMS));
  assert.deepEqual(missing, []);
});

test('every code in the catalogue is used somewhere', async () => {
  const text: string[] = [];
  for await (const file of glob('**/*.ts', { cwd: src })) {
    if (!file.endsWith('.test.ts') && !file.endsWith('error-codes.ts'))
      text.push(readFileSync(join(src, file), 'utf8'));
  }
  const all = text.join('\n');
  assert.deepEqual(
    Object.keys(ERROR_CODES).filter((code) => !all.includes(`'${code}'`)),
    [],
  );
});
