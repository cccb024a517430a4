import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthenticationResults } from '../../src/domain/trust/authentication-results.ts';
import { borrowedName, lookAlikeOf } from '../../src/domain/trust/look-alike.ts';

test('results are read without their comments, quotes and folds; the first property of a name counts', () => {
  const read = parseAuthenticationResults(
    'mx.google.com 1 (host; dmarc=pass);\r\n dkim=pass (2048 bit; x) header.i="@a.com" header.s=b; spf=fail smtp.mailfrom=c@d.com smtp.mailfrom=e@f.com; none',
  );
  assert.equal(read.authservId, 'mx.google.com');
  assert.deepEqual(
    read.results.map(({ method, result, properties }) => [method, result, { ...properties }]),
    [
      ['dkim', 'pass', { 'header.i': '@a.com', 'header.s': 'b' }],
      ['spf', 'fail', { 'smtp.mailfrom': 'c@d.com' }],
    ],
  );
  assert.equal(parseAuthenticationResults('spf=pass smtp.mailfrom=a.com; dmarc=pass').authservId, '');
  for (const hostile of ['', '(((', '"', ';;;=', '='.repeat(9000)]) parseAuthenticationResults(hostile);
});

test('look-alikes are told from known senders, their subdomains and strangers', () => {
  const strength = (host: string) => lookAlikeOf(host)?.strength;
  assert.equal(strength('1ufthansa.com'), 'look-alike');
  assert.equal(strength('lufthansa.com.evil.net'), 'look-alike');
  for (const near of ['lufthansa.top', 'lufthansa-booking.com', 'lufthamsa.com'])
    assert.equal(strength(near), 'near-alike');
  for (const honest of ['lufthansa.com', 'mail.lufthansa.com', 'pension-seeblick.net', 'example.org', 'a.b', '']) {
    assert.equal(strength(honest), undefined, honest);
  }
});

test('a known name is borrowed whole or with words of service, not by sharing a letter with it', () => {
  assert.equal(borrowedName('Lufthansa')?.name, 'Lufthansa');
  assert.equal(borrowedName('Lufthansa Customer Service')?.name, 'Lufthansa');
  for (const person of ['Ana', 'Ada Lovelace', '', 'John Marriott', 'Hotel Seeblick']) {
    assert.equal(borrowedName(person), undefined, person);
  }
});
