import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameThrough } from './through.ts';

const account = 'ada@gmail.example';
const head = (...lines: string[]) => ['From: Air <noreply@air.example>', ...lines, '', ''].join('\r\n');
const came = (text: string, from = 'noreply@air.example', sender = '') => cameThrough(account, text, from, sender);

test('a mail to the account came through its forwarding, whichever header says so', () => {
  for (const line of [
    'To: Ada <ADA@gmail.example>',
    'Cc: Bo <bo@x.example>,\r\n\tada@gmail.example',
    'Delivered-To: ada@gmail.example',
    'X-Forwarded-For: ada@gmail.example trips+x@in.example',
  ])
    assert.equal(came(head(line)), true, line);
  assert.equal(came(head('To: trips@in.example'), undefined, 'ada+caf_=trips=in.example@gmail.example'), true);
});

test('one that names it elsewhere, or somebody like it, or that it wrote itself, did not', () => {
  for (const line of [
    'To: granada@gmail.example',
    'To: ada@gmail.example-mail.com',
    'To: x.ada@gmail.example',
    'Subject: ada@gmail.example',
    'Reply-To: ada@gmail.example',
  ])
    assert.equal(came(head(line)), false, line);
  assert.equal(came(head('To: trips@in.example, ada@gmail.example'), account), false, 'forwarded by hand');
  assert.equal(came(head('To: trips@in.example'), undefined, 'bo+caf_=trips=in.example@gmail.example'), false);
  assert.equal(cameThrough('', head('To: ada@gmail.example'), 'x@y.example', ''), false);
});
