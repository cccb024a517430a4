import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../domain/errors.ts';
import { type DiscoverDns, discoverImap, type SrvRecord } from './discover.ts';
import { MAIL_HOSTS, wantsOf } from './providers.ts';

const failing = async (): Promise<never> => {
  throw new Error('SERVFAIL');
};
const silent: DiscoverDns = { srv: failing, mx: failing };
const srv = (records: Readonly<Record<string, readonly SrvRecord[]>>, mx: readonly string[] = []): DiscoverDns => ({
  srv: async (name) => records[name] ?? failing(),
  mx: async () => mx.map((exchange, priority) => ({ exchange, priority })),
});
const record = (name: string, port = 993, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });

test('well-known providers are found without asking anyone', async () => {
  const asks: string[] = [];
  const dns: DiscoverDns = {
    srv: async (name) => {
      asks.push(name);
      return [];
    },
    mx: async () => [],
  };
  for (const host of MAIL_HOSTS) {
    for (const domain of host.domains) {
      const found = await discoverImap(` Ada@${domain.toUpperCase()} `, dns);
      if (host.login === 'oauth') assert.ok(found.kind === 'sign-in' && /Sign in with Microsoft/.test(found.note));
      else assert.ok(found.kind === 'imap' && found.settings.host === host.host && found.settings.security === 'tls');
    }
  }
  assert.deepEqual(asks, []);
  const found = await discoverImap('ada@icloud.com', dns);
  assert.ok(found.kind === 'imap');
  assert.equal(found.login, 'app-password');
  assert.match(found.note ?? '', /account\.apple\.com/);
});

test('no domain belongs to two providers', () => {
  const domains = MAIL_HOSTS.flatMap((host) => host.domains);
  assert.equal(new Set(domains).size, domains.length);
});

test('what the domain says in DNS is followed: by priority, then weight', async () => {
  const found = await discoverImap(
    'ada@example.org',
    srv({
      '_imaps._tcp.example.org': [
        record('b.example.org.', 993, 10),
        record('A.mail.example.org.', 1993, 1, 5),
        record('c.example.org', 993, 1, 1),
      ],
    }),
  );
  assert.deepEqual(found, {
    kind: 'imap',
    settings: { host: 'a.mail.example.org', port: 1993, security: 'tls' },
    user: 'ada@example.org',
    source: 'srv',
    login: 'password',
    confirm: false,
  });
});

test('STARTTLS where only that is offered, and a yes is wanted for a server of somebody else', async () => {
  const found = await discoverImap(
    'ada@example.org',
    srv({ '_imaps._tcp.example.org': [record('.')], '_imap._tcp.example.org': [record('mail.hoster.example', 143)] }),
  );
  assert.ok(found.kind === 'imap');
  assert.deepEqual(found.settings, { host: 'mail.hoster.example', port: 143, security: 'starttls' });
  assert.equal(found.confirm, true);
  const lookAlike = await discoverImap(
    'ada@example.org',
    srv({ '_imaps._tcp.example.org': [record('imap.badexample.org')] }),
  );
  assert.ok(lookAlike.kind === 'imap' && lookAlike.confirm);
});

test('customers of large providers are known by SRV or MX', async () => {
  const google = await discoverImap('ada@firm.example', srv({}, ['ASPMX.L.GOOGLE.COM.']));
  assert.ok(google.kind === 'imap' && google.settings.host === 'imap.gmail.com' && google.source === 'mx');
  const microsoft = await discoverImap('ada@firm.example', srv({}, ['firm-example.mail.protection.outlook.com']));
  assert.ok(microsoft.kind === 'sign-in' && microsoft.provider === 'microsoft');
  const bySrv = await discoverImap(
    'ada@firm.example',
    srv({ '_imaps._tcp.firm.example': [record('outlook.office365.com')] }),
  );
  assert.equal(bySrv.kind, 'sign-in');
  const other = await discoverImap('ada@firm.example', srv({}, ['mx.notgoogle.com']));
  assert.ok(other.kind === 'imap' && other.settings.host === 'imap.firm.example');
});

test('a domain without IMAP says so; one that says nothing has the usual name', async () => {
  const none = { '_imaps._tcp.example.org': [record('.')], '_imap._tcp.example.org': [record('')] };
  assert.equal((await discoverImap('ada@example.org', srv(none))).kind, 'none');
  const found = await discoverImap('ada@bücher.example', silent);
  assert.ok(found.kind === 'imap' && found.source === 'guess');
  assert.equal(found.settings.host, 'imap.xn--bcher-kva.example');
});

test('what is no address is refused', async () => {
  for (const wrong of ['', 'ada', '@example.org', 'ada@', 'ada@localhost', 'Ada <ada@example.org>', 'a b@example.org'])
    await assert.rejects(
      discoverImap(wrong, silent),
      (error: TripwatchError) => error instanceof TripwatchError && error.kind === 'permanent',
      wrong,
    );
});

test('servers are known by their names, whatever their spelling', () => {
  assert.equal(wantsOf('IMAP.Gmail.com.')?.label, 'Google');
  assert.equal(wantsOf('imap-mail.outlook.com')?.login, 'oauth');
  assert.equal(wantsOf('notoutlook.com'), undefined);
  assert.equal(wantsOf('imap.example.org'), undefined);
});
