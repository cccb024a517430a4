import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatsConnection, SubscriptionOptions } from '@nats-io/transport-node';
import type { Clock } from '../../../ports/clock.ts';
import { ACK_MS, FRESH_MS, RELAY_FLIGHT_MAX } from './limits.ts';
import type { NatsLink } from './link.ts';
import { encode, type RelayedRow } from './message.ts';
import { Publisher, type Suspicion } from './publisher.ts';

/** Time that is moved by hand, one sleeper at most. */
function openClock() {
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    speed: 1,
    now: () => now,
    monotonic: () => now,
    sleep: (ms) => new Promise((resolve) => sleepers.push({ at: now + ms, wake: resolve })),
  };
  const advance = async (ms: number) => {
    for (const endAt = now + ms; now < endAt; ) {
      now += Math.min(10, endAt - now);
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, advance };
}

function open(from = { seq: 0, streamSeq: 0 }) {
  const { clock, advance } = openClock();
  let answer: NonNullable<SubscriptionOptions['callback']> = () => {};
  /** What was sent, in order: number of the row, and where the answer goes. */
  const sent: { seq: number; reply: string }[] = [];
  const connection = {
    subscribe: (_: string, options: SubscriptionOptions) => {
      answer = options.callback ?? answer;
      return { unsubscribe: () => {} };
    },
    publish: (_: string, __: Uint8Array, { reply = '', headers = new Map() as never } = {}) => {
      sent.push({ seq: Number((headers as { get(name: string): string }).get('Tripwatch-Seq')), reply });
    },
  } as unknown as NatsConnection;
  const listeners = new Set<(up: boolean) => void>();
  const link = {
    connection: connection as NatsConnection | undefined,
    onChange: (listener: (up: boolean) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const suspicions: Suspicion[] = [];
  let progress = 0;
  const publisher = new Publisher(link as unknown as NatsLink, clock, from, {
    onProgress: () => void progress++,
    onSuspicion: (of) => void suspicions.push(of),
  });
  const add = (...seqs: number[]) => {
    for (const seq of seqs) publisher.add(encode('p', rowOf(seq), 1_000_000));
  };
  const reply = (seq: number, body: object | undefined) => {
    const to = sent.findLast((one) => one.seq === seq)!.reply;
    const text = body === undefined ? '' : JSON.stringify(body);
    answer(null, { subject: to, data: new TextEncoder().encode(text), json: () => JSON.parse(text) } as never);
  };
  return {
    publisher,
    add,
    advance,
    sent: () => sent.splice(0).map(({ seq }) => seq),
    ack: (seq: number, streamSeq: number, duplicate = false) => reply(seq, { stream: 's', seq: streamSeq, duplicate }),
    refuse: (seq: number) =>
      reply(seq, { error: { code: 503, err_code: 10023, description: 'insufficient resources' } }),
    nobody: (seq: number) => reply(seq, undefined),
    up: (value: boolean) => {
      link.connection = value ? connection : undefined;
      for (const listener of listeners) listener(value);
    },
    suspicions,
    progress: () => progress,
    keep: sent,
  };
}

function rowOf(seq: number): RelayedRow {
  return {
    seq,
    prev: seq - 1,
    id: `evt_${seq}`,
    tenant: 't',
    key: 'k',
    at: 0,
    topic: 'mail.seen',
    shard: 0,
    body: '{}',
  };
}

test('what is published moves only over what is acknowledged without a hole', () => {
  const p = open({ seq: 10, streamSeq: 5 });
  p.add(11, 12, 14);
  p.ack(12, 7);
  assert.deepEqual(p.publisher.published, { seq: 10, streamSeq: 5 });
  p.ack(11, 8);
  assert.deepEqual(p.publisher.published, { seq: 12, streamSeq: 8 });
  assert.equal(p.publisher.inFlight, 1);
  assert.equal(p.progress(), 0);
  p.ack(14, 9);
  assert.deepEqual(p.publisher.published, { seq: 14, streamSeq: 9 });
  assert.equal(p.progress(), 1);
  p.ack(14, 9);
  assert.deepEqual(p.publisher.published, { seq: 14, streamSeq: 9 });
});

test('what is not acknowledged is sent again: after silence, after a refusal, on a new connection', async () => {
  const p = open();
  await p.advance(FRESH_MS);
  p.add(1, 2, 3);
  p.ack(2, 2);
  p.keep.splice(0);
  await p.advance(ACK_MS - 200);
  assert.deepEqual(p.sent(), []);
  await p.advance(400);
  assert.deepEqual(
    p.keep.map(({ seq }) => seq),
    [1, 3],
  );
  assert.deepEqual(p.suspicions, ['gone'], 'nobody answered');
  p.refuse(1);
  assert.equal(p.publisher.refusal, 'insufficient resources');
  p.keep.splice(0);
  await p.advance(1000);
  assert.deepEqual(p.keep.map(({ seq }) => seq).slice(0, 1), [1]);
  p.keep.splice(0);
  p.up(false);
  p.add(4);
  await p.advance(ACK_MS * 2);
  assert.deepEqual(p.sent(), []);
  p.up(true);
  assert.deepEqual(
    p.keep.map(({ seq }) => seq),
    [1, 3, 4],
  );
  p.ack(1, 1);
  p.ack(3, 3);
  p.ack(4, 4);
  assert.deepEqual(p.publisher.published, { seq: 4, streamSeq: 4 });
  assert.equal(p.publisher.refusal, undefined);
  p.keep.splice(0);
  await p.advance(ACK_MS * 3);
  assert.deepEqual(p.sent(), []);
});

test('nobody takes it: the stream may be gone', () => {
  const p = open();
  p.add(1);
  p.nobody(1);
  assert.deepEqual(p.suspicions, ['gone']);
  assert.equal(p.publisher.inFlight, 1);
});

test('a number that was given before means that something was lost; that of a duplicate does not', () => {
  const p = open({ seq: 0, streamSeq: 100 });
  p.add(1, 2);
  p.ack(1, 101);
  // Sent before the stream had given 101: the order of answers says nothing.
  p.ack(2, 102);
  p.add(3);
  p.ack(3, 50, true);
  assert.deepEqual(p.suspicions, []);
  p.add(4);
  p.ack(4, 102);
  assert.deepEqual(p.suspicions, ['lost']);
});

test('there is room for so many at once', () => {
  const p = open();
  for (let seq = 1; seq < RELAY_FLIGHT_MAX; seq++) p.add(seq);
  assert.ok(p.publisher.hasRoom);
  p.add(RELAY_FLIGHT_MAX);
  assert.ok(!p.publisher.hasRoom);
  p.ack(1, 1);
  assert.ok(p.publisher.hasRoom);
  assert.equal(p.progress(), 1);
});
