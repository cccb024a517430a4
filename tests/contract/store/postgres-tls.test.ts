/** Only PostgreSQL: the way to it may be a network that others can write on. */
import assert from 'node:assert/strict';
import { chmod, chown, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../../../scripts/servers/postgres.ts';
import { Connection } from '../../../src/adapters/store/postgres/connection.ts';
import { openStore, serverForFile } from './postgres.testing.ts';

const server = await serverForFile();
const fixtures = join(import.meta.dirname, '../../fixtures/tls');

if (server !== undefined)
  test('with TLS asked for, a server whose certificate is not trusted is refused, at once and in words', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'tripwatch-tls-'));
    t.after(() => rm(folder, { recursive: true }));
    await chmod(folder, 0o755);
    const [cert, key] = ['test-only.cert.pem', 'test-only.key.pem'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    // The key must belong to the user that the server runs as.
    const { uid, gid } = await stat(server.logFile);
    for (const path of [cert, key]) {
      await copyFile(join(fixtures, path.slice(folder.length)), path);
      await chmod(path, 0o600);
      await chown(path, uid, gid);
    }
    const secure = await startPostgres({ settings: { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key } });
    t.after(() => secure.stop());
    const refused = { kind: 'permanent', code: 'store-cannot-open' };
    await assert.rejects(openStore(secure, 't', { url: `${secure.url}?sslmode=verify-full` }), refused);
    // Its certificate is for another name.
    await assert.rejects(
      openStore(secure, 't', { url: `${secure.url}?sslmode=verify-full&sslrootcert=${cert}` }),
      refused,
    );
    const connection = await Connection.open({ url: `${secure.url}?sslmode=no-verify`, schema: 't' });
    const { rows } = await connection.query('SELECT ssl::text AS ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    assert.deepEqual(rows, [{ ssl: 'true' }]);
    await connection.close();
  });
