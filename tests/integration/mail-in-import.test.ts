import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createProgress } from '../../src/app/commands/import-progress.ts';
import { type ImportEnv, type ImportProgress, importMailbox, runImport } from '../../src/app/commands/import-run.ts';
import { summaryLines } from '../../src/app/commands/import-summary.ts';
import { createStyle } from '../../src/app/terminal/style.ts';
import type { Event } from '../../src/contracts/event.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT, type MailId } from '../../src/domain/ids.ts';
import type { Rule, Traveller } from '../../src/ports/store/accounts.ts';
import { createCollectHandler } from '../../src/stages/collect/handler.ts';
import { clock, mail, openMailIn } from './mail-in.testing.ts';

const MARK = 'From a@b.example Tue Dec  1 09:00:00 2026\n';
const traveller: Traveller = {
  id: 'trv_a',
  tenant: DEFAULT_TENANT,
  name: 'A',
  zone: 'UTC',
  locale: 'en',
  createdAt: 1,
};
const context = { clock, logger: silentLogger, signal: new AbortController().signal, attempt: 1 };

async function start(t: TestContext, change: Partial<ImportEnv> = {}) {
  const mailIn = openMailIn();
  const { store, intake } = mailIn;
  t.after(() => store.close());
  await store.transact(async (tx) => {
    await tx.accounts.ensureTenant(DEFAULT_TENANT, 'Test', 1);
    await tx.accounts.addTraveller(traveller);
  });
  const env: ImportEnv = { store, intake, clock, idle: async () => {}, overloaded: () => false, ...change };
  const root = mkdtempSync(join(tmpdir(), 'tripwatch-import-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const mailbox = await importMailbox(env, traveller);
  const shown: ImportProgress[] = [];
  const run = (paths: readonly string[] = [root], signal = context.signal, maxBytes = 100_000) =>
    runImport(env, { paths, mailbox, maxBytes, signal, onProgress: (progress) => shown.push(progress) });
  const receipts = () => store.read(async (tx) => (await tx.mails.list(DEFAULT_TENANT, { limit: 1000 })).receipts);
  const parts = {
    store,
    blobs: mailIn.blobs,
    fetcher: { fetch: async () => ({ kind: 'vanished' }) as const },
    bytesMax: 100_000,
  };
  const addRule = (id: string, action: Rule['action'], field: Rule['field'], pattern: string) =>
    store.transact((tx) =>
      tx.accounts.addRule({
        id,
        tenant: DEFAULT_TENANT,
        traveller: traveller.id,
        action,
        field,
        pattern,
        createdAt: 1,
      }),
    );
  /** Lets the collect stage decide on everything seen so far, as the runtime would. */
  const collect = async () => {
    const collected = [];
    for (const { id } of await receipts()) {
      const entries = await store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, id, 100));
      for (const { event } of entries.filter((entry) => entry.event.topic === 'mail.seen')) {
        const outcome = await createCollectHandler(parts)(event as Event<'mail.seen'>, context);
        assert.equal(outcome.kind, 'ack');
        const fresh = await store.transact(async (tx) => {
          if (!(await tx.log.claim('collect', event.id, 1))) return [];
          return outcome.kind === 'ack' ? ((await outcome.commit?.(tx)) ?? []) : [];
        });
        collected.push(...fresh);
      }
    }
    return collected;
  };
  return { ...mailIn, env, root, mailbox, run, receipts, shown, addRule, collect };
}

test('an mbox, single mails and bad input: each mail has one receipt; twice changes nothing', async (t) => {
  const { root, run, receipts, shown } = await start(t);
  const broken = Buffer.from(
    'Content-Type: multipart/mixed; boundary="x\r\nSubject: =?utf-8?B?\xff\xfe\r\n--x\r\n\0\0',
    'latin1',
  );
  writeFileSync(join(root, 'a.mbox'), Array.from({ length: 200 }, (_, i) => `${MARK}${mail(i)}\n`).join(''));
  writeFileSync(join(root, 'broken.eml'), broken);
  writeFileSync(join(root, 'empty.eml'), '');
  writeFileSync(join(root, 'huge.eml'), mail('huge'));
  truncateSync(join(root, 'huge.eml'), 50_000_000);
  const first = await run();
  assert.deepEqual(
    [first.mails, first.new, first.known, first.problemsTotal, first.dispositions],
    [203, 203, 0, 0, { seen: 201, failed: 2 }],
  );
  assert.deepEqual(first.reasons.map((r) => [r.code, r.mails]).sort(), [
    ['mail-empty', 1],
    ['mail-too-large', 1],
  ]);
  const huge = (await receipts()).find((receipt) => receipt.reasonCode === 'mail-too-large');
  assert.equal(huge?.size, 50_000_000);
  assert.equal(huge?.subject, 'Mail huge');
  assert.match(huge?.reason ?? '', /47\.7 MiB.*smtp\.maxBytes/);
  const second = await run();
  assert.deepEqual([second.mails, second.new, second.known], [203, 0, 203]);
  const all = await receipts();
  assert.equal(all.length, 203);
  assert.ok(all.every((receipt) => receipt.timesSeen === 2));
  assert.ok(shown.some((progress) => progress.phase === 'reading'));
  const stored = shown.filter((progress) => progress.phase === 'storing').map((progress) => progress.bytesDone);
  assert.deepEqual(
    stored.slice(0, 204),
    stored.slice(0, 204).sort((a, b) => a - b),
  );
});

test('the same mail a hundred times in one file is one mail', async (t) => {
  const { root, run, receipts, store } = await start(t);
  writeFileSync(join(root, 'same.mbox'), `${MARK}${mail('same')}\n`.repeat(100));
  const summary = await run();
  assert.deepEqual([summary.mails, summary.new, summary.known, summary.dispositions], [100, 1, 99, { seen: 1 }]);
  const [receipt] = await receipts();
  assert.equal(receipt?.timesSeen, 100);
  const events = await store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, receipt?.id ?? '', 200));
  assert.equal(events.length, 1);
});

test('when an imported mail was received: what its headers say, never later than now', async (t) => {
  const { root, run, receipts } = await start(t);
  const received = 'Received: by mx; Tue, 3 Mar 2020 10:00:00 +0000\r\n';
  writeFileSync(join(root, '1.eml'), `${received}Subject: 1\r\nDate: Sun, 1 Mar 2020 10:00:00 +0000\r\n\r\n`);
  writeFileSync(join(root, '2.eml'), 'Subject: 2\r\nDate: Sun, 1 Mar 2020 10:00:00 +0000\r\n\r\n');
  writeFileSync(join(root, '3.eml'), 'Subject: 3\r\nDate: Sun, 1 Mar 2999 10:00:00 +0000\r\n\r\n');
  await run();
  const at = new Map((await receipts()).map((receipt) => [receipt.subject, receipt.receivedAt]));
  assert.equal(at.get('1'), Temporal.Instant.from('2020-03-03T10:00:00Z').epochMilliseconds);
  assert.equal(at.get('2'), Temporal.Instant.from('2020-03-01T10:00:00Z').epochMilliseconds);
  assert.ok((at.get('3') ?? 0) <= clock.now());
});

test('rules decide on headers, the receipt names the rule, and bringing the mail again decides anew', async (t) => {
  const { root, run, receipts, addRule, collect, store } = await start(t);
  await addRule('rule_1', 'deny', 'domain', 'shop.example');
  writeFileSync(join(root, '1.eml'), mail(1, 'news@mail.shop.example'));
  writeFileSync(join(root, '2.eml'), mail(2, 'booking@air.example'));
  await run();
  const collected = await collect();
  assert.deepEqual(
    collected.map((event) => event.topic),
    ['mail.collected'],
  );
  const of = async (subject: string) => (await receipts()).find((receipt) => receipt.subject === subject);
  const skipped = await of('Mail 1');
  assert.deepEqual([skipped?.disposition, skipped?.reasonCode], ['skipped', 'rule-denied']);
  assert.match(skipped?.reason ?? '', /deny domain shop\.example.*rule_1.*remove the rule/);
  assert.equal((await of('Mail 2'))?.disposition, 'collected');

  await store.transact((tx) => tx.accounts.removeRule(DEFAULT_TENANT, 'rule_1'));
  await run();
  assert.deepEqual(
    (await collect()).map((event) => event.subject),
    [skipped?.id],
  );
  assert.equal((await of('Mail 1'))?.disposition, 'collected');
  await run();
  assert.deepEqual(await collect(), []);

  await addRule('rule_2', 'allow', 'sender', 'booking@air.example');
  writeFileSync(join(root, '3.eml'), mail(3, 'other@air.example'));
  await run();
  assert.deepEqual(await collect(), []);
  assert.equal((await of('Mail 3'))?.reasonCode, 'not-on-allow-list');
});

test('takes no more than the pipeline bears, and waits while it lags', async (t) => {
  let lagging = 3;
  let underWay = 0;
  let most = 0;
  const { root, env, mailbox, intake } = await start(t, { overloaded: () => lagging-- > 0 });
  writeFileSync(join(root, 'a.mbox'), Array.from({ length: 300 }, (_, i) => `${MARK}${mail(i)}\n`).join(''));
  const counting: ImportEnv = {
    ...env,
    intake: {
      accept: async (incoming) => {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setImmediate(resolve));
        const result = await intake.accept(incoming);
        underWay--;
        return result;
      },
    },
  };
  const summary = await runImport(counting, {
    paths: [root],
    mailbox,
    maxBytes: 1000,
    signal: context.signal,
    onProgress: () => {},
  });
  assert.equal(summary.new, 300);
  assert.ok(most > 1 && most <= 64, `${most} under way`);
  assert.ok(lagging < 0);
});

test('passing errors are waited out; lasting ones end the import with their reason; a repeat finishes it', async (t) => {
  const { root, env, mailbox, intake, receipts } = await start(t);
  writeFileSync(join(root, 'a.mbox'), Array.from({ length: 10 }, (_, i) => `${MARK}${mail(i)}\n`).join(''));
  let calls = 0;
  const job = { paths: [root], mailbox, maxBytes: 1000, signal: context.signal, onProgress: () => {} };
  const failing = (error: (call: number) => Error | undefined): ImportEnv => ({
    ...env,
    intake: {
      accept: async (incoming) => {
        const fault = error(++calls);
        if (fault !== undefined) throw fault;
        return intake.accept(incoming);
      },
    },
  });
  const lasting = new TripwatchError('permanent', 'store-foreign', 'Not ours.');
  await assert.rejects(
    runImport(
      failing((call) => (call > 4 ? lasting : undefined)),
      job,
    ),
    lasting,
  );
  const before = (await receipts()).length;
  assert.ok(before >= 4 && before < 10);
  calls = 0;
  const busy = new TripwatchError('rate-limited', 'intake-overloaded', 'Later.');
  const passing = new TripwatchError('transient', 'store-busy', 'Busy.');
  const summary = await runImport(
    failing((call) => (call === 1 ? busy : call === 2 ? passing : undefined)),
    job,
  );
  assert.deepEqual([summary.mails, summary.known], [10, before]);
});

test('interrupted: what is stored stays, the summary says how to go on', async (t) => {
  const { root, env, mailbox, intake, receipts } = await start(t);
  writeFileSync(join(root, 'a.mbox'), Array.from({ length: 500 }, (_, i) => `${MARK}${mail(i)}\n`).join(''));
  const controller = new AbortController();
  let calls = 0;
  const summary = await runImport(
    {
      ...env,
      intake: {
        accept: (incoming) => {
          if (++calls === 20) controller.abort();
          return intake.accept(incoming);
        },
      },
    },
    { paths: [root], mailbox, maxBytes: 1000, signal: controller.signal, onProgress: () => {} },
  );
  assert.equal(summary.stopped, true);
  assert.equal((await receipts()).length, summary.new);
  assert.ok(summary.new >= 20 && summary.new < 500);
  assert.match(summaryLines(summary, 1, createStyle(false)).join('\n'), /Run the same line again/);
});

test('the summary tells what became of them and what to do next', async (t) => {
  const { root, run, store, receipts } = await start(t);
  writeFileSync(join(root, '1.eml'), mail(1));
  writeFileSync(join(root, '2.eml'), '');
  await run();
  writeFileSync(join(root, 'notes.txt'), 'Remember the milk.');
  const id = (await receipts()).find((receipt) => receipt.size > 0)?.id as MailId;
  await store.transact((tx) =>
    tx.mails.update(DEFAULT_TENANT, id, { disposition: 'imported', reasonCode: 'imported', reason: 'ok' }, 1),
  );
  const text = summaryLines(await run([root, join(root, 'missing\u001b[2J.eml')]), 0.5, createStyle(false)).join('\n');
  assert.match(text, /2 mails in 2 of 3 files.*2 of them known before/);
  assert.match(text, /mail-empty: .*Forward or export it again/);
  assert.match(text, /tripwatch trips/);
  assert.ok(
    text.includes(`${root}/missing`) && /There is no such file or folder/.test(text),
    'the path as it was named',
  );
  assert.ok(!text.includes('\u001b'));
  assert.match(summaryLines(await run([join(root, 'nothing')]), 0, createStyle(false)).join('\n'), /No mail found/);
});

test('the progress line: one on a terminal, now and then elsewhere', () => {
  let now = 0;
  let text = '';
  const at = (bytesDone: number, mails: number) =>
    ({ phase: 'storing', bytesDone, bytesTotal: 1000, mails, waiting: 0 }) as const;
  const output = {
    columns: 80,
    now: () => now,
    write: (part: string) => {
      text += part;
    },
  };
  const bar = createProgress({ ...output, tty: true });
  bar.show(at(0, 0));
  bar.show(at(1, 1));
  now = 1000;
  bar.show(at(500, 40));
  bar.end();
  const drawn = text.split('\r\u001b[K');
  assert.equal(drawn.length, 4, 'the second call came too soon');
  assert.match(drawn[2] ?? '', /^█+░+ 50 % {2}500 B of 1000 B|^█+░+ 50 %/);
  assert.match(drawn[2] ?? '', /40 mails stored, 40\/s, 1 s left/);
  assert.ok(drawn.every((line) => line.length < 80));
  text = '';
  const lines = createProgress({ ...output, tty: false });
  lines.show(at(0, 0));
  now += 10_000;
  lines.show(at(500, 40));
  lines.end();
  assert.match(text, /^50 % .*\n$/);
});
