import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createWebhookPost } from './post.ts';

/** A receiver that does what a test wants, on loopback; the guard itself is tested in egress. */
async function receiver(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/hook`,
    count: () => requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
const never = new AbortController().signal;
const send = (post: ReturnType<typeof createWebhookPost>, url: string, signal = never) =>
  post.post({ url, headers: { 'content-type': 'application/json' }, body: '{"a":1}' }, signal);

test('any answer is a result; Retry-After comes along; a redirect is not followed', async () => {
  const post = createWebhookPost({ allowPrivate: true });
  const sink = await receiver((request, response) => {
    const status = Number(new URL(request.url!, 'http://x').searchParams.get('s'));
    response.writeHead(status, { location: '/elsewhere?s=200', 'retry-after': '7' }).end('x');
  });
  for (const status of [200, 204, 302, 307, 410, 429, 500]) {
    const answer = await send(post, `${sink.url}?s=${status}`);
    assert.deepEqual(answer, { status, retryAfter: '7' });
  }
  assert.equal(sink.count(), 7);
  sink.close();
  await post.close();
});

test('an endless answer is cut off after 64 KiB', async () => {
  const post = createWebhookPost({ allowPrivate: true, timeoutMs: 10_000 });
  let sent = 0;
  const sink = await receiver((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) sent += 16 * 1024;
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  assert.equal((await send(post, sink.url)).status, 200);
  assert.ok(sent < 16 * 1024 * 1024);
  sink.close();
  await post.close();
});

test('one that hangs ends by the deadline, before and within its answer; stopping is told apart', async () => {
  const post = createWebhookPost({ allowPrivate: true, timeoutMs: 50 });
  const silent = await receiver(() => {});
  await assert.rejects(send(post, silent.url), { code: 'webhook-timeout', kind: 'transient' });
  const half = await receiver((_request, response) => void response.writeHead(200).write('x'));
  await assert.rejects(send(post, half.url), { code: 'webhook-timeout' });
  const stop = new AbortController();
  const pending = send(createWebhookPost({ allowPrivate: true }), silent.url, stop.signal);
  stop.abort();
  await assert.rejects(pending, { kind: 'cancelled' });
  silent.close();
  half.close();
});

test('nobody listens: transient, with a reason in words', async () => {
  const gone = await receiver(() => {});
  gone.close();
  await assert.rejects(send(createWebhookPost({ allowPrivate: true }), gone.url), {
    code: 'webhook-unreachable',
    message: /connection refused/,
  });
});
