import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { TripwatchError } from '../../domain/errors.ts';
import { createWebhookPost } from '../output/webhook/post.ts';
import { whyNotGlobal } from './address.ts';
import { resolveTarget } from './target.ts';

/** A listener on loopback that must never see a connection. */
let canary: Server;
let port: number;
let connections = 0;
before(async () => {
  canary = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  port = (canary.address() as { port: number }).port;
});
after(() => canary.close());

const NOT_GLOBAL = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '169.254.169.254',
  '169.254.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.170',
  '192.0.2.1',
  '192.31.196.1',
  '192.52.193.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '192.175.48.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::2',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '100::1',
  '100:0:0:1::1',
  'fc00::1',
  'fd12:3456:789a::1',
  'fe80::1',
  'febf::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  'ff0e::1',
  '2001::1',
  '2001:0:7f00:1::',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2620:4f:8000::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  '8000::1',
  'e000::1',
  'not an address',
  '',
  '1.2.3',
  '1.2.3.4.5',
  '0177.0.0.1',
]; // prettier-ignore
const GLOBAL = [
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '198.17.255.255',
  '198.20.0.1',
  '223.255.255.255',
  '192.0.1.1',
  '2606:4700::1111',
  '2001:4860:4860::8888',
  '2a00::1',
  '2001:200::1',
]; // prettier-ignore

test('addresses: what is not an ordinary public one is told by its bytes', () => {
  for (const address of NOT_GLOBAL) assert.ok(whyNotGlobal(address), address);
  for (const address of GLOBAL) assert.equal(whyNotGlobal(address), undefined, address);
});

const URLS: readonly string[] = [
  'https://127.0.0.1:PORT/',
  'https://127.1:PORT/',
  'https://2130706433:PORT/',
  'https://0x7f000001:PORT/',
  'https://0x7f.1:PORT/',
  'https://0177.0.0.1:PORT/',
  'https://017700000001:PORT/',
  'https://127.0.0.1.:PORT/',
  'https://[::1]:PORT/',
  'https://[::ffff:127.0.0.1]:PORT/',
  'https://[::ffff:7f00:1]:PORT/',
  'https://[::127.0.0.1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[64:ff9b:1::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[::]/',
  'https://0/',
  'https://0.0.0.0:PORT/',
  'https://localhost:PORT/',
  'https://LOCALHOST/',
  'https://localhost./',
  'https://foo.localhost/',
  'https://printer.local/',
  'https://db.internal/',
  'https://router/',
  'https://wiki.intranet/',
  'https://x.home.arpa/',
  'https://x.onion/',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/',
  'https://127%2e0%2e0%2e1/',
  'https://%31%32%37.0.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
  'https://100.100.100.200/',
  'https://10.0.0.1/',
  'https://192.168.1.1/',
  'https://172.16.0.1/',
  'https://100.64.0.1/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://134744072/',
  'https://0x08080808/',
  'https://010.8.8.8/',
  'https://8.8.2056/',
  'http://hooks.example.com/',
  'http://8.8.8.8/',
  'ftp://hooks.example.com/',
  'file:///etc/passwd',
  'gopher://8.8.8.8/',
  'javascript:alert(1)',
  'data:text/plain,x',
  'https://hooks.example.com:22/',
  'https://hooks.example.com:80/',
  'https://hooks.example.com:8080/',
  'https://8.8.8.8:6379/',
  'https://user:pass@hooks.example.com/',
  'https://hooks.example.com@127.0.0.1/',
  'https://127.0.0.1#@hooks.example.com/',
  'https://127.0.0.1\\@hooks.example.com/',
  'https:///127.0.0.1/',
  'https:127.0.0.1/',
  '//127.0.0.1/',
  '127.0.0.1',
  'https://',
  '',
  ' https://127.0.0.1/',
  'https://hooks.example.com /',
  'https://hooks.example.com\n/',
]; // prettier-ignore

test(`${URLS.length} addresses that must not be called: refused at creation and at sending; the canary sees nothing`, async () => {
  const post = createWebhookPost({ allowPrivate: false, resolve: async () => ['127.0.0.1'] });
  const signal = new AbortController().signal;
  for (const template of URLS) {
    const url = template.replace('PORT', String(port));
    const refused = (error: unknown) =>
      error instanceof TripwatchError && /^webhook-(url-invalid|address-private)$/.test(error.code);
    await assert.rejects(post.check(url), refused, url);
    await assert.rejects(post.post({ url, headers: {}, body: '{}' }, signal), refused, url);
  }
  assert.equal(connections, 0);
});

test('a name is refused when any of its addresses is private, and the error names the remedy', async () => {
  for (const addresses of [['127.0.0.1'], ['8.8.8.8', '10.0.0.1'], ['2606:4700::1111', '::1'], ['64:ff9b::a00:1']]) {
    await assert.rejects(
      resolveTarget('https://hooks.example.com/', { allowPrivate: false, resolve: async () => addresses }),
      (error: TripwatchError) => error.code === 'webhook-address-private' && /allowPrivate/.test(error.message),
    );
  }
});

test('public ones pass, with the address to dial', async () => {
  const resolve = async () => ['93.184.215.14'];
  for (const url of [
    'https://hooks.example.com/a?b=c',
    'https://hooks.example.com:8443/',
    'https://8.8.8.8/',
    'https://hooks.example.com./',
  ]) {
    assert.ok((await resolveTarget(url, { allowPrivate: false, resolve })).address);
  }
});

test('a name that resolves elsewhere the second time is refused then; nothing is dialled in between', async () => {
  let asked = 0;
  const resolve = async () => (asked++ === 0 ? ['8.8.8.8'] : ['127.0.0.1']);
  const post = createWebhookPost({ allowPrivate: false, resolve });
  await post.check('https://rebind.example.com:8443/');
  await assert.rejects(
    post.post({ url: 'https://rebind.example.com:8443/', headers: {}, body: '{}' }, new AbortController().signal),
    { code: 'webhook-address-private' },
  );
  assert.equal(connections, 0);
  assert.equal(asked, 2);
});

test('a name without address: transient, so that a sender tries again', async () => {
  for (const resolve of [async () => [], async () => Promise.reject(new Error('SERVFAIL'))]) {
    await assert.rejects(resolveTarget('https://hooks.example.com/', { allowPrivate: false, resolve }), {
      kind: 'transient',
      code: 'webhook-host-unknown',
    });
  }
});

test('with allowPrivate the canary is reached: the guard, not chance, kept it quiet before', async () => {
  const post = createWebhookPost({ allowPrivate: true });
  await assert.rejects(
    post.post({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' }, new AbortController().signal),
    { code: 'webhook-unreachable' },
  );
  assert.equal(connections, 1);
});
