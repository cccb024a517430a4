import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { type ExchangeLimits, exchange } from './exchange.ts';

const never = new AbortController().signal;

/** A server, a pool of one connection to it, and a question. */
async function serving(t: TestContext, answer: RequestListener) {
  const open = new Set<object>();
  const server = createServer(answer);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pool = new Pool(origin, { connections: 1, pipelining: 1 });
  t.after(async () => {
    await pool.destroy();
    server.closeAllConnections();
    server.close();
  });
  const ask = (limits: Partial<ExchangeLimits> = {}) =>
    exchange(
      pool,
      { origin, method: 'GET', path: '/', headersTimeout: 0, bodyTimeout: 0 },
      { signal: never, deadlineMs: 5000, bytesMax: 1000, ...limits },
    );
  return { ask, open };
}

test('the whole answer comes back, with the first value of each header in lower case', async (t) => {
  const { ask } = await serving(t, (_, response) => {
    response.writeHead(418, [
      ['X-Two', 'a'],
      ['X-Two', 'b'],
      ['Content-Type', 'text/plain'],
    ]);
    response.write('one ');
    setTimeout(() => response.end('two'), 20);
  });
  const { status, headers, bytes, truncated } = await ask();
  assert.deepEqual([status, bytes.toString(), truncated], [418, 'one two', false]);
  assert.equal(headers['x-two'], 'a');
  assert.equal(headers['content-type'], 'text/plain');
});

test('an answer that is too long is cut, and its connection closed', async (t) => {
  const { ask, open } = await serving(t, (_, response) => response.end('x'.repeat(500_000)));
  const { bytes, truncated } = await ask();
  assert.deepEqual([bytes.length, truncated], [1000, true]);
  for (let tries = 0; open.size > 0 && tries < 100; tries++) await delay(10);
  assert.equal(open.size, 0);
  assert.equal((await ask({ bytesMax: 1_000_000 })).bytes.length, 500_000, 'the next one gets its own');
});

test('a deadline covers the last byte, and ends the connection', async (t) => {
  const { ask, open } = await serving(t, (_, response) => void response.writeHead(200).write('begun'));
  await assert.rejects(ask({ deadlineMs: 60 }), { name: 'TimeoutError' });
  for (let tries = 0; open.size > 0 && tries < 100; tries++) await delay(10);
  assert.equal(open.size, 0);
});

test('who is called off hears so at once, before, while waiting for a connection, and in the middle', async (t) => {
  let asked = 0;
  const { ask } = await serving(t, (_, response) => {
    asked++;
    response.writeHead(200).write('begun');
  });
  const stop = new AbortController();
  const [inTheMiddle, waiting] = [ask({ signal: stop.signal }), ask({ signal: stop.signal })];
  while (asked === 0) await delay(5);
  const reason = new Error('called off');
  stop.abort(reason);
  await assert.rejects(inTheMiddle, reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(ask({ signal: stop.signal }), reason);
  await delay(30);
  assert.equal(asked, 1, 'what nobody waits for is not asked');
});

test('a connection that is refused or cut is an error', async (t) => {
  const { ask } = await serving(t, (request) => void request.socket.destroy());
  await assert.rejects(ask(), Error);
  const nobody = new Pool('http://127.0.0.1:1');
  const options = { origin: 'http://127.0.0.1:1', method: 'GET', path: '/' } as const;
  await assert.rejects(exchange(nobody, options, { signal: never, deadlineMs: 5000, bytesMax: 10 }), Error);
  await nobody.destroy();
});
