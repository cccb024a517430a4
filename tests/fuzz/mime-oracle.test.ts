import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { decodeText } from '../../src/domain/extract/decode.ts';
import { decodeTransfer } from '../../src/domain/mail/walk/transfer.ts';
import { walkMail } from '../../src/domain/mail/walk/walk.ts';
import { makeMail } from './mails.ts';
import { Chance } from './random.ts';

/** The oracle reads line by line: it ends every line of a body with LF. So do we, to compare. */
const lines = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').replace(/\r\n/g, '\n').replace(/\n+$/, '');

async function assertAgreement(bytes: Buffer, what: string): Promise<number> {
  const theirs = await PostalMime.parse(bytes, { forceRfc822Attachments: false });
  const ours = walkMail(bytes);
  assert.equal(ours.problem, undefined, what);
  // What the oracle does not put into the mail's text.
  const attached = ours.parts.filter(
    ({ disposition, type }) => disposition === 'attachment' || !['text/plain', 'text/html'].includes(type),
  );
  assert.deepEqual(
    attached.map(({ type, fileName, body, encoding }) => [type, fileName, lines(decodeTransfer(body, encoding))]),
    theirs.attachments.map(({ mimeType, filename, content }) => [
      mimeType,
      filename ?? undefined,
      lines(new Uint8Array(content as ArrayBuffer)),
    ]),
    what,
  );
  assert.equal(ours.head.subject, (theirs.subject ?? '').replace(/\s+/g, ' ').trim(), what);
  assert.equal(ours.head.fromAddress, theirs.from?.address?.toLowerCase() ?? '', what);
  return attached.length;
}

test('agrees with postal-mime on generated mails of every structure', async () => {
  let parts = 0;
  for (let seed = 0; seed < 600; seed++) parts += await assertAgreement(makeMail(new Chance(seed)), `seed ${seed}`);
  assert.ok(parts > 1000, `${parts} parts were compared`);
});

/** Text as the oracle joins it: only where a mail has one part of the kind. */
async function assertHtml(bytes: Buffer, what: string): Promise<boolean> {
  const theirs = await PostalMime.parse(bytes);
  const parts = walkMail(bytes).parts.filter((part) => part.disposition !== 'attachment' && part.mail.level === 0);
  const html = parts.filter((part) => part.type === 'text/html');
  if (html.length !== 1) return false;
  const { body, encoding, charset } = html[0]!;
  const tidy = (text: string | undefined) => text?.replace(/\s+/g, ' ').trim();
  // The oracle appends the plain texts that stand beside an HTML part: ours has to be what it begins with or holds.
  const wanted = tidy(decodeText(decodeTransfer(body, encoding), charset)) ?? '';
  assert.ok(tidy(theirs.html)?.includes(wanted), what);
  return true;
}

test('agrees with postal-mime on the HTML of every fixture', async () => {
  const folder = new URL('../fixtures/mail/', import.meta.url);
  let compared = 0;
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.eml')))
    if (await assertHtml(readFileSync(new URL(name, folder)), name)) compared++;
  assert.ok(compared > 10, `${compared} compared`);
});

const corpus = join(
  process.env.TRIPWATCH_SHARED ?? resolve(import.meta.dirname, '../../../shared'),
  'corpus',
  'inputs',
);

test('agrees with postal-mime on the corpus', {
  skip: existsSync(corpus) ? false : `no corpus at ${corpus}`,
}, async () => {
  let compared = 0;
  for (const name of readdirSync(corpus).filter((one) => one.endsWith('.eml'))) {
    const bytes = readFileSync(join(corpus, name));
    await assertAgreement(bytes, name);
    if (await assertHtml(bytes, name)) compared++;
  }
  assert.ok(compared > 20, `${compared} compared`);
});
