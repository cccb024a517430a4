import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyringOf } from '../adapters/secrets/keyring.ts';
import { secretsWith } from '../adapters/secrets/secrets.ts';
import { TripwatchError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';
import { loadConfig, readSecret } from './config.ts';

function withFile(text: string | undefined, work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-config-'));
  try {
    if (text !== undefined) writeFileSync(join(folder, 'tripwatch.config.json'), text);
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof TripwatchError);
  assert.equal(error.code, 'config-invalid');
  assert.match(error.message, pattern);
  return true;
};

test('without a file every default holds, and the result is frozen', () => {
  withFile(undefined, (data) => {
    const config = loadConfig({ data });
    assert.equal(config.http.host, '127.0.0.1');
    assert.equal(config.http.port, 8420);
    assert.throws(() => {
      (config.http as { port: number }).port = 1;
    }, TypeError);
  });
});

test('variables win over the file, the override over both', () => {
  withFile('{"http": {"port": 1000, "host": "0.0.0.0"}}', (data) => {
    const config = loadConfig({
      data,
      env: { TRIPWATCH_HTTP_PORT: '2000' },
      override: { http: { host: '127.0.0.2' } },
    });
    assert.deepEqual([config.http.port, config.http.host], [2000, '127.0.0.2']);
  });
});

test('a typing mistake names the value, the place and the likely word', () => {
  withFile('{"http": {"prot": 1000}}', (data) =>
    assert.throws(() => loadConfig({ data }), refused(/http .*"prot" Did you mean port\?/)),
  );
  withFile('{"smpt": {}}', (data) => assert.throws(() => loadConfig({ data }), refused(/"smpt" Did you mean smtp\?/)));
  withFile(undefined, (data) =>
    assert.throws(
      () => loadConfig({ data, env: { TRIPWATCH_HTPT_PORT: '1' } }),
      refused(/Did you mean TRIPWATCH_HTTP_PORT/),
    ),
  );
});

test('all faults come at once', () => {
  withFile('{"http": {"port": 99999}, "smtp": {"maxBytes": "big"}, "log": {"level": "loud"}}', (data) =>
    assert.throws(
      () => loadConfig({ data, env: { TRIPWATCH_SMTP_PORT: 'x' } }),
      refused(/4 faults[\s\S]*http\.port[\s\S]*TRIPWATCH_SMTP_PORT[\s\S]*smtp\.maxBytes[\s\S]*log\.level/),
    ),
  );
});

test('broken JSON, a wrong shape and a missing file are said plainly', () => {
  withFile('{"http": ', (data) => assert.throws(() => loadConfig({ data }), refused(/no valid JSON/)));
  withFile('[]', (data) => assert.throws(() => loadConfig({ data }), refused(/must hold a JSON object/)));
  withFile(undefined, (data) =>
    assert.throws(() => loadConfig({ data, file: join(data, 'x.json') }), refused(/no configuration file/)),
  );
});

test('a secret in the file is refused, two accounts of one name too', () => {
  const account = { account: 'a', connector: 'duffel', key: 'duffel_live_123' };
  withFile(JSON.stringify({ providers: [account] }), (data) =>
    assert.throws(() => loadConfig({ data }), refused(/env:NAME or file/)),
  );
  const fine = { ...account, key: 'env:K' };
  withFile(JSON.stringify({ providers: [fine, fine] }), (data) =>
    assert.throws(() => loadConfig({ data }), refused(/"a" is used twice/)),
  );
});

test('a secret reference that leads nowhere says what to set', () => {
  assert.equal(readSecret('env:K', { K: 'v' }), 'v');
  assert.throws(() => readSecret('env:K', {}), /variable K, which is not set/);
  assert.throws(() => readSecret('file:/nowhere/at/all', {}), /missing or empty/);
});

test('the key that seals comes from a variable, a file or a command; a command that fails says so', () => {
  const key = '0f'.repeat(32);
  withFile(JSON.stringify({ secrets: { key: 'command:cat key.txt' } }), (data) => {
    assert.equal(loadConfig({ data }).secrets.key, 'command:cat key.txt');
    const path = join(data, 'key.txt');
    writeFileSync(path, `${key}\n`);
    const rings = [
      readSecret('env:KEY', { KEY: key }),
      readSecret(`file:${path}`, {}),
      readSecret(`command:cat '${path}'`, {}),
    ].map(keyringOf);
    const sealed = secretsWith(rings[0]!).seal('hush', 'mailbox/tnt_a/mbx_a');
    for (const ring of rings) assert.equal(secretsWith(ring).open(sealed, 'mailbox/tnt_a/mbx_a'), 'hush');
    // Bound to tenant and account.
    for (const other of ['mailbox/tnt_b/mbx_a', 'mailbox/tnt_a/mbx_b'])
      assert.throws(() => secretsWith(rings[0]!).open(sealed, other), { code: 'secret-unreadable' });
  });
  for (const command of ['exit 3', 'true', `printf '%s' ''`])
    assert.throws(() => readSecret(`command:${command}`, {}), { code: 'secret-missing' }, command);
  assert.throws(() => keyringOf('not a key'), { code: 'secret-key-invalid' });
});

test('raw mails are kept for thirty days unless told otherwise', () => {
  withFile(undefined, (data) => assert.equal(loadConfig({ data }).mails.keepDays, 30));
});

test('no word is guessed from far away', () => assert.equal(nearest('zzzzzz', ['port', 'host']), ''));

test('a variable that holds a secret may be called anything', () => {
  const providers = [{ account: 'a', connector: 'duffel', key: 'env:TRIPWATCH_DUFFEL_TOKEN' }];
  withFile(JSON.stringify({ providers }), (data) => {
    assert.equal(loadConfig({ data, env: { TRIPWATCH_DUFFEL_TOKEN: 'x' } }).providers.length, 1);
    assert.throws(
      () => loadConfig({ data, env: { TRIPWATCH_OTHER_TOKEN: 'x' } }),
      refused(/TRIPWATCH_OTHER_TOKEN is no setting/),
    );
  });
});
