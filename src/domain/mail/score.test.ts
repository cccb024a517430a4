import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstAddress } from './address.ts';
import { type MailBulk, readHead } from './head.ts';
import { SCORE_POINTS, type ScoredPart, scoreMail } from './score.ts';
import { walkMail } from './walk/walk.ts';
import { foldSubject, SUBJECT_LANGUAGES, SUBJECT_WORDS, type WordGroup, wordsOf } from './words/subject-words.ts';

interface LabelledHead {
  readonly travel: boolean;
  readonly from: string;
  readonly subject: string;
  readonly bulk: MailBulk;
  readonly parts: readonly ScoredPart[];
}

function labelled(file: string): LabelledHead[] {
  const text = readFileSync(new URL(`../../../tests/fixtures/heads/${file}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [label, from = '', subject = '', bulk = '', parts = ''] = line.split('|');
      assert.ok(label === 'travel' || label === 'other', line);
      assert.ok(bulk === '-' || bulk === 'unsubscribe' || bulk === 'list', line);
      return {
        travel: label === 'travel',
        from,
        subject,
        bulk: bulk === '-' ? '' : bulk,
        parts: parts
          .split(',')
          .filter((part) => part !== '')
          .map((part) => ({ type: part.split('=')[0]!, name: part.split('=')[1]! })),
      };
    });
}

const scored = ({ from, subject, bulk, parts }: LabelledHead) => {
  const { address, name } = firstAddress(Buffer.from(from).toString('latin1'));
  return scoreMail({ fromAddress: address, fromName: name, subject, bulk }, parts);
};

/** Recall of travel mails and the share of others that are opened: what headers have to reach. */
const RECALL_MIN = 0.99;
const OPENED_MAX = 0.03;

for (const file of ['first.txt', 'second.txt', 'third.txt']) {
  test(`labelled heads of ${file}: travel is opened, the rest is not`, (t) => {
    const heads = labelled(file);
    const travel = heads.filter((head) => head.travel);
    const other = heads.filter((head) => !head.travel);
    assert.ok(travel.length >= 50 && other.length >= 50);
    const missed = travel.filter((head) => !scored(head).read);
    const opened = other.filter((head) => scored(head).read);
    const told = [...missed, ...opened]
      .map((head) => `${head.from} “${head.subject}” ${scored(head).score}`)
      .join('\n');
    t.diagnostic(
      `${travel.length - missed.length}/${travel.length} opened, ${opened.length}/${other.length} in vain\n${told}`,
    );
    assert.ok(1 - missed.length / travel.length >= RECALL_MIN, told);
    assert.ok(opened.length / other.length <= OPENED_MAX, told);
  });
}

test('accents, capitals, punctuation and the two i of Turkish make no difference, on any machine', () => {
  for (const text of ['UÇUŞ İPTALİ', 'uçuş iptali', 'Uçuş Iptalı!', 'ucus iptali', 'Uc\u0327us\u0327  I\u0307ptali'])
    assert.equal(foldSubject(text), 'ucus iptali', text);
  assert.equal(foldSubject('Ihr Flug – BESTÄTIGT: größer'), 'ihr flug bestatigt grosser');
  assert.equal(foldSubject('ﾎﾃﾙ予約'), 'ホテル予約', 'half-width');
  assert.equal(foldSubject('バス'), 'バス', 'voicing marks are no accents');
  assert.equal(foldSubject('Boarding\u00a0pass'), 'boarding pass');
});

test('the words are in the form that subjects are folded to, in every language and group, none twice', () => {
  const sides = new Map<string, string>();
  for (const group of Object.keys(SUBJECT_WORDS) as WordGroup[])
    for (const language of SUBJECT_LANGUAGES) {
      const words = wordsOf(group, language);
      assert.ok(words.length >= 2, `${group} ${language}`);
      assert.equal(new Set(words).size, words.length, `${group} ${language}`);
      for (const word of words) {
        assert.match(word, /^\*?[^*]+\*?$/, word);
        const plain = word.replaceAll('*', '');
        assert.equal(foldSubject(plain), plain, `${group} ${language} ${word}`);
        const speaks = ['document', 'booking', 'thing', 'process'].includes(group) ? 'for' : 'against';
        const other = sides.get(word);
        assert.ok(other === undefined || other === speaks, `${word} speaks for and against`);
        sides.set(word, speaks);
      }
    }
});

test('the points stand in the relations that they were made for', () => {
  const p = SCORE_POINTS;
  const all = (...points: readonly number[]) => points.reduce((sum, point) => sum + point, 0);
  const read: readonly (readonly [string, number])[] = [
    ['a known sender', all(p.sender, p.unsubscribe)],
    ['a known sender’s notice with a list header', all(p.sender, p.process, p.list)],
    [
      'a known sender’s confirmation with advertising in it',
      all(p.sender, p.booking, p.process, p.marketingInNotice, p.list),
    ],
    ['a booking of anybody', p.booking],
    ['a ticket', all(p.document, p.list)],
    ['a thing of travel to which something happened', all(p.thing, p.process)],
    ['a hotel by its domain', p.domainWord],
    ['a pass, data, a ticket file', Math.min(p.pass, p.data, p.ticketName)],
  ];
  const skipped: readonly (readonly [string, number])[] = [
    ['a word like confirmation', all(p.process, p.calendar)],
    ['a word like flight', p.thing],
    ['advertising of a known sender', all(p.sender, p.thing, p.marketing, p.unsubscribe)],
    ['advertising for tickets', all(p.sender, p.document, p.marketing, p.list)],
    ['what a known sender asks about a stay', all(p.sender, p.booking, p.process, p.account, p.unsubscribe)],
    ['a table or a dentist', all(p.booking, p.process, p.other, p.calendar)],
    ['a meeting', p.calendar],
  ];
  for (const [what, points] of read) assert.ok(points >= p.readFrom, `${what}: ${points}`);
  for (const [what, points] of skipped) assert.ok(points < p.readFrom, `${what}: ${points}`);
});

test('a decision has a code and one sentence that holds nothing the sender wrote', () => {
  const cases: readonly (readonly [string, string, readonly ScoredPart[], string, RegExp])[] = [
    ['a@ryanair.com', 'Hello', [], 'known-sender', /^Ryanair is known/],
    ['a@x.example', 'Your boarding pass', [], 'travel-subject', /subject/],
    ['a@x.example', 'Hello', [{ type: 'application/vnd.apple.pkpass' }], 'travel-attachment', /pass for a wallet/],
    ['reservations@x.example', 'Confirmation', [], 'travel-signs', /together/],
    ['a@ryanair.com', 'Flash sale', [], 'advertising', /advertising of Ryanair\.$/],
    ['a@ryanair.com', 'Your password', [], 'account-notice', /Ryanair/],
    ['a@x.example', 'Lunch', [], 'not-travel', /Nothing/],
  ];
  for (const [fromAddress, subject, parts, code, reason] of cases) {
    const scored = scoreMail({ fromAddress, fromName: '', subject }, parts);
    assert.equal(scored.code, code, subject);
    assert.match(scored.reason, reason);
    assert.match(scored.reason, /^[A-Z][^.]*\.$/, 'one sentence');
  }
});

test('the parts decide by type or by name', () => {
  const points = (type: string, name?: string) =>
    scoreMail({ fromAddress: 'a@x.example', fromName: '', subject: '' }, [
      name === undefined ? { type } : { type, name },
    ]).score;
  assert.equal(points('APPLICATION/VND.APPLE.PKPASS'), SCORE_POINTS.pass);
  assert.equal(points('application/octet-stream', 'x.pkpass'), SCORE_POINTS.pass);
  assert.equal(points('application/ld+json'), SCORE_POINTS.data);
  assert.equal(points('application/pdf', 'E-Ticket_4711.pdf'), SCORE_POINTS.ticketName);
  assert.equal(points('application/octet-stream', 'Biniş Kartı.PDF'), SCORE_POINTS.ticketName);
  assert.equal(points('application/pdf', 'invoice.pdf'), 0);
  assert.equal(points('text/calendar'), SCORE_POINTS.calendar);
  assert.equal(points('image/png', 'boarding-pass.png'), 0);
});

test('never throws, whatever the head, and takes no time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.string(), (address, subject, name) => {
      const scored = scoreMail({ fromAddress: address, fromName: name, subject }, [{ type: name, name: subject }]);
      assert.equal(scored.read, scored.score >= SCORE_POINTS.readFrom);
    }),
    { numRuns: 200 },
  );
  for (const piece of ['a', '*', ' ', 'flug', 'AAA-', '予', '\u0300', 'AAA -', 'flight A', '-a'])
    scoreMail({ fromAddress: `${piece.repeat(1e5)}@${piece.repeat(1e5)}`, fromName: '', subject: piece.repeat(1e6) }, [
      { type: piece.repeat(1e5), name: piece.repeat(1e5) },
    ]);
});

const shared = process.env.TRIPWATCH_SHARED ?? resolve(import.meta.dirname, '../../../../shared');
const manifest = join(shared, 'corpus', 'MANIFEST.json');

/** What this program follows; concerts and tables are found where they are read, and nobody promises to open them. */
const FOLLOWED = /^(?:Flight|Lodging|RentalCar|Train|Bus|Boat|Taxi)Reservation$/;

test('mails of the corpus', { skip: existsSync(manifest) ? false : `no corpus at ${shared}` }, (t) => {
  const { documents } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly documents: readonly { input: string; types: Readonly<Record<string, number>>; negative: boolean }[];
  };
  const mails = documents.filter((document) => document.input.endsWith('.eml'));
  const read = (input: string) => {
    const bytes = readFileSync(join(shared, 'corpus', input));
    const { parts } = walkMail(bytes);
    return scoreMail(
      readHead(bytes),
      parts.map(({ type, fileName }) => (fileName === undefined ? { type } : { type, name: fileName })),
    ).read;
  };
  const travel = mails.filter(({ types }) => Object.keys(types).some((type) => FOLLOWED.test(type)));
  const negative = mails.filter((mail) => mail.negative);
  const missed = travel.filter(({ input }) => !read(input)).map(({ input }) => input);
  const opened = negative.filter(({ input }) => read(input)).map(({ input }) => input);
  t.diagnostic(`${travel.length - missed.length}/${travel.length} opened, ${opened.length}/${negative.length} in vain`);
  assert.ok(travel.length > 30);
  assert.deepEqual([missed, opened], [[], []]);
});
