import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TripwatchError } from '../../domain/errors.ts';
import { openSecrets } from './secrets.ts';

async function keyPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-secrets-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'data', 'key');
}

const unreadable = (error: unknown) =>
  error instanceof TripwatchError && error.kind === 'permanent' && error.code === 'secret-unreadable';

test('what was sealed opens again, also after a restart', async (t) => {
  const path = await keyPath(t);
  const secrets = openSecrets(path);
  for (const plain of ['', 'whsec_x', 'ü '.repeat(1000)]) {
    const sealed = secrets.seal(plain, 'whe_1');
    assert.equal(secrets.open(sealed, 'whe_1'), plain);
    assert.equal(openSecrets(path).open(sealed, 'whe_1'), plain);
    if (plain !== '') assert.ok(!sealed.includes(plain));
  }
  assert.notEqual(secrets.seal('x', 'a'), secrets.seal('x', 'a'));
});

test('another owner, another key or a changed text opens nothing', async (t) => {
  const secrets = openSecrets(await keyPath(t));
  const sealed = secrets.seal('whsec_x', 'whe_1');
  assert.throws(() => secrets.open(sealed, 'whe_2'), unreadable);
  const elsewhere = openSecrets(await keyPath(t));
  assert.throws(() => elsewhere.open(sealed, 'whe_1'), unreadable);
  const body = sealed.slice(sealed.lastIndexOf('.') + 1);
  const prefix = sealed.slice(0, -body.length);
  for (const at of [0, 5, 20, Math.trunc(body.length / 2)]) {
    const letter = body[at] === 'A' ? 'B' : 'A';
    assert.throws(
      () => secrets.open(`${prefix}${body.slice(0, at)}${letter}${body.slice(at + 1)}`, 'whe_1'),
      unreadable,
    );
  }
  for (const hostile of [
    '',
    'v1',
    'v1..',
    `${prefix}AAAA`,
    `${prefix}${body.slice(0, -8)}`,
    `v2${sealed.slice(2)}`,
    'x',
  ]) {
    assert.throws(() => secrets.open(hostile, 'whe_1'), unreadable);
  }
});

test('the key file is made once, for the owner alone', async (t) => {
  const path = await keyPath(t);
  openSecrets(path);
  const key = await readFile(path, 'utf8');
  assert.match(key, /^[0-9a-f]{64}\n$/);
  openSecrets(path);
  assert.equal(await readFile(path, 'utf8'), key);
  assert.deepEqual(await readdir(join(path, '..')), ['key']);
  if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a damaged key file is refused, never replaced', async (t) => {
  const path = await keyPath(t);
  openSecrets(path);
  for (const damaged of ['', 'abc', `${'0'.repeat(63)}x`]) {
    await writeFile(path, damaged);
    assert.throws(
      () => openSecrets(path),
      (error) => error instanceof TripwatchError && error.code === 'secret-key-invalid',
    );
    assert.equal(await readFile(path, 'utf8'), damaged);
  }
});
