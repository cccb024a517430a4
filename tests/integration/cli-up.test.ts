import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Cli, flightMail, freshFolder } from './cli.testing.ts';
import { SmtpClient } from './mail-in.testing.ts';

/** `tripwatch up`: starts, says where it is, refuses what it cannot serve, ends well. */

const folder = freshFolder();
const data = join(folder.data, 'installation');
const FREE = { TRIPWATCH_HTTP_PORT: '0', TRIPWATCH_SMTP_PORT: '0' };
const cli = new Cli(data, FREE);
after(() => folder.forget());

test('up: a mail comes in by SMTP, commands work beside it, SIGTERM lets it finish', { timeout: 120_000 }, async () => {
  const up = cli.start(['up', '--json']);
  try {
    await up.until((one) => /\n\}\n/.test(one.stdout));
    const told = JSON.parse(up.stdout);
    assert.equal(told.data, data);
    const token = new URL(told.signIn).searchParams.get('token');
    assert.match(told.signIn, new RegExp(`^${told.url}/\\?token=twk_`));
    const api = async (path: string) => {
      const response = await fetch(told.url + path, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(response.status, 200, path);
      return response.json();
    };

    await cli.refused(
      ['up'],
      /Another Tripwatch process works on .*installation\. Stop it first, or use another folder/,
    );

    // Beside a running service: an address is made, mail comes in, the reservation is there, an import is done by the service.
    const mailbox = await cli.json('mailbox', 'add', '--traveller', 'Ada');
    const smtp = await SmtpClient.open(told.smtpPort);
    const reply = await smtp.send([mailbox.address], Buffer.from(flightMail({ reference: 'SMTP01' })));
    smtp.close();
    assert.match(reply, /^250 /);
    const mails = join(folder.data, 'mails');
    mkdirSync(mails);
    writeFileSync(join(mails, 'one.eml'), flightMail({ reference: 'FILE01', number: '77' }));
    const imported = await cli.json('import', mails);
    assert.deepEqual(imported.dispositions, { imported: 1 });
    const added = await cli.json(
      'add',
      'stay',
      'name=Hotel Adler',
      'start.scheduled=2031-05-01',
      'start.zone=Europe/Zurich',
    );
    assert.equal(added.reservation.version, 1);
    const [trips, doctor, status] = await Promise.all([cli.json('trips'), cli.run('doctor'), api('/v1/status')]);
    const legs = trips.trips.flatMap((trip: { legs: { reference?: string }[] }) => trip.legs);
    assert.deepEqual(legs.map((leg: { reference?: string }) => leg.reference).sort(), ['FILE01', 'SMTP01', undefined]);
    assert.match(doctor.stdout, /ok +a service is running on this folder/);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.equal(status.ready, true);

    const { code, stderr } = await up.end('SIGTERM');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /"level":(50|60)/);
  } finally {
    await up.kill();
  }
});

test('a later start makes no new sign-in link; Ctrl-C ends it too; what it holds is said in words', async () => {
  const up = cli.start(['up']);
  try {
    await up.until((one) => one.stdout.includes('  data '));
    assert.match(up.stdout, /Tripwatch is up\./);
    assert.match(up.stdout, /page +http:\/\/127\.0\.0\.1:\d+ +\(sign in: `tripwatch token add`\)/);
    assert.match(up.stdout, /providers +none yet: see docs\/operating\/configuration\.md/);
    assert.ok(!up.stdout.includes('twk_'), 'a link that is printed is a link that leaks');
    const { code, stderr } = await up.end('SIGINT');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Stopping: finishing what runs/);
  } finally {
    await up.kill();
  }
});

test('wrong settings are named all together, with value, place and remedy', async () => {
  const file = join(data, 'tripwatch.config.json');
  writeFileSync(
    file,
    JSON.stringify({
      http: { prot: 80 },
      smtp: { maxBytes: 5 },
      providers: [{ account: 'A B', connector: 'aerodatabox', key: 'plain-secret' }],
    }),
  );
  const told = await new Cli(data, { TRIPWATCH_HTTP_PORT: 'eighty', TRIPWATCH_SMPT_PORT: '1' }).refused(
    ['up'],
    /unknown setting "prot" Did you mean port\?/,
    /TRIPWATCH_SMPT_PORT is no setting\. Did you mean TRIPWATCH_SMTP_PORT\?/,
    /TRIPWATCH_HTTP_PORT: /,
    /smtp\.maxBytes \(.*tripwatch\.config\.json\)/,
    /must be env:NAME or file:\/path/,
  );
  assert.ok(!told.includes('plain-secret'), 'what may be a secret is not repeated');
  writeFileSync(
    file,
    JSON.stringify({ providers: [{ account: 'a', connector: 'aerodatabox', key: 'env:NO_SUCH_KEY' }] }),
  );
  await cli.refused(['up'], /environment variable NO_SUCH_KEY, which is not set/);
  writeFileSync(file, '{"http": ');
  await cli.refused(['up'], /tripwatch\.config\.json is no valid JSON/);
  writeFileSync(file, '{}');
});

test('a port that is taken is refused with what to do, and the folder is free again', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const { port } = taken.address() as { port: number };
    await cli.refused(['up', '--http-port', String(port)], new RegExp(`${port}`), /--http-port|http\.port/);
    await cli.refused(['up', '--smtp-port', String(port)], new RegExp(`${port}`), /--smtp-port|smtp\.port/);
    assert.match((await cli.run('doctor')).stdout, /no service is running/);
  } finally {
    taken.close();
  }
});
