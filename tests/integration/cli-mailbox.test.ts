import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type DovecotServer, PASSWORD, startDovecot } from '../../scripts/servers/dovecot.ts';
import { Cli, flightMail, freshFolder } from './cli.testing.ts';
import { skipWithoutDovecot } from './imap.testing.ts';

/** Connecting a mailbox on the command line as a person does: against Dovecot, and by sign-in at a provider's double. */

describe('a mailbox by IMAP on the command line', { skip: skipWithoutDovecot() }, () => {
  const folder = freshFolder();
  const cli = new Cli(folder.data, { MAIL_PASSWORD: PASSWORD, WRONG_PASSWORD: 'not it' });
  let server: DovecotServer;
  let imap: readonly string[] = [];
  let id = '';

  before(async () => {
    server = await startDovecot();
    const ca = join(folder.data, 'ca.pem');
    writeFileSync(ca, server.ca);
    const config = { mailboxes: { allowPrivate: true, ca }, http: { port: 0 }, smtp: { enabled: false }, workers: 1 };
    writeFileSync(join(folder.data, 'tripwatch.config.json'), JSON.stringify(config));
    imap = [
      'mailbox',
      'add',
      'imap',
      'user1@example.org',
      '--user',
      'user1',
      '--host',
      'localhost',
      '--port',
      String(server.tlsPort),
    ];
    await server.deliver('user1', Buffer.from(flightMail({ reference: 'IMAP01', number: '41' })));
    await server.deliver(
      'user1',
      Buffer.from(
        'From: Bea <bea@friends.example>\r\nSubject: Sunday lunch\r\nMessage-ID: <lunch@x>\r\n\r\nAt one?\r\n',
      ),
    );
  });
  after(async () => {
    await server?.stop();
    folder.forget();
  });

  test('a wrong password, a silent server and a missing password are said with what to do, and nothing is stored', async () => {
    await cli.json('traveller', 'add', 'Ada');
    await cli.refused([...imap, '--password-env', 'WRONG_PASSWORD'], /refuses user or password/, /app password/);
    await cli.refused(
      [
        'mailbox',
        'add',
        'imap',
        'user1@example.org',
        '--host',
        '127.0.0.1',
        '--port',
        '1',
        '--password-env',
        'MAIL_PASSWORD',
      ],
      /127\.0\.0\.1:1/,
      /Check server name and port\. Nothing was stored\./,
    );
    await cli.refused(imap, /no terminal to ask .* --password-env/);
    await cli.refused([...imap, '--password-env', 'NOT_THERE'], /variable NOT_THERE/);
    await cli.refused(['mailbox', 'add', 'imap'], /Name the mail address/);
    await cli.refused(['mailbox', 'add', 'gmail'], /oauth\.google\.clientId/, /docs\/operating\/mailboxes\.md/);
    assert.deepEqual(await cli.json('mailbox', 'list'), []);
  });

  test('typing mistakes are answered with what was meant', async () => {
    await cli.refused(['mailbox', 'add', 'imapp', 'a@x.example'], /no kind of mailbox. Did you mean imap\?/);
    await cli.refused(['mailbox', 'add', 'forward', 'a@x.example'], /A forwarding address is made here/);
    await cli.refused([...imap, '--password', PASSWORD], /can be read by others on this machine/);
    await cli.refused(['mailbox', 'add', 'ada@outlook.com'], /oauth\.microsoft\.clientId/);
    await cli.refused(
      ['mailbox', 'add', 'imap', 'ada@outlook.com'],
      /tripwatch mailbox add microsoft ada@outlook\.com/,
    );
    await cli.refused(['mailbox', 'change', 'mbx_x'], /Say what to change/);
    await cli.refused(['receipts', '--mailbox', 'mbx_x'], /not known/);
  });

  test('it is signed in, and said what would be read, before it is stored; the password is on no disk', async () => {
    const ran = await cli.run(...imap, '--password-env', 'MAIL_PASSWORD');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /is connected/);
    assert.match(ran.stdout, /open .*booking@nordlicht\.example/);
    assert.match(ran.stdout, /leave .*Sunday lunch/);
    const [mailbox] = await cli.json('mailbox', 'list');
    id = mailbox.id;
    assert.equal(mailbox.watch.state, 'connecting');
    assert.ok(!readFileSync(join(folder.data, 'tripwatch.db')).includes(PASSWORD));
    await cli.refused([...imap, '--password-env', 'MAIL_PASSWORD'], /connected already/);
    const looked = await cli.json('mailbox', 'test', id);
    assert.equal(looked.sample.length, 2);
  });

  test('the service reads it; its mails have receipts; one that was left is read after all', async () => {
    const up = cli.start(['up']);
    try {
      await up.until(({ stdout, stderr }) => /http:\/\//.test(stdout + stderr));
      const done = async () => {
        const [one] = await cli.json('mailbox', 'list');
        return one.watch.state === 'watching' && one.mails.seen === 2 && one.mails.waiting === 0 ? one : undefined;
      };
      let mailbox = await done();
      for (let n = 0; n < 60 && mailbox === undefined; n++) mailbox = await done();
      assert.equal(mailbox?.mails.imported, 1, JSON.stringify(await cli.json('mailbox', 'list')));
      assert.equal(mailbox.mails.skipped, 1);
      const { receipts } = await cli.json('receipts', '--mailbox', id);
      const left = receipts.find((one: { disposition: string }) => one.disposition === 'skipped');
      assert.deepEqual([left.askable, left.kept], [true, false]);
      await cli.json('receipts', 'read', left.id);
      let now = left;
      for (let n = 0; n < 60 && now.disposition !== 'nothing-found'; n++)
        now = (await cli.json('receipts', '--mailbox', id)).receipts.find((one: { id: string }) => one.id === left.id);
      assert.deepEqual([now.disposition, now.kept], ['nothing-found', true]);
      const opened = await cli.json('privacy', 'opened');
      assert.ok(opened.items.some((one: { id: string; why: string }) => one.id === left.id && one.why === 'asked'));
      await cli.json('mailbox', 'check', id);
    } finally {
      await up.end('SIGTERM');
    }
  });

  test('removed, its credentials are gone and the receipts stay', async () => {
    const removed = await cli.json('mailbox', 'remove', id);
    assert.equal(removed.receipts, 2);
    assert.equal((await cli.json('receipts')).receipts.length, 2);
    await cli.refused(['mailbox', 'test', id], /not known/);
  });
});

describe('a mailbox by sign-in on the command line', () => {
  const folder = freshFolder();
  const cli = new Cli(folder.data);
  let server: Server;
  let base = '';
  const asked: URLSearchParams[] = [];

  before(async () => {
    // The provider's token address, and as much of its API as a look needs.
    server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const url = new URL(request.url ?? '/', 'http://x');
      let answer: unknown = {};
      if (url.pathname === '/token') {
        asked.push(new URLSearchParams(Buffer.concat(chunks).toString()));
        const claims = Buffer.from(JSON.stringify({ email: 'ada@gmail.example' })).toString('base64url');
        answer = { access_token: 'a1', expires_in: 3600, refresh_token: 'r1', id_token: `h.${claims}.s` };
      } else if (url.pathname.endsWith('/profile')) answer = { emailAddress: 'ada@gmail.example', historyId: '10' };
      else if (url.pathname.endsWith('/labels')) answer = { labels: [{ id: 'INBOX', name: 'INBOX', type: 'system' }] };
      else answer = { messages: [], resultSizeEstimate: 0 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const google = { clientId: 'c1', authorizeUrl: `${base}/authorize`, tokenUrl: `${base}/token`, apiUrl: base };
    writeFileSync(join(folder.data, 'tripwatch.config.json'), JSON.stringify({ oauth: { google } }));
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    folder.forget();
  });

  const begin = async () => {
    const running = cli.start(['mailbox', 'add', 'gmail', '--json']);
    await running.until(({ stderr }) => /authorize\?\S+\n/.test(stderr));
    const url = new URL(/\S+\/authorize\?\S+/.exec(running.stderr)![0]).searchParams;
    return {
      running,
      redirect: url.get('redirect_uri')!,
      state: url.get('state')!,
      challenge: url.get('code_challenge'),
    };
  };

  test('the address is printed, the browser comes back to this machine, and the mailbox is stored', async () => {
    const { running, redirect, state } = await begin();
    assert.match(redirect, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await fetch(`${redirect}favicon.ico`)).status, 404);
    const back = await fetch(`${redirect}?code=c&state=${encodeURIComponent(state)}`);
    assert.match(await back.text(), /close this window/);
    const ran = await running.end();
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.deepEqual([ran.json.kind, ran.json.address, ran.json.test.label], ['gmail', 'ada@gmail.example', 'Gmail']);
    assert.deepEqual([asked[0]!.get('code'), asked[0]!.get('redirect_uri')], ['c', redirect]);
    assert.ok(asked[0]!.get('code_verifier')!.length >= 43);
  });

  test('who says no, or comes with another state, stores nothing', async () => {
    const first = await begin();
    await fetch(`${first.redirect}?error=access_denied`);
    assert.match((await first.running.end()).json.error.message, /access_denied.*nothing was stored/s);
    const second = await begin();
    await fetch(`${second.redirect}?code=c&state=forged`);
    assert.equal((await second.running.end()).json.error.code, 'sign-in-expired');
    assert.equal((await cli.json('mailbox', 'list')).length, 1);
  });
});
