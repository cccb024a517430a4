import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFsBlobs } from '../../src/adapters/blobs/fs/blobs.ts';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import { forwardingAddress } from '../../src/domain/mail/mailbox-address.ts';
import { clock, DOMAIN, mail, SmtpClient } from './mail-in.testing.ts';

const ADDRESS = forwardingAddress('anna', DOMAIN);

async function startChild(folder: string): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const script = fileURLToPath(new URL('mail-in-kill.testing.ts', import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
  return { child, port: Number(String(line)) };
}

test('kill -9 at any moment: every mail that was answered with 250 is there, byte for byte', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-kill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const promised = new Set<string>();
  const sent = new Map<string, Buffer>();
  for (let round = 0; round < 3; round++) {
    const { child, port } = await startChild(folder);
    const ended = once(child, 'exit');
    const clients = await Promise.all(Array.from({ length: 6 }, () => SmtpClient.open(port)));
    // One mail stays half sent when the axe falls.
    const half = await SmtpClient.open(port);
    await half.say('MAIL FROM:<a@b.example>');
    await half.say(`RCPT TO:<${ADDRESS}>`);
    await half.say('DATA');
    half.socket.write(mail(`half ${round}`));
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; ; i++) {
          const name = `${round}-${c}-${i}`;
          const bytes = mail(name, 'a@b.example', 'x'.repeat(((i * 37) % 50) * 1000));
          sent.set(`Mail ${name}`, bytes);
          const reply = await client.send([ADDRESS], bytes);
          if (!reply.startsWith('250')) return;
          promised.add(`Mail ${name}`);
          if (c === 0 && i === 5 + round * 7) child.kill('SIGKILL');
        }
      }),
    );
    await ended;
  }
  assert.ok(promised.size >= 40, `${promised.size} mails were accepted`);
  const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silentLogger });
  t.after(() => store.close());
  const blobs = openFsBlobs(join(folder, 'mails'));
  const stored = new Set<string>();
  for (let before: string | undefined; ; ) {
    const page = await store.read((tx) =>
      tx.mails.list(DEFAULT_TENANT, { limit: 200, ...(before === undefined ? {} : { before }) }),
    );
    for (const receipt of page.receipts) {
      stored.add(receipt.subject);
      assert.deepEqual(
        Buffer.from(await blobs.get(receipt.raw!, receipt.tenant)),
        sent.get(receipt.subject),
        receipt.subject,
      );
      const events = await store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, receipt.id, 10));
      assert.equal(events.length, 1, 'a stored mail has its event');
    }
    before = page.nextBefore;
    if (before === undefined) break;
  }
  assert.deepEqual(
    [...promised].filter((subject) => !stored.has(subject)),
    [],
  );
  // What was under way may be stored without having been answered; what was half sent may not.
  assert.deepEqual(
    [...stored].filter((subject) => subject.includes('half')),
    [],
  );
});
