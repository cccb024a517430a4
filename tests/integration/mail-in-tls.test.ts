import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createTransport } from 'nodemailer';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createSmtpListener } from '../../src/adapters/mailbox/smtp/listener.ts';
import { addMailbox, clock, DOMAIN, mail, openMailIn } from './mail-in.testing.ts';

// A key for tests only; its certificate names the host in.example.
const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/test-only.${name}.pem`, import.meta.url), 'utf8');
const tls = { key: pem('key'), cert: pem('cert') };
const common = {
  config: { host: '127.0.0.1', port: 0, domain: DOMAIN, maxBytes: 65_536 },
  findMailbox: async () => undefined,
  clock,
  logger: silentLogger,
};

test('with a certificate a mail comes in over STARTTLS', async (t) => {
  const { store, intake } = openMailIn();
  const anna = await addMailbox(store, 'anna');
  const listener = createSmtpListener({
    ...common,
    accept: intake.accept,
    findMailbox: (hash) => store.read((tx) => tx.accounts.findMailboxByAddress(hash)),
    tls,
  });
  const { port } = await listener.listen();
  t.after(async () => {
    await listener.close();
    await store.close();
  });
  const sender = createTransport({
    host: '127.0.0.1',
    port,
    requireTLS: true,
    tls: { ca: tls.cert, servername: DOMAIN },
  });
  t.after(() => sender.close());
  const sent = await sender.sendMail({
    envelope: { from: 'booking@air.example', to: anna.address },
    raw: mail('tls'),
  });
  assert.match(sent.response, /^250 .*Stored as mail_/);
});

test('a key that is none, or that belongs to another certificate, is refused at once, and is not repeated', () => {
  for (const wrong of [
    { ...tls, key: 'no key at all' },
    { ...tls, cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
  ]) {
    assert.throws(
      () => createSmtpListener({ ...common, accept: async () => assert.fail('no mail is taken'), tls: wrong }),
      (error: Error & { code?: string }) =>
        error.code === 'smtp-tls-invalid' &&
        /smtp\.tls\.key and smtp\.tls\.cert/.test(error.message) &&
        !error.message.includes('no key at all'),
    );
  }
});
