import assert from 'node:assert/strict';
import { test } from 'node:test';
import { organisationalDomain } from './organisational-domain.ts';
import { hostOf, SENDER_KINDS, TRAVEL_SENDERS, travelSenderOf } from './registry.ts';

test('every line of the registry is whole, and no domain stands twice', () => {
  const seen = new Map<string, string>();
  const names = new Set<string>();
  for (const { name, kind, domains, country, languages } of TRAVEL_SENDERS) {
    assert.ok(name !== '' && name.trim() === name, name);
    const key = `${kind} ${name}`;
    assert.ok(!names.has(key), `${key} stands twice`);
    names.add(key);
    assert.match(country, /^[A-Z]{2}$/, name);
    assert.ok(languages.length > 0 && languages.every((language) => /^[a-z]{2}$/.test(language)), name);
    assert.ok(domains.length > 0, name);
    for (const domain of domains) {
      assert.match(domain, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/, name);
      assert.notEqual(organisationalDomain(domain), undefined, `${domain} is a public suffix`);
      assert.equal(seen.get(domain), undefined, `${domain} of ${name}`);
      seen.set(domain, name);
    }
  }
  assert.ok(seen.size >= 600, `${seen.size} domains`);
  assert.ok(TRAVEL_SENDERS.length >= 450, `${TRAVEL_SENDERS.length} senders`);
  for (const kind of SENDER_KINDS)
    assert.ok(TRAVEL_SENDERS.filter((sender) => sender.kind === kind).length >= 15, kind);
});

test('no mailbox provider, social network or shop stands in the registry', () => {
  for (const domain of [
    'gmail.com',
    'googlemail.com',
    'google.com',
    'outlook.com',
    'hotmail.com',
    'live.com',
    'yahoo.com',
    'yahoo.co.jp',
    'icloud.com',
    'apple.com',
    'gmx.de',
    'gmx.net',
    'web.de',
    't-online.de',
    'orange.fr',
    'free.fr',
    'libero.it',
    'wp.pl',
    'mail.ru',
    'qq.com',
    '163.com',
    'naver.com',
    'facebook.com',
    'linkedin.com',
    'amazon.com',
    'paypal.com',
    'sendgrid.net',
    'amazonses.com',
    'mailchimp.com',
    'salesforce.com',
    'example.com',
  ])
    assert.equal(travelSenderOf(`a@${domain}`), undefined, domain);
});

test('whatever is below a sender’s domain belongs to it, and nothing that only looks like it', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['noreply@lufthansa.com', 'Lufthansa'],
    ['NoReply@Your.Mail.LUFTHANSA.com', 'Lufthansa'],
    ['x@travel.rakuten.co.jp', 'Rakuten Travel'],
    ['x@mail.travel.rakuten.co.jp', 'Rakuten Travel'],
    ['x@shop.rakuten.co.jp', undefined],
    ['mietwagen@mietwagen.check24.de', 'Check24 Mietwagen'],
    ['info@info.check24.de', 'Check24'],
    ['x@lufthansa.com.evil.example', undefined],
    ['x@notlufthansa.com', undefined],
    ['x@lufthansa.co', undefined],
    ['x@com', undefined],
    ['', undefined],
    ['@', undefined],
    ['x@.lufthansa.com', undefined],
    ['x@[192.0.2.1]', undefined],
    ['x@192.0.2.1', undefined],
    [`x@${'a.'.repeat(5000)}lufthansa.com`, undefined],
    ['ryanair.com.', 'Ryanair'],
  ];
  for (const [address, name] of cases) assert.equal(travelSenderOf(address)?.name, name, address.slice(0, 60));
});

test('organisational domains', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['a.b.example.com', 'example.com'],
    ['example.com', 'example.com'],
    ['mail.example.co.uk', 'example.co.uk'],
    ['co.uk', undefined],
    ['example.com.tr', 'example.com.tr'],
    ['x.example.ne.jp', 'example.ne.jp'],
    ['x.co.de', 'x.co.de'],
    ['mail.org.de', 'org.de'],
    ['a.sncf', 'a.sncf'],
    ['com', undefined],
    ['', undefined],
    ['a..com', undefined],
    ['10.0.0.1', undefined],
  ];
  for (const [host, expected] of cases) assert.equal(organisationalDomain(host), expected, host);
  assert.equal(hostOf('a@b@Bücher.example.'), 'xn--bcher-kva.example');
});
