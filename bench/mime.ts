/**
 * How fast is a mail's structure read, by the own walk and by postal-mime, and do both read the same?
 *
 *   node bench/mime.ts [--mails 600] [--rounds 5] [--seed 1]
 *
 * Mixed mails (booking mails, newsletters, orders, meetings, notes; 35 KB on average). CPU time of the process is what counts, because
 * others may use the machine; the two are measured in turns.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import PostalMime from 'postal-mime';
import { decodeText } from '../src/domain/extract/decode.ts';
import { kindOfPart } from '../src/domain/extract/precheck.ts';
import { decodeTransfer } from '../src/domain/mail/walk/transfer.ts';
import { walkMail } from '../src/domain/mail/walk/walk.ts';
import { makeMail } from './mail-import/mails.ts';

export interface MimeBenchResult {
  readonly mails: number;
  readonly kilobytesEach: number;
  /** Mails per second of CPU, the median of the rounds. */
  readonly postalMime: number;
  /** Every part decoded, texts to strings. */
  readonly walkEverything: number;
  /** Only the parts that extraction asks for. */
  readonly walkAsked: number;
  readonly walkStructure: number;
  /** Both read the same subjects, HTML and attachments. */
  readonly equal: boolean;
}

export async function benchMime(count: number, rounds: number, seed: number): Promise<MimeBenchResult> {
  const mails = Array.from({ length: count }, (_, index) => Buffer.from(makeMail(seed, index).bytes));
  const bytes = mails.reduce((sum, mail) => sum + mail.length, 0);
  const ways = {
    postalMime: async () => {
      for (const mail of mails) await PostalMime.parse(mail);
    },
    walkEverything: async () => {
      for (const mail of mails) for (const part of walkMail(mail).parts) decodeWhole(part);
    },
    walkAsked: async () => {
      for (const mail of mails)
        for (const part of walkMail(mail).parts) if (kindOfPart(part.type, part.fileName) !== 'none') decodeWhole(part);
    },
    walkStructure: async () => {
      for (const mail of mails) walkMail(mail);
    },
  };
  const figures = new Map<string, number[]>();
  // One more, to warm up.
  for (let round = 0; round <= rounds; round++)
    for (const [name, way] of Object.entries(ways)) {
      const before = process.cpuUsage();
      await way();
      const { user, system } = process.cpuUsage(before);
      if (round > 0) figures.set(name, [...(figures.get(name) ?? []), (count * 1e6) / Math.max(1, user + system)]);
    }
  const median = (name: keyof typeof ways) => {
    const sorted = (figures.get(name) ?? [0]).toSorted((a, b) => a - b);
    return Math.round(sorted[sorted.length >> 1]!);
  };
  return {
    mails: count,
    kilobytesEach: Math.round(bytes / count / 100) / 10,
    postalMime: median('postalMime'),
    walkEverything: median('walkEverything'),
    walkAsked: median('walkAsked'),
    walkStructure: median('walkStructure'),
    equal: await readTheSame(mails),
  };
}

type Part = ReturnType<typeof walkMail>['parts'][number];

function decodeWhole({ type, body, encoding, charset }: Part): string | Buffer {
  const bytes = decodeTransfer(body, encoding);
  return type.startsWith('text/') ? decodeText(bytes, charset) : bytes;
}

async function readTheSame(mails: readonly Buffer[]): Promise<boolean> {
  const tidy = (text: string) => text.replace(/\r\n/g, '\n').trim();
  for (const mail of mails) {
    const theirs = await PostalMime.parse(mail);
    const { head, parts } = walkMail(mail);
    const ours = createHash('sha256').update(head.subject);
    const other = createHash('sha256').update(theirs.subject ?? '');
    for (const part of parts) {
      const whole = decodeWhole(part);
      ours.update(typeof whole === 'string' ? tidy(whole) : whole);
    }
    const texts = parts.filter((part) => part.type === 'text/plain').length > 0 ? [theirs.text ?? ''] : [];
    if (theirs.html !== undefined && parts.some((part) => part.type === 'text/html')) texts.push(theirs.html);
    for (const text of texts) other.update(tidy(text));
    for (const { mimeType, content } of theirs.attachments) {
      const data = Buffer.from(content as ArrayBuffer);
      other.update(mimeType.startsWith('text/') ? tidy(data.toString()) : data);
    }
    if (ours.digest('hex') !== other.digest('hex')) return false;
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      mails: { type: 'string', default: '600' },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
    },
  });
  const result = await benchMime(Number(values.mails), Number(values.rounds), Number(values.seed));
  console.log(result);
  console.log(
    `walk against postal-mime: everything ${(result.walkEverything / result.postalMime).toFixed(1)} x, ` +
      `what is asked for ${(result.walkAsked / result.postalMime).toFixed(1)} x`,
  );
}
