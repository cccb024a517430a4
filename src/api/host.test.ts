import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAllowed } from './host.ts';
import { cookieToken } from './page.ts';

test('on loopback only loopback names and the configured one', () => {
  const http = { host: '127.0.0.1', publicUrl: 'https://trips.example.com/x' };
  for (const fine of [
    'localhost',
    'localhost:8420',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:8420',
    'trips.example.com',
    'TRIPS.example.com:443',
    'a.localhost',
  ]) {
    assert.ok(hostAllowed(http, fine), fine);
  }
  for (const wrong of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'a@localhost',
    'localhost:99999999',
    'localhost/',
    '[::1',
    'evil.example#localhost',
  ]) {
    assert.equal(hostAllowed(http, wrong), false, String(wrong));
  }
  assert.ok(hostAllowed({ host: '0.0.0.0', publicUrl: undefined }, 'anything.example'));
});

test('the cookie is found among others and read strictly', () => {
  assert.equal(cookieToken('a=b; tw_token=twk_abc; c=d'), 'twk_abc');
  for (const odd of [
    undefined,
    '',
    'tw_token',
    'tw_token=',
    'xtw_token=a',
    'tw_token=a b',
    `tw_token=${'x'.repeat(300)}`,
  ]) {
    assert.equal(cookieToken(odd), undefined, String(odd));
  }
});
