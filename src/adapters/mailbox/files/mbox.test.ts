import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LARGE_MAIL_KEPT_BYTES } from './file-mail.ts';
import { splitMbox } from './mbox.ts';

const MARK = 'From a@b.example Tue Dec  1 09:00:00 2026';

async function split(text: string | Buffer, maxBytes = 1_000_000, chunkBytes = 7) {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const chunks = function* () {
    const reused = new Uint8Array(chunkBytes);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const part = bytes.subarray(at, at + chunkBytes);
      reused.set(part);
      yield reused.subarray(0, part.length);
    }
  };
  const mails = [];
  for await (const mail of splitMbox(chunks(), maxBytes)) {
    mails.push({ offset: mail.offset, size: mail.fullSize, text: Buffer.from(mail.bytes).toString('latin1') });
  }
  return mails;
}
const texts = async (text: string) => (await split(text)).map((mail) => mail.text);

test('splits at postmarks, with LF and with CRLF, whatever the chunks', async () => {
  for (const eol of ['\n', '\r\n'])
    for (const chunkBytes of [1, 2, 5, 64, 4096]) {
      const one = ['Subject: one', '', 'Body', ''].join(eol);
      const two = ['Subject: two', '', 'x', ''].join(eol);
      const file = `${MARK}${eol}${one}${eol}${MARK}${eol}${two}`;
      const mails = await split(file, 1_000_000, chunkBytes);
      assert.deepEqual(
        mails.map((mail) => mail.text),
        [one, two],
      );
      assert.equal(file.slice(mails[1]?.offset), two);
    }
});

test('takes one > off quoted From lines, however deep, and only at the start of a line', async () => {
  const body = 'a\n>From me\n>>From you\nsee >From here\n> From there\n>>>';
  assert.deepEqual(await texts(`${MARK}\nS: x\n\n${body}\n`), [
    'S: x\n\na\nFrom me\n>From you\nsee >From here\n> From there\n>>>\n',
  ]);
});

test('text that begins with From is no separator', async () => {
  for (const line of [
    'From Berlin at 10:00\nGate: 5',
    'From Berlin\nTo: Munich',
    'From now on, Tuesday 10:00 in Dec 2026\nplain text',
    `${MARK} and some words\nno header here`,
    'From: someone\nSubject: quoted',
    'From Anna',
  ]) {
    const mail = `S: x\n\nHello\n\n${line}\nend\n`;
    assert.deepEqual(await texts(`${MARK}\n${mail}`), [mail], line);
  }
});

test('forms of postmarks in the wild, and a missing blank line before one', async () => {
  for (const mark of [
    MARK,
    'From 1234567890@xxx Tue Dec 01 09:00:00 +0000 2026',
    'From - Tue Dec 01 09:00:00 2026',
    'From MAILER-DAEMON Tue Dec  1 09:00 2026',
    'From John Doe Tue Dec  1 09:00:00 2026',
    'From a@b.example',
  ])
    assert.deepEqual(await texts(`${MARK}\nS: 1\n\nx\n\n${mark}\nS: 2\n\ny\n`), ['S: 1\n\nx\n', 'S: 2\n\ny\n'], mark);
  assert.deepEqual(await texts(`${MARK}\nS: 1\n\nx\n${MARK}\nS: 2\n\ny\n`), ['S: 1\n\nx\n', 'S: 2\n\ny\n']);
});

test('cut files, empty mails, blank lines and a byte order mark at the start', async () => {
  assert.deepEqual(await texts(''), []);
  assert.deepEqual(await texts(MARK), ['']);
  assert.deepEqual(await texts(`${MARK}\n`), ['']);
  assert.deepEqual(await texts(`\u00ef\u00bb\u00bf\r\n\n${MARK}\nS: 1\n\ncut he`), ['S: 1\n\ncut he']);
  assert.deepEqual(await texts(`${MARK}\n\n${MARK}\nS: 2\n\ny`), ['', 'S: 2\n\ny']);
  assert.deepEqual(await texts(`${MARK}\nS: 1\n\nx\n\n${MARK}`), ['S: 1\n\nx\n', '']);
  assert.deepEqual(await texts(`${MARK}\nS: \0\u00ff\n\n\0\0\n`), ['S: \0\u00ff\n\n\0\0\n']);
});

test('a mail over the limit keeps its beginning and real size, and the next one is whole', async () => {
  const body = 'x'.repeat(99).concat('\n').repeat(10_000);
  const large = `Subject: large\n\n${body}`;
  const mails = await split(`${MARK}\n${large}\n${MARK}\nS: 2\n\ny\n`, 2000, 4096);
  assert.deepEqual(
    mails.map((mail) => mail.size),
    [large.length, undefined],
  );
  assert.equal(mails[1]?.text, 'S: 2\n\ny\n');
  assert.ok(mails[0]?.text.startsWith('Subject: large'));
  assert.ok((mails[0]?.text.length ?? 0) <= LARGE_MAIL_KEPT_BYTES);
  assert.equal(mails[0]?.offset, MARK.length + 1);
  const exact = await split(`${MARK}\n${'y'.repeat(2000)}`, 2000);
  assert.equal(exact[0]?.size, undefined);
  assert.equal((await split(`${MARK}\n${'y'.repeat(2001)}`, 2000))[0]?.size, 2001);
});

test('50 MB in one mail are passed over in little memory', async () => {
  const chunk = Buffer.alloc(256 * 1024, 'From the middle of nowhere\n');
  const chunks = function* () {
    yield Buffer.from(`${MARK}\nSubject: huge\n\n`);
    for (let i = 0; i < 200; i++) yield chunk;
    yield Buffer.from(`\n${MARK}\nSubject: next\n\n`);
  };
  const before = process.memoryUsage().arrayBuffers;
  const sizes = [];
  for await (const mail of splitMbox(chunks(), 4 * 1024 * 1024)) sizes.push(mail.fullSize ?? mail.bytes.byteLength);
  assert.deepEqual(
    sizes.map((size) => size > 50_000_000),
    [true, false],
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 40_000_000);
});

test('what an mboxrd writer wrote comes back byte for byte', async () => {
  const line = fc.constantFrom('', 'text', 'From me', '>From me', '>>From x', MARK, 'Subject: y', '> From', '>');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(line, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 40 }),
      async (bodies, chunkBytes) => {
        const mails = bodies.map((lines) => `Subject: z\n\n${lines.map((text) => `${text}\n`).join('')}`);
        const file = mails.map((mail) => `${MARK}\n${mail.replace(/^(>*From )/gm, '>$1')}\n`).join('');
        assert.deepEqual(
          (await split(file, 1_000_000, chunkBytes)).map((mail) => mail.text),
          mails,
        );
      },
    ),
  );
});

test('any bytes end, and nothing is lost but postmarks, quotes and blank lines', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), async (bytes, chunkBytes) => {
      const mails = await split(Buffer.concat([Buffer.from(`${MARK}\n`), bytes]), 1_000_000, chunkBytes);
      const length = mails.reduce((sum, mail) => sum + mail.text.length, 0);
      assert.ok(mails.length === 1 && length <= bytes.length && length >= bytes.length - 2);
    }),
  );
});
