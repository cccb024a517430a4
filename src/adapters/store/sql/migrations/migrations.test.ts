import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { MIGRATIONS } from './migrations.ts';

test('migrations stand in the order of their numbers, each once, and every file is among them', () => {
  const ids = MIGRATIONS.map(({ id }) => id);
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => a - b),
  );
  const files = globSync('[0-9]*.ts', { cwd: import.meta.dirname }).map((file) => file.replace('.ts', ''));
  assert.deepEqual(
    MIGRATIONS.map(({ id, name }) => `${String(id).padStart(4, '0')}-${name}`),
    files.toSorted(),
  );
});
