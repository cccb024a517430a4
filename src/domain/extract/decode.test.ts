import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText } from './decode.ts';

test('charsets: mark before label, label before guess', () => {
  assert.equal(decodeText(Buffer.from([0xe4]), undefined), 'ä');
  assert.equal(decodeText(Buffer.from([0xef, 0xbb, 0xbf, 0x61]), 'iso-8859-1'), 'a');
  assert.equal(decodeText(Buffer.from('ä'), 'iso-8859-1'), 'Ã¤');
  assert.equal(decodeText(Buffer.from([0xc4, 0xe3]), 'gb2312'), '你');
});
