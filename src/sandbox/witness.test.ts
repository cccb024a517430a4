import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openFolder } from './folder.ts';
import { openJournal } from './journal.ts';
import { sseReader } from './listener.ts';
import { digestOf } from './scenario/day.ts';
import { startSink, verifySignature } from './sink.ts';

const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
after(() => rmSync(folder, { recursive: true }));

test('a journal cut short by a kill loses only the cut line', () => {
  const file = join(folder, 'a', 'journal.jsonl');
  const first = openJournal<{ n: number }>(file);
  first.add({ n: 1 });
  first.close();
  appendFileSync(file, '{"n":');
  const second = openJournal<{ n: number }>(file);
  assert.deepEqual(second.entries, [{ n: 1 }]);
  second.add({ n: 2 });
  second.close();
  assert.deepEqual(openJournal(file).entries, [{ n: 1 }, { n: 2 }]);
});

test('a folder goes on with its own day, whatever is asked for later', () => {
  const dataDir = join(folder, 'b');
  const first = openFolder({ dataDir, day: { seed: 4, hours: 8 }, speed: 120 });
  first.update({ ports: { aerodatabox: 1, duffel: 2, sink: 3 } });
  const second = openFolder({ dataDir, day: { seed: 5 }, speed: 1 });
  assert.equal(digestOf(second.scenario), digestOf(first.scenario));
  assert.deepEqual(second.meta(), first.meta());
  assert.ok(Math.abs(second.clock.now() - first.clock.now()) < 60_000 * 10);
});

test('server-sent events are read whole, wherever the stream is cut', () => {
  const text =
    ': ping\n\nid: 1\nevent: change\ndata: {"a":1}\n\nid: 2\r\nevent: change\r\ndata: x\r\ndata: y\r\n\r\nid: 3\ndata';
  const whole = [
    { id: '1', event: 'change', data: '{"a":1}' },
    { id: '2', event: 'change', data: 'x\ny' },
  ];
  for (let size = 1; size < text.length; size++) {
    const read = sseReader();
    const out = [];
    for (let at = 0; at < text.length; at += size) out.push(...read(text.slice(at, at + size)));
    assert.deepEqual(out, whole, `in pieces of ${size}`);
  }
});

test('the sink verifies signatures, fails some first attempts and takes the repeat', async () => {
  const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
  const entries: { webhookId: string; answered: number; genuine: boolean }[] = [];
  const clock = { speed: 1, now: () => 5, monotonic: () => 5, sleep: async () => undefined };
  const sink = await startSink({ clock, port: 0, secret: () => secret, onEntry: (entry) => entries.push(entry) });
  const send = async (id: string, key: string) => {
    const body = '{"type":"x"}';
    const mac = createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
      .update(`${id}.7.${body}`)
      .digest('base64');
    const headers = { 'webhook-id': id, 'webhook-timestamp': '7', 'webhook-signature': `v1a,xx v1,${mac}` };
    assert.equal(verifySignature(secret, headers, body), key === secret);
    return (await fetch(sink.url, { method: 'POST', headers, body })).status;
  };
  try {
    const first: number[] = [];
    for (let i = 0; i < 120; i++) first.push(await send(`evt_${i}`, secret));
    const failed = first.flatMap((status, i) => (status === 500 ? [i] : []));
    assert.ok(failed.length > 0 && failed.length < 20, `${failed.length} of 120 failed`);
    for (const i of failed) assert.equal(await send(`evt_${i}`, secret), 204);
    assert.equal(await send('evt_forged', `whsec_${Buffer.from('x'.repeat(24)).toString('base64')}`), 401);
    assert.equal(entries.filter((one) => !one.genuine).length, 1);
    assert.equal(new Set(entries.filter((one) => one.answered === 204).map((one) => one.webhookId)).size, 120);
  } finally {
    await sink.close();
  }
});
