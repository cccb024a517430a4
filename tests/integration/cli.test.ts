import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cli, FIXTURES, flightMail, freshFolder, tooDeepMail } from './cli.testing.ts';

/**
 * The command line as a person meets it: real processes on one installation, one test after the other. Each process costs
 * about half a second, so calls that do not need one another run two at a time.
 */

const folder = freshFolder();
const cli = new Cli(join(folder.data, 'installation'));
const own = join(folder.data, 'own-mails');
let ada: string;

before(() => {
  mkdirSync(own);
});
after(() => folder.forget());

test('help and version are on stdout; what is mistyped is named with what was meant', async () => {
  const [help, version, nothing] = await Promise.all([
    cli.run('--help'),
    cli.run('--version'),
    // Without a command there is nothing to do: help, and an exit code that a script notices.
    cli.run(),
  ]);
  assert.equal(help.code, 0);
  for (const word of ['npm start', 'import', 'dead-letters', 'doctor', '--json'])
    assert.ok(help.stdout.includes(word), word);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /Usage: tripwatch/);

  await Promise.all([
    cli.refused(['recipts'], /unknown command 'recipts'/, /Did you mean receipts\?/, /--help/),
    cli.refused(['receipts', '--dispositon', 'failed'], /Did you mean --disposition\?/, /tripwatch receipts --help/),
    cli.refused(['receipts', '--limit', '1e9'], /--limit takes a whole number from 1 to 1000/),
    cli.refused(['up', '--http-port', '70000'], /--http-port takes a whole number from 0 to 65535/),
    cli.refused(['demo', '--hours', '1'], /--hours takes a whole number from 6 to 48/),
  ]);
  const asked = [['recipts'], ['receipts', '--dispositon', 'failed'], ['receipts', '--limit', 'x'], []];
  for (const ran of await Promise.all(asked.map((args) => cli.run(...args, '--json')))) {
    assert.equal(ran.code, 1);
    assert.equal(ran.json?.error.code, 'usage', `one JSON object and nothing else: ${ran.stdout}`);
    assert.match(ran.json.error.message, /^[^\n]{10,}--help/);
    assert.equal(ran.stderr, '');
  }
});

test('a command that only looks makes no installation', async () => {
  await Promise.all([
    cli.refused(['trips'], /There is no Tripwatch data in/, /--data/, /tripwatch import/, /tripwatch mailbox add/),
    (async () => {
      const { code, json } = await cli.run('receipts', '--json');
      assert.equal(code, 1);
      assert.equal(json.error.code, 'data-folder', 'with --json, an error is JSON on stdout too');
    })(),
  ]);
});

test('travellers: add with a zone that exists, list', async () => {
  await cli.refused(
    ['traveller', 'add', 'Ada', '--zone', 'Mars/Base'],
    /zone: not an IANA time zone/,
    /Europe\/Berlin/,
  );
  const added = await cli.json('traveller', 'add', 'Ada', '--zone', 'Europe/London');
  assert.equal(added.zone, 'Europe/London');
  ada = added.id;
  const [list, words] = await Promise.all([cli.json('traveller', 'list'), cli.run('traveller', 'list')]);
  assert.deepEqual(list, [added]);
  assert.match(words.stdout, /Ada +Europe\/London/);
});

test('a folder of mails twice: everything has a receipt, nothing is doubled', async () => {
  await cli.refused(['import', join(folder.data, 'nowhere')], /nowhere: There is no such file or folder/);
  const first = await cli.json('import', FIXTURES);
  assert.equal(first.new, first.mails);
  assert.ok(first.dispositions.imported > 10, JSON.stringify(first.dispositions));
  const before = await cli.json('trips', '--all');
  const again = await cli.run('import', FIXTURES);
  assert.equal(again.code, 0);
  assert.match(again.stdout, new RegExp(`${first.mails} mails .* ${first.mails} of them known before`));
  const [trips, words, receipts] = await Promise.all([
    cli.json('trips', '--all'),
    cli.run('trips', '--all'),
    cli.json('receipts', '--limit', '1000'),
  ]);
  assert.deepEqual(trips, before);
  assert.equal(trips.traveller, ada);
  assert.equal(receipts.receipts.length, first.mails);
  // Local times of the place, whatever the zone of this machine; an end on another day says so.
  assert.match(words.stdout, /2026-12-01 +10:05 → 12:55 +N9 400 Frankfurt am Main → New York +cancelled/);
  assert.match(words.stdout, /2026-12-08 +16:00 → 05:30 \+1 +N9 401 New York → Frankfurt am Main/);
  assert.match(words.stdout, /2026-12-01 +15:00 → 11:00 \+7 +Stay at Hotel Polarlys/);
  assert.match(words.stdout, /platform 1, seat 61/);
});

test('explain tells the way of a mail and every value of a reservation with its source', async () => {
  const { receipts } = await cli.json('receipts', '--disposition', 'imported', '--limit', '1000');
  const rental = receipts.find((one: { subject: string }) => one.subject === 'Your trip');
  const [mail, values, unknown] = await Promise.all([
    cli.run('explain', rental.id),
    cli.run('explain', rental.reservations[0], '--values'),
    cli.run('explain', 'rsv_nope'),
  ]);
  assert.match(mail.stdout, /imported: 2 reservations were found in it/);
  for (const topic of [
    'mail.seen',
    'mail.collected',
    'observation.recorded',
    'reservation.changed',
    'itinerary.updated',
  ]) {
    assert.ok(mail.stdout.includes(topic), topic);
  }
  assert.match(mail.stdout, /done by notify/);
  assert.match(mail.stderr, /--values/);
  assert.match(values.stdout, /= .* {2}mail from booking@nordlicht\.example of 2 Nov 2026; text\/html part 1, JSON-LD/);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /"rsv_nope" is not known here/);
});

test('one document is read without an installation, by name or from standard input', async () => {
  const reading = cli.start(['extract', '-', '--date', '2026-11-01']);
  reading.child.stdin.end(flightMail({ reference: 'PIPE01' }));
  const [file, piped] = await Promise.all([
    cli.json('extract', join(FIXTURES, 'train-microdata.eml')),
    reading.end(),
    cli.refused(['extract', join(folder.data, 'nowhere')], /there is no such file/),
  ]);
  assert.equal(file[0]['@type'], 'TrainReservation');
  assert.equal(piped.json[0].reservationNumber, 'PIPE01');
  await cli.refused(['extract', FIXTURES, '--date', 'soon'], /--date soon: not a date; write it as 2026-12-01/);
});

test('by hand: your value stays, the newer fact stands beside it; removed and restored', async () => {
  await cli.refused(['add', 'stay', 'nme=Hotel'], /"nme" is no field of a leg/);
  await cli.refused(['add', 'spaceship', 'name=x'], /Allowed choices are flight, train/);
  await cli.refused(['add', 'stay', 'name'], /"name" is not field=value, like start\.gate=B22/);
  const stay = await cli.json(
    'add',
    'stay',
    'name=Hotel Adler',
    'start.scheduled=2031-05-01',
    'start.zone=Europe/Zurich',
  );
  assert.equal(stay.reservation.title, 'Stay at Hotel Adler');

  writeFileSync(join(own, 'gate.eml'), flightMail({ reference: 'HAND01', gate: 'A11' }));
  await cli.json('import', own);
  const id = await reservationOf('Your booking HAND01');
  const edited = await cli.run('edit', id, 'start.gate=B22');
  assert.match(edited.stdout, /^Noted: N9 400 Frankfurt am Main → New York {2}rsv_\w+, version 2\n$/);
  // The airline says something newer: the person's word stands, and both are shown.
  const later = new Date(Date.now() + 60_000).toUTCString();
  writeFileSync(
    join(own, 'gate-again.eml'),
    flightMail({ reference: 'HAND01', gate: 'C33', subject: 'Gate', date: later }),
  );
  const before = await cli.json('import', own);
  assert.equal(before.new, 1);
  const story = await cli.run('explain', id, '--values');
  assert.match(story.stdout, /start\.gate = B22 {2}/);
  assert.match(story.stdout, /beside it, mail from booking@nordlicht\.example of .* says C33/);

  assert.match((await cli.run('remove', id)).stdout, /^Removed: /);
  assert.ok(!(await legs()).includes(id));
  assert.match((await cli.run('restore', id)).stdout, /^Restored: /);
  assert.ok((await legs()).includes(id));
});

test('a mailbox is made, listed, paused; an id that is none is refused', async () => {
  const added = await cli.json('mailbox', 'add', '--label', 'from work');
  assert.match(added.address, /^plans\+[a-z0-9]{16}@in\.tripwatch\.localhost$/);
  const [paused] = await Promise.all([
    cli.run('mailbox', 'pause', added.id),
    cli.refused(['mailbox', 'pause', 'mbx_no'], /There is no mailbox "mbx_no"\. There are mbx_/),
    cli.refused(['mailbox', 'add', '--traveller', 'Bob'], /There is no traveller "Bob"\. Known: /),
  ]);
  assert.equal(paused.stdout, `mailbox ${added.id} is paused: no mail of it is taken in or read.\n`);
  const list = await cli.run('mailbox', 'list');
  assert.match(list.stdout, new RegExp(`${added.id} +forward +paused +from work +plans\\+`));
});

test('a rule keeps a mail unopened, and its receipt says which', async () => {
  const rule = await cli.json('rule', 'add', 'deny', 'domain', 'shop.example');
  writeFileSync(join(own, 'shop.eml'), flightMail({ reference: 'SHOP01', from: 'Shop <news@mail.shop.example>' }));
  const imported = await cli.run('import', own);
  assert.match(imported.stdout, /1 × rule-denied: Not opened: your rule/);
  const { receipts } = await cli.json('receipts', '--disposition', 'skipped');
  assert.equal(receipts.length, 1);
  assert.ok(receipts[0].reason.includes(rule.id), receipts[0].reason);
  assert.deepEqual(receipts[0].reservations, []);
  const [list] = await Promise.all([
    cli.json('rule', 'list'),
    cli.refused(['rule', 'add', 'deny', 'colour', 'red'], /Allowed choices are sender, domain, subject/),
  ]);
  assert.deepEqual(list, [rule]);
  assert.match((await cli.run('rule', 'remove', rule.id)).stdout, /is removed/);
});

test('tokens, webhooks and calendar addresses: secrets are shown once, unsafe addresses are refused', async () => {
  const token = await cli.json('token', 'add', 'for a script', '--scope', 'read');
  assert.match(token.secret, /^twk_/);
  const listed = await cli.run('token', 'list');
  assert.match(listed.stdout, new RegExp(`${token.id} +api +for a script +read +everyone`));
  assert.ok(!listed.stdout.includes(token.secret));
  await Promise.all([
    cli.refused(['token', 'add', '--scope', 'fly'], /Allowed choices are read, write, operate/),
    cli.refused(['token', 'revoke', 'tok_no'], /"tok_no" is not known here/),
  ]);
  assert.match((await cli.run('token', 'revoke', token.id)).stdout, /is revoked/);

  await Promise.all([
    cli.refused(['endpoint', 'add', 'http://127.0.0.1:9/hook'], /must begin with https/),
    cli.refused(['endpoint', 'add', 'https://127.0.0.1/hook'], /private|loopback/, /webhooks\.allowPrivate/),
    cli.refused(['endpoint', 'add', 'nonsense'], /cannot be read as a URL/),
  ]);
  const open = new Cli(cli.data, { TRIPWATCH_WEBHOOKS_ALLOW_PRIVATE: 'true' });
  const endpoint = await open.json('endpoint', 'add', 'http://127.0.0.1:9/hook');
  assert.match(endpoint.secret, /^whsec_/);
  const [rotated, endpoints] = await Promise.all([
    open.json('endpoint', 'rotate', endpoint.id),
    open.run('endpoint', 'list'),
  ]);
  assert.notEqual(rotated.secret, endpoint.secret);
  assert.ok(!endpoints.stdout.includes('whsec_'));
  assert.match((await open.run('endpoint', 'remove', endpoint.id)).stdout, /is removed/);

  const feed = await cli.json('feed', 'add');
  assert.match(feed.url, /^http:\/\/127\.0\.0\.1:8420\/feeds\/twf_\w+\.ics$/);
  assert.equal((await cli.json('feed', 'revoke')).revoked, 1);
});

test('what could not be read is set aside, seen by doctor, summed up, shown, replayed, discarded', async () => {
  const healthy = await cli.run('doctor');
  assert.equal(healthy.code, 0, healthy.stdout);
  assert.match(healthy.stdout, /no service is running[^\n]*\n +→ tripwatch up/);
  writeFileSync(join(own, 'deep.eml'), tooDeepMail());
  const imported = await cli.run('import', own);
  assert.match(imported.stdout, /1 × mime-too-deep: Could not be read\. Its parts are nested too deeply/);
  const [sick, summary, list] = await Promise.all([
    cli.run('doctor', '--json'),
    cli.run('dead-letters'),
    cli.json('dead-letters', 'list', '--code', 'mime-*', '--younger-than', '1h'),
  ]);
  assert.equal(sick.code, 1, 'something is wrong, and a script can tell');
  assert.equal(sick.json.ok, false);
  assert.match(summary.stdout, /^1 +extract +mime-too-deep .*dead_.*\n1 in all\./);
  assert.equal(list.total, 1);
  const [letter] = list.items;
  assert.equal(letter.stage, 'extract');
  const file = join(folder.data, 'event.json');
  const [shown, saved, wouldBe] = await Promise.all([
    cli.run('dead-letters', 'show', letter.id),
    cli.run('dead-letters', 'show', letter.id, '--payload', '--save', file),
    cli.json('dead-letters', 'replay', '--all', '--dry-run'),
  ]);
  assert.match(shown.stdout, /mime-too-deep \(poison\): /);
  assert.match(shown.stdout, /from mail mail_\w+, key trv_/);
  assert.match(shown.stderr, /tripwatch explain mail_/);
  assert.doesNotMatch(shown.stdout, /odd\.example/, 'what may be personal is not shown unasked');
  assert.match(saved.stdout, /odd\.example/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(wouldBe.matched, 1);
  assert.deepEqual(wouldBe.ids, [letter.id]);
  // The cause is still there, so the replay ends the same way: as a new letter, and the old one on record.
  await cli.json('dead-letters', 'replay', letter.id);
  const event = JSON.parse(readFileSync(file, 'utf8'));
  const [open, old] = await Promise.all([
    cli.json('dead-letters', 'list'),
    cli.json('dead-letters', 'list', '--state', 'replayed'),
    cli.refused(['dead-letters', 'discard', letter.id], /required option '--reason/),
    cli.refused(['dead-letters', 'replay'], /Name letters .* or say --all/),
    cli.refused(
      ['dead-letters', 'replay', '--all'],
      /Nothing was done: add --yes to replay this letter at 20 a second/,
    ),
    cli.refused(['dead-letters', 'replay', letter.id, '--stage', 'extract'], /not both/),
    cli.refused(['dead-letters', 'list', '--stage', 'extrakt'], /no stage "extrakt"\. Did you mean extract\?/),
    cli.refused(['dead-letters', 'list', '--older-than', 'long'], /olderThan: not a time; write an age/),
    cli.refused(['dead-letters', 'show', letter.id, '--save', file], /it exists/),
  ]);
  assert.equal(old.items.length, 1);
  assert.match(old.items[0].decidedBy, /^cli:/);
  assert.equal(open.items.length, 1);
  const [{ id }] = open.items;
  writeFileSync(file, JSON.stringify({ ...event, partitionkey: 'trv_other' }));
  await cli.refused(
    ['dead-letters', 'edit', id, '--event', file],
    /partitionkey: must stay "trv_.*Only data can be edited/,
  );
  writeFileSync(file, JSON.stringify({ ...event, data: { ...event.data, reason: 'looked at by hand' } }));
  const edited = await cli.json('dead-letters', 'edit', id, '--event', file, '--reason', 'a try');
  const [again] = (await cli.json('dead-letters', 'list')).items;
  assert.equal(again.event, edited.event, 'the edited one failed too, as a letter of its own');
  const stopped = await cli.run('dead-letters', 'replay', '--stage', 'extract', '--stop-after', '1', '--yes');
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stdout,
    /1 of 1 replayed \(run aud_\w+\)\.\nFailed again: 1 × mime-too-deep\.\nStopped: 1 replays? in a row/,
  );
  const discard = await cli.json(
    'dead-letters',
    'discard',
    '--code',
    'mime-too-deep',
    '--reason',
    'not worth it',
    '--yes',
  );
  assert.equal(discard.done, 1);
  await cli.refused(['dead-letters', 'discard', again.id, '--reason', 'again'], /is replayed already, by cli:/);
  const [trail, words] = await Promise.all([
    cli.json('audit', 'list', '--action', 'dead-letter'),
    cli.run('audit', 'list', '--action', 'dead-letter'),
  ]);
  assert.deepEqual(
    trail.items.map((one: { action: string }) => one.action.slice('dead-letter.'.length)),
    ['bulk-discard-end', 'bulk-discard', 'bulk-replay-end', 'bulk-replay', 'edit', 'replay'],
  );
  assert.match(words.stdout, /cli:\S+ +dead-letter\.bulk-discard +code=mime-too-deep/);
  assert.equal((await cli.run('doctor')).code, 0);
});

test('hostile text of a mail cannot drive the terminal', async () => {
  const subject = `=?utf-8?B?${Buffer.from('\u001b]0;owned\u0007\u001b[2J\u202eevil').toString('base64')}?=`;
  writeFileSync(
    join(own, 'hostile.eml'),
    flightMail({ reference: 'EVIL01', subject, from: '"\u001b[31m" <x@evil.example>' }),
  );
  await cli.json('import', own);
  const { receipts } = await cli.json('receipts', '--limit', '1000');
  const hostile = receipts.find((one: { subject: string }) => one.subject.includes('evil'));
  for (const told of await Promise.all([
    cli.run('receipts'),
    cli.run('explain', hostile.id),
    cli.run('explain', hostile.reservations[0], '--values'),
    cli.run('trips', '--all'),
  ])) {
    assert.equal(told.code, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    assert.doesNotMatch(told.stdout + told.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test('the changes that were, and those that come, until Ctrl-C; a reader that goes away is no fault', async () => {
  const watching = cli.start(['watch', '--after', '0']);
  try {
    await watching.until((one) => /gate/i.test(one.stdout) && one.stdout.split('\n').length > 10);
    const coming = watching.stdout.length;
    await cli.json(
      'add',
      'taxi',
      'start.scheduled=2031-05-01T10:00',
      'start.zone=Europe/Zurich',
      'start.name=Adlerplatz',
    );
    await watching.until((one) => one.stdout.slice(coming).includes('was added'));
    const { code, stderr } = await watching.end('SIGINT');
    assert.equal(code, 0, stderr);
  } finally {
    await watching.kill();
  }
  const lines = cli.start(['watch', '--after', '0', '--json']);
  try {
    await lines.until((one) => one.stdout.includes('\n'));
    assert.equal(JSON.parse(lines.stdout.split('\n')[0]!).event.type, 'dev.tripwatch.itinerary.updated.v1');
  } finally {
    lines.child.stdout.destroy();
    // The pipe is closed: the next line that is written ends it.
    const ended = lines.end();
    await cli.json('add', 'taxi', 'start.scheduled=2031-05-02T10:00', 'start.zone=Europe/Zurich');
    assert.equal((await ended).code, 0, lines.stderr);
  }
});

async function legs(): Promise<readonly string[]> {
  const { trips } = await cli.json('trips', '--all');
  return trips.flatMap((trip: { legs: { reservation: string }[] }) => trip.legs.map((leg) => leg.reservation));
}
async function reservationOf(subject: string): Promise<string> {
  const { receipts } = await cli.json('receipts', '--limit', '1000');
  const [id, ...more] = receipts.find((one: { subject: string }) => one.subject === subject).reservations;
  assert.deepEqual(more, []);
  return id;
}
