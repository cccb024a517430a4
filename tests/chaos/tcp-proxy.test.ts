import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTcpProxy } from './tcp-proxy.ts';

/** A server that sends back what it gets, behind a proxy, and what it saw of each connection. */
async function rig(t: TestContext) {
  const seen: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    seen.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const proxy = await startTcpProxy({ target: { port } });
  t.after(async () => {
    await proxy.close();
    server.close();
    for (const socket of seen) socket.destroy();
  });
  const dial = async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    const faults: string[] = [];
    socket.on('error', (error) => faults.push((error as NodeJS.ErrnoException).code ?? ''));
    t.after(() => socket.destroy());
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    let got = '';
    socket.on('data', (bytes) => {
      got += String(bytes);
    });
    const until = async (length: number, ms = 2000) => {
      const giveUpAt = performance.now() + ms;
      while (got.length < length && performance.now() < giveUpAt && !socket.destroyed) await delay(2);
      return got;
    };
    return { socket, faults, until, got: () => got };
  };
  return { proxy, dial, seen };
}

/** `once` would reject with the error that comes before the end. */
const closed = (socket: Socket) =>
  socket.closed ? Promise.resolve() : new Promise<void>((resolve) => socket.once('close', () => resolve()));
const ended = (socket: Socket) =>
  socket.readableEnded ? Promise.resolve() : new Promise<void>((resolve) => socket.once('end', () => resolve()));

async function took(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

test('without faults it passes everything on, both ends included', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket, until } = await dial();
  const text = 'x'.repeat(1_000_000);
  socket.end(text);
  assert.equal(await until(text.length, 5000), text);
  await ended(socket);
  assert.deepEqual(proxy.passed, { up: 1_000_000, down: 1_000_000 });
  await delay(10);
  assert.equal(proxy.connections, 0);
});

test('latency and jitter delay, and keep the order', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket, until } = await dial();
  proxy.set({ latencyMs: 60, jitterMs: 40 }, 'up');
  const text = Array.from({ length: 20 }, (_, i) => `${i},`);
  const ms = await took(async () => {
    for (const part of text) {
      socket.write(part);
      await delay(1);
    }
    assert.equal(await until(text.join('').length), text.join(''));
  });
  assert.ok(ms >= 60, `${ms}`);
});

test('bandwidth', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket, until } = await dial();
  proxy.set({ bytesPerSecond: 100_000 }, 'down');
  const ms = await took(async () => {
    socket.write('y'.repeat(20_000));
    assert.equal((await until(20_000)).length, 20_000);
  });
  assert.ok(ms > 180 && ms < 1500, `${ms}`);
});

test('slices', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket, until } = await dial();
  let pieces = 0;
  socket.on('data', () => pieces++);
  proxy.set({ sliceBytes: 2, sliceDelayMs: 5 }, 'down');
  socket.write('0123456789');
  assert.equal(await until(10), '0123456789');
  assert.ok(pieces >= 4, `${pieces}`);
});

test('a limit ends the connection in good order, with a reset, or not at all', async (t) => {
  const { proxy, dial } = await rig(t);
  const one = await dial();
  proxy.set({ limitBytes: 4 }, 'down');
  one.socket.write('0123456789');
  await ended(one.socket);
  assert.equal(one.got(), '0123');
  const two = await dial();
  proxy.set({ limitBytes: 4, limitThen: 'reset' }, 'down');
  two.socket.write('0123456789');
  await closed(two.socket);
  assert.deepEqual(two.faults, ['ECONNRESET']);
  const three = await dial();
  proxy.set({ limitBytes: 4, limitThen: 'hole' }, 'down');
  three.socket.write('0123456789');
  assert.equal(await three.until(10, 100), '0123');
  assert.equal(three.socket.destroyed, false);
});

test('a black hole holds everything, closing included, until it is gone', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket, until, got } = await dial();
  proxy.set({ blackHole: true });
  socket.end('hello');
  await until(5, 80);
  assert.equal(got(), '');
  assert.equal(proxy.connections, 1);
  proxy.set({});
  assert.equal(await until(5), 'hello');
  await ended(socket);
});

test('reset', async (t) => {
  const { proxy, dial, seen } = await rig(t);
  const { socket, faults, until } = await dial();
  socket.write('a');
  await until(1);
  assert.equal(proxy.reset(), 1);
  await closed(socket);
  assert.deepEqual(faults, ['ECONNRESET']);
  await closed(seen[0]!);
  assert.equal(proxy.connections, 0);
});

test('half open: the far end is gone and the client is not told', async (t) => {
  const { proxy, dial, seen } = await rig(t);
  const { socket, until, faults } = await dial();
  socket.write('a');
  await until(1);
  assert.equal(proxy.halfOpen(), 1);
  await closed(seen[0]!);
  socket.write('b');
  assert.equal(await until(2, 80), 'a');
  assert.deepEqual([socket.destroyed, socket.readableEnded, faults], [false, false, []]);
  const next = await dial();
  next.socket.write('c');
  assert.equal(await next.until(1), 'c', 'a new connection works');
});

test('refuse', async (t) => {
  const { proxy, dial } = await rig(t);
  const before = await dial();
  await proxy.refuse(true);
  assert.deepEqual((await dial()).faults, ['ECONNREFUSED']);
  before.socket.write('a');
  assert.equal(await before.until(1), 'a', 'those that stand go on');
  await proxy.refuse(false);
  const after = await dial();
  after.socket.write('b');
  assert.equal(await after.until(1), 'b');
});

test('slow close', async (t) => {
  const { proxy, dial } = await rig(t);
  const { socket } = await dial();
  proxy.set({ slowCloseMs: 80 }, 'down');
  const ms = await took(async () => {
    socket.end('a');
    await ended(socket);
  });
  assert.ok(ms >= 75, `${ms}`);
});

test('a server that is not there is a reset to the client', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  const proxy = await startTcpProxy({ target: { port } });
  t.after(() => proxy.close());
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await closed(socket);
  assert.equal(proxy.connections, 0);
});
