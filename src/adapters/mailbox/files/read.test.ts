import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { measureFiles, readMailFiles } from './read.ts';

const MARK = 'From a@b.example Tue Dec  1 09:00:00 2026\n';
const MAIL = 'From: a@b.example\nSubject: x\n\nbody\n';

function folder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'tripwatch-files-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/');
    mkdirSync(join(root, ...parts.slice(0, -1)), { recursive: true });
    if (parts.at(-1) !== '') writeFileSync(join(root, ...parts), content);
  }
  return root;
}

async function read(root: string, paths: readonly string[] = [root], maxBytes = 100_000) {
  const found = [];
  for await (const item of readMailFiles(paths, { maxBytes })) {
    const name = relative(root, item.source) || '.';
    if (item.kind === 'problem') found.push(`${name} ${item.code}`);
    else found.push(`${name}@${item.offset} ${item.kind === 'mail' ? item.bytes.length : `large ${item.size}`}`);
  }
  return found;
}

test('mails, mboxes told by content, folders in folders; what is no mail is passed over', async (t) => {
  const root = folder(t, {
    'a.eml': MAIL,
    'b/archive': `${MARK}${MAIL}\n${MARK}${MAIL}`,
    'b/c/d.txt': MAIL,
    'b/photo.jpg': Buffer.from([0xff, 0xd8, 0, 1, 2, 3]),
    'b/notes.md': 'Title: hello\nSome text',
    '.git/config.eml': MAIL,
    '.hidden.eml': MAIL,
    'empty.eml': '',
    'zero.txt': '',
    'odd.eml': Buffer.alloc(10, 0),
  });
  const n = MAIL.length;
  assert.deepEqual(await read(root), [
    `a.eml@0 ${n}`,
    `b/archive@${MARK.length} ${n}`,
    `b/archive@${MARK.length * 2 + n + 1} ${n}`,
    `b/c/d.txt@0 ${n}`,
    'empty.eml@0 0',
    'odd.eml@0 10',
  ]);
});

test('a Maildir: cur and new and its sub-folders, with any flags; tmp is left alone', async (t) => {
  const root = folder(t, {
    'Maildir/cur/1.host:2,ST': MAIL,
    'Maildir/cur/.partial': MAIL,
    'Maildir/new/2.host': 'no headers at all',
    'Maildir/tmp/3.host': MAIL,
    'Maildir/dovecot.index': MAIL,
    'Maildir/.Travel/cur/4.host:2,': MAIL,
    'Maildir/.Travel/new/': '',
    'Maildir/.Travel/tmp/5.host': MAIL,
  });
  const n = MAIL.length;
  // A file in `cur` or `new` that is no mail at all is told of, because there it should be one.
  assert.deepEqual(await read(root), [
    `Maildir/cur/1.host:2,ST@0 ${n}`,
    'Maildir/new/2.host file-not-mail',
    `Maildir/.Travel/cur/4.host:2,@0 ${n}`,
  ]);
});

test('links inside of a folder are not followed; a link that is named is', async (t) => {
  const outside = folder(t, { 'secret.eml': MAIL });
  const root = folder(t, { 'in/a.eml': MAIL });
  symlinkSync(outside, join(root, 'in', 'away'));
  symlinkSync(join(outside, 'secret.eml'), join(root, 'in', 'secret.eml'));
  symlinkSync('..', join(root, 'in', 'loop'));
  assert.deepEqual(await read(root), [`in/a.eml@0 ${MAIL.length}`]);
  assert.equal((await read(root, [join(root, 'in', 'away')])).length, 1);
});

test('what was named and cannot be used is told of, and the rest goes on', async (t) => {
  const root = folder(t, {
    'photo.jpg': Buffer.from([0xff, 0xd8, 0, 1]),
    'x.msg': 'ÐÏ',
    'empty.txt': '',
    'z.eml': MAIL,
  });
  const names = ['missing.eml', 'photo.jpg', 'x.msg', 'empty.txt', 'z.eml'];
  assert.deepEqual(
    await read(
      root,
      names.map((name) => join(root, name)),
    ),
    [
      'missing.eml file-missing',
      'photo.jpg file-not-mail',
      'x.msg file-not-mail',
      'empty.txt@0 0',
      `z.eml@0 ${MAIL.length}`,
    ],
  );
  const messages = [];
  for await (const item of readMailFiles([join(root, 'x.msg')], { maxBytes: 10 })) messages.push(item);
  assert.match(messages[0]?.kind === 'problem' ? messages[0].message : '', /x\.msg: .*save it as \.eml/);
});

test('a file that may not be read', { skip: process.getuid?.() === 0 && 'root may read everything' }, async (t) => {
  const root = folder(t, { 'a.eml': MAIL, 'b.eml': MAIL });
  chmodSync(join(root, 'a.eml'), 0);
  assert.deepEqual(await read(root), ['a.eml file-unreadable', `b.eml@0 ${MAIL.length}`]);
});

test('50 MB in one file: only its beginning is read', async (t) => {
  const root = folder(t, { 'huge.eml': MAIL });
  truncateSync(join(root, 'huge.eml'), 50_000_000);
  const before = process.memoryUsage().arrayBuffers;
  assert.deepEqual(await read(root, [root], 25_000_000), ['huge.eml@0 large 50000000']);
  assert.ok(process.memoryUsage().arrayBuffers - before < 5_000_000);
});

test('progress runs from nothing to the measured length', async (t) => {
  const root = folder(t, { 'a.eml': MAIL, 'b.mbox': `${MARK}${MAIL}\n${MARK}${MAIL}`, 'c.bin': Buffer.alloc(500) });
  const total = await measureFiles([root]);
  const marks = [];
  for await (const item of readMailFiles([root], { maxBytes: 1000 })) marks.push(item.done);
  assert.deepEqual(
    marks,
    [...marks].sort((a, b) => a - b),
  );
  assert.ok((marks.at(-1) ?? 0) <= total.bytes);
  assert.equal(total.files, 3);
});

test('an aborted signal ends the reading', async (t) => {
  const root = folder(t, { 'a.eml': MAIL, 'b.eml': MAIL });
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of readMailFiles([root], { maxBytes: 1000, signal: controller.signal })) controller.abort();
  });
});
