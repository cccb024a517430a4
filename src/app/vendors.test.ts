import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectorNames } from '../adapters/provider/registry.ts';
import { providerAccountSchema } from '../contracts/config.ts';
import { vendorsOf } from './vendors.ts';

const airline = JSON.parse(readFileSync(new URL('../../docs/connectors/ndc-airline.json', import.meta.url), 'utf8'));

test('two accounts of one connector are one vendor; two files of any agency are two, unless they name one', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vendors-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = { 'a.json': airline, 'b.json': airline, 'c.json': { ...airline, vendor: 'Kestrel' } };
  for (const [name, description] of Object.entries({ ...files, 'd.json': { ...airline, vendor: 'Kestrel' } }))
    writeFileSync(join(folder, name), JSON.stringify(description));
  const agency = (account: string, file: string) => ({ account, connector: 'any-agency', options: { file } });
  const others = connectorNames.filter((name) => name !== 'any-agency');
  const providers = [
    ...others.flatMap((connector) => ['one', 'two'].map((name) => ({ account: `${connector}-${name}`, connector }))),
    ...[agency('a', 'a.json'), agency('a-again', './a.json'), agency('b', 'b.json')],
    ...[agency('c', 'c.json'), agency('d', 'd.json'), agency('lost', 'lost.json'), agency('lost-too', 'too.json')],
  ].map((account) => providerAccountSchema.parse(account));
  const vendorOf = vendorsOf({ config: { providers }, paths: { folder } });
  for (const connector of others) assert.equal(vendorOf(`${connector}-one`), vendorOf(`${connector}-two`));
  assert.equal(new Set(others.map((connector) => vendorOf(`${connector}-one`))).size, others.length);
  assert.equal(vendorOf('a'), vendorOf('a-again'));
  assert.equal(vendorOf('c'), vendorOf('d'));
  assert.equal(new Set(['a', 'b', 'c', `${others[0]}-one`].map(vendorOf)).size, 4);
  // Files that this process does not have: less is certain, not more.
  assert.equal(vendorOf('lost'), vendorOf('lost-too'));
  // An account that was taken out of the configuration, and whose answers stand still.
  assert.equal(vendorOf('gone'), 'gone');
});
