import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type DovecotServer, startDovecot } from '../../scripts/servers/dovecot.ts';
import { createImapConnector, type ImapOptions } from '../../src/adapters/mailbox/imap/connector.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Credentials } from '../../src/ports/mailbox.ts';
import { startTcpProxy } from '../chaos/tcp-proxy.ts';
import { account, never, skipWithoutDovecot } from './imap.testing.ts';

/** IMAP: encryption, certificates, tokens, and where a mailbox may not be. */

const isCode = (code: string, kind?: string) => (error: unknown) => {
  assert.ok(error instanceof TripwatchError, String(error));
  assert.equal(error.code, code, error.message);
  if (kind !== undefined) assert.equal(error.kind, kind);
  return true;
};
const imap = (options: Partial<ImapOptions> = {}) =>
  createImapConnector({ allowPrivate: true, allowPlain: false, ...options });

describe('signing in by IMAP', { skip: skipWithoutDovecot() }, () => {
  let server: DovecotServer;
  before(async () => {
    server = await startDovecot();
  });
  after(async () => await server?.stop());

  test('TLS and STARTTLS with an authority that the operator names', async () => {
    const connector = imap({ ca: [server.ca], resolve: async () => ['127.0.0.1'] });
    for (const [host, port, security] of [
      ['localhost', server.tlsPort, 'tls'],
      ['127.0.0.1', server.tlsPort, 'tls'],
      ['localhost', server.port, 'starttls'],
    ] as const) {
      const session = await connector.open(account('user1', { host, port, security }), never);
      assert.ok((await session.folders(never)).length > 0);
      await session.close();
    }
  });

  test('a certificate that nobody vouches for, or of another name: no credentials are sent', async () => {
    const proxy = await startTcpProxy({ target: { port: server.tlsPort } });
    const asked = account('user1', { host: '127.0.0.1', port: proxy.port, security: 'tls' });
    await assert.rejects(imap().open(asked, never), isCode('mailbox-certificate', 'transient'));
    const other = imap({ ca: [server.ca], resolve: async () => ['127.0.0.1'] });
    const named = account('user1', { host: 'imap.example.org', port: proxy.port, security: 'tls' });
    await assert.rejects(other.open(named, never), isCode('mailbox-certificate'));
    const starttls = account('user1', { host: '127.0.0.1', port: server.port, security: 'starttls' });
    await assert.rejects(imap().open(starttls, never), isCode('mailbox-certificate'));
    await proxy.close();
  });

  test('TLS where there is none, STARTTLS that is not offered, nobody there, somebody silent: each is told apart', async (t) => {
    const connector = imap({ limits: { connectMs: 1500 } });
    const to = (port: number, security: string) => connector.open(account('user1', { port, security }), never);
    await assert.rejects(to(server.port, 'tls'), isCode('mailbox-tls-failed', 'transient'));
    const said: string[] = [];
    const bare = createServer((socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        said.push(bytes.toString());
        const [tag, command] = bytes.toString().split(/\s/);
        if (command === 'CAPABILITY') socket.write(`* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n${tag} OK\r\n`);
        else socket.write(`${tag} OK\r\n`);
      });
    });
    const mute = createServer((socket) => socket.on('error', () => {}));
    for (const each of [bare, mute]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const each of [bare, mute]) each.close();
    });
    const portOf = (each: typeof bare) => (each.address() as AddressInfo).port;
    await assert.rejects(to(portOf(bare), 'starttls'), isCode('mailbox-tls-failed'));
    assert.doesNotMatch(said.join(''), /AUTHENTICATE|LOGIN/);
    await assert.rejects(to(portOf(mute), 'plain'), isCode('mailbox-timeout', 'transient'));
    const free = portOf(mute);
    await new Promise((resolve) => mute.close(resolve));
    await assert.rejects(to(free, 'plain'), isCode('mailbox-unreachable', 'transient'));
    const unknown = imap({ resolve: async () => [] });
    await assert.rejects(
      unknown.open(account('user1', { host: 'imap.nowhere.example' }), never),
      isCode('mailbox-host-unknown', 'transient'),
    );
  });

  test('private addresses, other ports and plain connections only where the operator allows them', async () => {
    const strict = (addresses: readonly string[]) =>
      createImapConnector({ allowPrivate: false, allowPlain: false, resolve: async () => addresses });
    const refused = isCode('mailbox-address-private', 'permanent');
    const dialled = await startTcpProxy({ target: { port: server.port } });
    for (const host of ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1'])
      await assert.rejects(strict([]).open(account('user1', { host, security: 'tls' }), never), refused, host);
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '192.168.1.1'], ['fd00::1']])
      await assert.rejects(
        strict(addresses).open(account('user1', { host: 'imap.example.org', security: 'tls' }), never),
        refused,
      );
    await assert.rejects(
      strict(['8.8.8.8']).open(account('user1', { host: 'imap.example.org', security: 'tls', port: 6379 }), never),
      isCode('mailbox-port-refused', 'permanent'),
    );
    const plain = createImapConnector({ allowPrivate: true, allowPlain: false, resolve: async () => ['192.0.2.1'] });
    await assert.rejects(
      plain.open(account('user1', { host: 'imap.example.org', security: 'plain' }), never),
      isCode('mailbox-tls-required', 'permanent'),
    );
    assert.equal(dialled.taken, 0);
    await dialled.close();
  });

  test('no password goes to a provider that takes none, and settings that make no sense are named', async () => {
    const resolve = async () => assert.fail('nobody is asked');
    const connector = createImapConnector({ allowPrivate: false, allowPlain: false, resolve });
    const microsoft = account('ada@outlook.com', { host: 'outlook.office365.com', security: 'tls' });
    await assert.rejects(connector.open(microsoft, never), isCode('mailbox-oauth-needed', 'unauthorised'));
    for (const settings of [{ host: 'a b' }, { host: '' }, { host: 'x.example', port: 0 }, { security: 'maybe' }])
      await assert.rejects(
        connector.open(account('user1', settings), never),
        isCode('mailbox-settings-invalid', 'permanent'),
      );
  });
});

describe('signing in by IMAP with a token', { skip: skipWithoutDovecot() }, () => {
  test('XOAUTH2: a refused token is changed for another once; a refused change needs consent', async (t) => {
    // What says whose a token is.
    const http = createHttp((request, response) => {
      const good = request.url?.endsWith('good') === true;
      response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
      response.end(good ? '{"email":"user1","active":true}' : '{"error":"invalid_token"}');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    t.after(() => http.close());
    const { port } = http.address() as AddressInfo;
    const server = await startDovecot({
      settings: ['auth_mechanisms = $auth_mechanisms xoauth2'],
      files: {
        'oauth2.conf': `tokeninfo_url = http://127.0.0.1:${port}/?access_token=\nusername_attribute = email\n`,
      },
      passdb: 'driver = oauth2\n  mechanisms = xoauth2\n  args = FOLDER/oauth2.conf',
    });
    t.after(() => server.stop());
    const token = (accessToken: string): Credentials => ({ kind: 'token', user: 'user1', accessToken });
    const refusedOnes: unknown[] = [];
    const stale = {
      ...account('user1', { port: server.port }),
      credentials: async (_: AbortSignal, refused?: Credentials) => {
        if (refused !== undefined) refusedOnes.push(refused);
        return token(refused === undefined ? 'stale' : 'good');
      },
    };
    const session = await imap().open(stale, never);
    assert.ok((await session.folders(never)).length > 0);
    assert.deepEqual(refusedOnes, [token('stale')]);
    await session.close();
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const dead = account('user1', { port: proxy.port }, token('stale'));
    await assert.rejects(imap().open(dead, never), isCode('consent-needed', 'unauthorised'));
    assert.equal(proxy.taken, 1, 'the same token is not offered again');
    await proxy.close();
  });
});
