import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import type { SmtpLimits } from '../../src/adapters/mailbox/smtp/limits.ts';
import { createSmtpListener } from '../../src/adapters/mailbox/smtp/listener.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import type { Intake } from '../../src/ports/intake.ts';
import { addMailbox, clock, DOMAIN, mail, openMailIn, SmtpClient } from './mail-in.testing.ts';

const MAX_BYTES = 64 * 1024;

async function start(
  t: TestContext,
  options: {
    readonly limits?: Partial<SmtpLimits>;
    readonly overloaded?: () => boolean;
    readonly lmtp?: boolean;
    readonly accept?: (real: Intake['accept']) => Intake['accept'];
  } = {},
) {
  const mailIn = openMailIn();
  const { store, intake } = mailIn;
  const anna = await addMailbox(store, 'anna');
  const ben = await addMailbox(store, 'ben');
  const paused = await addMailbox(store, 'paused', 'paused');
  const listener = createSmtpListener({
    config: { host: '127.0.0.1', port: 0, domain: DOMAIN, maxBytes: MAX_BYTES, lmtp: options.lmtp === true },
    accept: options.accept?.(intake.accept) ?? intake.accept,
    findMailbox: (hash) => store.read((tx) => tx.accounts.findMailboxByAddress(hash)),
    clock,
    logger: silentLogger,
    ...(options.overloaded === undefined ? {} : { overloaded: options.overloaded }),
    limits: { closeMs: 500, ...options.limits },
  });
  const { port } = await listener.listen();
  t.after(async () => {
    await listener.close();
    await store.close();
  });
  const count = async () => {
    const counts = await store.read((tx) => tx.mails.count(DEFAULT_TENANT));
    return Object.values(counts).reduce((sum, n) => sum + n, 0);
  };
  const receipts = () => store.read(async (tx) => (await tx.mails.list(DEFAULT_TENANT, { limit: 100 })).receipts);
  return { ...mailIn, listener, port, anna, ben, paused, count, receipts };
}

test('a mail is accepted once stored, for each recipient in its own mailbox', async (t) => {
  const { port, anna, ben, receipts, store, blobs } = await start(t);
  const client = await SmtpClient.open(port);
  const bytes = mail(1, 'Anna <anna@home.example>');
  const reply = await client.send([anna.address, ben.address.toUpperCase()], bytes);
  assert.match(reply, /^250 2\.6\.0 Stored as mail_\w+ mail_\w+$/);
  const all = await receipts();
  assert.deepEqual(all.map((r) => r.mailbox).sort(), [anna.id, ben.id]);
  for (const receipt of all) {
    assert.equal(receipt.disposition, 'seen');
    assert.equal(receipt.fromAddress, 'anna@home.example');
    assert.deepEqual(Buffer.from(blobs.kept.get(receipt.raw!) ?? []), bytes);
    const events = await store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, receipt.id, 10));
    assert.deepEqual(
      events.map((e) => e.event.topic),
      ['mail.seen'],
    );
  }
  client.close();
});

test('the same mail a hundred times is one mail, counted', async (t) => {
  const { port, anna, receipts, store } = await start(t);
  const client = await SmtpClient.open(port);
  for (let i = 0; i < 100; i++) assert.match(await client.send([anna.address], mail('same')), /^250/);
  const all = await receipts();
  assert.deepEqual(
    all.map((r) => r.timesSeen),
    [100],
  );
  const events = await store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, all[0]?.id ?? '', 200));
  assert.equal(events.length, 1);
  client.close();
});

test('the address decides, never the From: unknown, paused and strange recipients are refused at RCPT', async (t) => {
  const { port, anna, paused, count } = await start(t);
  const client = await SmtpClient.open(port);
  await client.say('MAIL FROM:<>');
  assert.match(await client.say('RCPT TO:<plans+nobody@in.example>'), /^550 5\.1\.1 .*plans\+\.\.\.@in\.example/);
  assert.match(await client.say(`RCPT TO:<${paused.address}>`), /^450 4\.2\.1 .*paused/);
  assert.match(await client.say('RCPT TO:<plans@elsewhere.example>'), /^550/);
  assert.match(await client.say(`RCPT TO:<${anna.address}\0>`), /^5/);
  assert.match(await client.say('DATA'), /^503/);
  assert.match(await client.say('VRFY anna'), /^500/);
  assert.match(await client.say('AUTH PLAIN AGEAYg=='), /^500/);
  assert.match(await client.say('STARTTLS'), /^500/);
  assert.equal(await count(), 0);
  client.close();
});

test('who guesses addresses is cut off', async (t) => {
  const { port } = await start(t, { limits: { unknownRecipientsMax: 3 } });
  const client = await SmtpClient.open(port);
  await client.say('MAIL FROM:<a@b.example>');
  for (let i = 0; i < 3; i++) assert.match(await client.say(`RCPT TO:<plans+${i}@in.example>`), /^550/);
  assert.match(await client.say('RCPT TO:<plans+4@in.example>'), /^421/);
  assert.equal(await client.reply(), 'closed');
});

test('the size limit: said at MAIL FROM, and kept while streaming', async (t) => {
  const { port, anna, count, blobs } = await start(t);
  const client = await SmtpClient.open(port);
  assert.match(await client.say(`MAIL FROM:<a@b.example> SIZE=${MAX_BYTES + 1}`), /^552 5\.3\.4/);
  assert.match(
    await client.send([anna.address], Buffer.alloc(MAX_BYTES * 2, 'aaaaaaa\r\n')),
    /^552 .*large attachments/,
  );
  assert.match(
    await client.send([anna.address], Buffer.alloc(MAX_BYTES - 2, 'a')),
    /^250/,
    'the limit itself is allowed',
  );
  assert.equal(await count(), 1);
  assert.equal(blobs.kept.size, 1);
  client.close();
});

test('an endless mail ends the connection', async (t) => {
  const { port, anna, count } = await start(t);
  const client = await SmtpClient.open(port);
  await client.say('MAIL FROM:<a@b.example>');
  await client.say(`RCPT TO:<${anna.address}>`);
  await client.say('DATA');
  const block = Buffer.alloc(256 * 1024, 'aaaaaaa\r\n');
  for (let i = 0; i < 12 && !client.socket.destroyed; i++) client.socket.write(block);
  assert.match(await client.reply(), /^(421|552|closed)/);
  assert.equal(await count(), 0);
  client.close();
});

test('a client that goes away in the middle of DATA leaves nothing behind', async (t) => {
  const { port, anna, count, blobs } = await start(t);
  for (const bytes of [mail('cut').subarray(0, 40), mail('no end'), Buffer.from('')]) {
    const client = await SmtpClient.open(port);
    await client.say('MAIL FROM:<a@b.example>');
    await client.say(`RCPT TO:<${anna.address}>`);
    await client.say('DATA');
    client.socket.end(bytes);
    assert.equal(await client.reply(), 'closed');
  }
  const next = await SmtpClient.open(port);
  assert.match(await next.send([anna.address], mail('whole')), /^250/);
  assert.equal(await count(), 1);
  assert.equal(blobs.kept.size, 1);
  next.close();
});

test('what cannot be stored is not accepted: 451, and the sender may try again', async (t) => {
  const { port, anna, count, blobs } = await start(t);
  const client = await SmtpClient.open(port);
  blobs.broken = true;
  assert.match(await client.send([anna.address], mail(1)), /^451 4\.3\.0 .*not accepted/);
  assert.equal(await count(), 0);
  blobs.broken = false;
  assert.match(await client.send([anna.address], mail(1)), /^250/);
  assert.equal(await count(), 1);
  client.close();
});

test('250 comes after the store has answered, not before', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = () => {};
  const reached = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { port, anna } = await start(t, {
    accept: (real) => async (incoming) => {
      asked();
      await gate;
      return real(incoming);
    },
  });
  const client = await SmtpClient.open(port);
  let replied = false;
  const reply = client.send([anna.address], mail(1)).then((text) => {
    replied = true;
    return text;
  });
  await reached;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(replied, false);
  release();
  assert.match(await reply, /^250/);
  client.close();
});

test('an empty mail is refused and leaves a receipt', async (t) => {
  const { port, anna, receipts } = await start(t);
  const client = await SmtpClient.open(port);
  assert.match(await client.send([anna.address], Buffer.alloc(0)), /^554 .*no content/);
  assert.deepEqual(
    (await receipts()).map((r) => [r.disposition, r.reasonCode]),
    [['failed', 'mail-empty']],
  );
  client.close();
});

test('not UTF-8, NULs, bare line feeds and dots arrive byte for byte', async (t) => {
  const { port, anna, blobs } = await start(t);
  const client = await SmtpClient.open(port);
  const bytes = Buffer.from('Subject: Z\xfcrich\r\n\r\n\0\xff\xfe bare\nfeed\r\n', 'latin1');
  assert.match(await client.send([anna.address], Buffer.concat([bytes, Buffer.from('..dot\r\n')])), /^250/);
  assert.deepEqual(
    Buffer.from([...blobs.kept.values()][0] ?? []).toString('latin1'),
    `${bytes.toString('latin1')}.dot\r\n`,
  );
  client.close();
});

test('a bare line feed before the dot does not end a mail: no second mail can be smuggled in', async (t) => {
  const { port, anna, count } = await start(t);
  const client = await SmtpClient.open(port);
  const inner = `MAIL FROM:<x@y.example>\r\nRCPT TO:<${anna.address}>\r\nDATA\r\nSubject: smuggled\r\n\r\n`;
  assert.match(
    await client.send([anna.address], Buffer.from(`Subject: a\r\n\r\nx\n.\n${inner}y\n.\r\n${inner}`)),
    /^250/,
  );
  assert.equal(await count(), 1);
  client.close();
});

test('overloaded: the sender is told to come back', async (t) => {
  let overloaded = true;
  const { port, anna } = await start(t, { overloaded: () => overloaded });
  const client = await SmtpClient.open(port);
  assert.match(await client.send([anna.address], mail(1)), /^421 .*try again/);
  overloaded = false;
  const next = await SmtpClient.open(port);
  assert.match(await next.send([anna.address], mail(1)), /^250/);
  next.close();
});

test('caps: recipients, connections of one address, mails a minute, memory', async (t) => {
  const { port, anna, ben } = await start(t, {
    limits: { recipientsMax: 1, connectionsPerAddressMax: 2, mailsPerMinuteMax: 2, bufferedBytesMax: 4096 },
  });
  const client = await SmtpClient.open(port);
  assert.match(await client.send([anna.address, ben.address], mail(1)), /^452/);
  await client.say('RSET');
  assert.match(await client.send([anna.address], Buffer.alloc(8000, 'aaaaaaa\r\n')), /^451/);
  assert.match(await client.send([anna.address], mail(1)), /^421 .*slow down/);
  const open = await Promise.all([SmtpClient.open(port), SmtpClient.open(port, false)]);
  const third = await SmtpClient.open(port, false);
  assert.match(await third.reply(), /^421 .*Too many connections/);
  for (const other of open) other.close();
});

test('closing lets a mail that is being stored end, and turns away the idle', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = () => {};
  const reached = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { port, anna, listener, count } = await start(t, {
    limits: { closeMs: 5000 },
    accept: (real) => async (incoming) => {
      asked();
      await gate;
      return real(incoming);
    },
  });
  const idle = await SmtpClient.open(port);
  const busy = await SmtpClient.open(port);
  const reply = busy.send([anna.address], mail(1));
  await reached;
  const closed = listener.close();
  assert.match(await idle.reply(), /^421 .*shutting down/);
  release();
  assert.match(await reply, /^250/);
  await closed;
  assert.equal(await count(), 1);
  await assert.rejects(SmtpClient.open(port));
});

test('a port in use is said clearly', async (t) => {
  const { port, intake } = await start(t);
  const second = createSmtpListener({
    config: { host: '127.0.0.1', port, domain: DOMAIN, maxBytes: MAX_BYTES },
    accept: intake.accept,
    findMailbox: async () => undefined,
    clock,
    logger: silentLogger,
  });
  await assert.rejects(second.listen(), { code: 'smtp-listen', message: /smtp\.port/ });
});

test('by LMTP each recipient has an answer, and no limit for strangers holds up the server that hands over', async (t) => {
  const { port, anna, ben, count } = await start(t, {
    lmtp: true,
    limits: { unknownRecipientsMax: 1, connectionsPerAddressMax: 1 },
  });
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const lines = createInterface({ input: sockets[1]! })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    for (;;) {
      const { value = '' } = await lines.next();
      if (/^\d{3} /.test(value)) return value;
    }
  };
  const say = (line: string): Promise<string> => {
    sockets[1]!.write(`${line}\r\n`);
    return answer();
  };
  assert.match(await answer(), /^220 /);
  assert.match(await say('EHLO mta.example'), /^5\d\d /, 'it is no SMTP');
  assert.match(await say('LHLO mta.example'), /^250 /);
  assert.match(await say('MAIL FROM:<booking@air.example>'), /^250 /);
  for (const nobody of ['x', 'y', 'z']) assert.match(await say(`RCPT TO:<plans+${nobody}@${DOMAIN}>`), /^550 /);
  for (const { address } of [anna, ben]) assert.match(await say(`RCPT TO:<${address}>`), /^250 /);
  assert.match(await say('DATA'), /^354 /);
  sockets[1]!.write(Buffer.concat([mail(1), Buffer.from('\r\n.\r\n')]));
  for (const _ of [anna, ben]) assert.match(await answer(), /^250 2\.6\.0 /);
  assert.equal(await count(), 2);
});
