import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connectorEntry, connectorNames } from '../../../src/adapters/provider/registry.ts';

test('each connector is known by one name and has its line in the docs', () => {
  assert.equal(new Set(connectorNames).size, connectorNames.length);
  const page = readFileSync(new URL('../../../docs/connectors/README.md', import.meta.url), 'utf8');
  for (const name of connectorNames) {
    assert.equal(connectorEntry(name)?.name, name);
    assert.match(page, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  }
});
