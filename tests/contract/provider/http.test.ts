import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { createProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import { stillClock } from '../store/harness.ts';
import { type Behaviour, startVendor } from './vendor-server.ts';

const BYTES_MAX = 4096;
const packed =
  (bytes: Buffer, encoding: string, status = 200, more: Readonly<Record<string, string>> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': encoding, ...more });
    response.end(bytes);
  };

async function asking(run: (ask: (behave: Behaviour) => Promise<unknown>) => Promise<void>): Promise<void> {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock: stillClock(), bodyBytesMax: BYTES_MAX });
  const { signal } = new AbortController();
  try {
    await run((behave) => {
      vendor.behave = behave;
      const headers = { 'accept-encoding': 'gzip' };
      const explain = (_status: number, body: unknown, said: Readonly<Record<string, string>>) =>
        said['x-why'] === 'quota' && (body as { spent?: unknown } | undefined)?.spent === true
          ? (['rate-limited', 'provider-rate-limited', 'x'] as const)
          : undefined;
      return http.ask({ url: vendor.url, headers, explain }, signal);
    });
  } finally {
    await http.close();
    await vendor.close();
  }
}

test('packed answers are read, and have the token that the same answer has however it is packed', () =>
  asking(async (ask) => {
    const text = JSON.stringify({ a: 1 });
    const answers = [
      await ask(packed(gzipSync(text), 'gzip')),
      await ask(packed(gzipSync(text, { level: 1 }), 'GZIP')),
      await ask(packed(deflateSync(text), 'deflate')),
      await ask(packed(Buffer.from(text), 'identity')),
    ] as { json: unknown; token: string }[];
    for (const answer of answers) assert.deepEqual([answer.json, answer.token], [{ a: 1 }, answers[0]!.token]);
  }));

test('what a bomb would unpack to is not unpacked; what is not packed as it says is garbage', () =>
  asking(async (ask) => {
    const bomb = gzipSync(Buffer.alloc(10 * BYTES_MAX, 0x20));
    assert.ok(bomb.length < BYTES_MAX);
    await assert.rejects(ask(packed(bomb, 'gzip')), { code: 'provider-answer-too-large' });
    await assert.rejects(ask(packed(Buffer.from('{"a":1}'), 'gzip')), { code: 'provider-answered-garbage' });
    await assert.rejects(ask(packed(gzipSync('{"a":1}').subarray(0, 12), 'gzip')), {
      code: 'provider-answered-garbage',
    });
  }));

test('a refusal is explained by its body, packed or not, and by its headers', () =>
  asking(async (ask) => {
    const spent = gzipSync(JSON.stringify({ spent: true }));
    const headers = { 'x-why': 'quota', 'retry-after': '9' };
    await assert.rejects(ask(packed(spent, 'gzip', 403, headers)), { code: 'provider-rate-limited' });
    await assert.rejects(ask(packed(spent, 'gzip', 403)), { code: 'provider-unauthorised' });
    await assert.rejects(ask(packed(Buffer.from('{}'), 'gzip', 403, headers)), { code: 'provider-unauthorised' });
  }));
