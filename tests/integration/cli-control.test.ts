/** Pausing, resuming, figures and the doctor as a person has them: beside a service, and without one. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { Cli, flightMail, freshFolder } from './cli.testing.ts';

const folder = freshFolder();
const data = join(folder.data, 'installation');
const mails = join(folder.data, 'mails');
const cli = new Cli(data, { TRIPWATCH_HTTP_PORT: '0', TRIPWATCH_SMTP_PORT: '0' });
after(() => folder.forget());

async function until(what: string, seen: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await seen())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a stage is paused and resumed beside a running service; status, doctor and figures say so', async () => {
  const up = cli.start(['up', '--json']);
  try {
    await up.until((one) => /\n\}\n/.test(one.stdout));
    const told = JSON.parse(up.stdout);
    const token = new URL(told.signIn).searchParams.get('token');
    const ask = (path: string) => fetch(told.url + path, { headers: { authorization: `Bearer ${token}` } });
    // A kept connection may just have been closed by the service when it is used again: asked once more.
    const get = async (path: string) => (await ask(path).catch(() => ask(path))).text();
    const paused = await cli.json('pause', 'stage', 'reconcile', '--reason', 'trying the reader');
    assert.equal(paused.new, true);
    const metric = async (line: string) => (await get('/metrics')).split('\n').includes(line);
    await until('the service knows of it', () => metric('tripwatch_stage_paused{stage="reconcile"} 1'));
    await cli.json('traveller', 'add', 'Ada');
    const stay = ['name=Hotel Adler', 'start.scheduled=2031-05-01', 'start.zone=Europe/Zurich'];
    assert.equal((await cli.json('add', 'stay', ...stay)).reservation, undefined, 'it is being worked on');
    const letters = join(folder.data, 'letters');
    mkdirSync(letters);
    writeFileSync(join(letters, 'one.eml'), flightMail({ reference: 'PAUSE1' }));
    await cli.json('pause', 'stage', 'extract', '--reason', 'trying the reader');
    await until('the service knows of that too', () => metric('tripwatch_stage_paused{stage="extract"} 1'));
    const { imported = 0, seen = 0, collected = 0 } = (await cli.json('import', letters)).dispositions;
    assert.deepEqual([imported, seen + collected], [0, 1], 'nobody waits for it');
    await cli.json('resume', 'stage', 'extract');
    await until('it waits', () => metric('tripwatch_stage_waiting{stage="reconcile"} 2'));
    const status = JSON.parse(await get('/v1/status'));
    assert.equal(
      status.stages.find((one: { name: string }) => one.name === 'reconcile').paused.reason,
      'trying the reader',
    );
    const doctor = await cli.run('doctor');
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(
      doctor.stdout,
      /note +stage reconcile is paused by cli:\S+ since \S+: trying the reader\n +→ tripwatch resume stage reconcile/,
    );
    assert.match(doctor.stdout, /ok +balanced: 4 events accepted .* = 2 done \+ 0 failed \+ 2 in progress/);
    assert.match((await cli.run('paused')).stdout, /^stage +reconcile .*trying the reader/);
    await cli.json('resume', 'stage', 'reconcile');
    await until('it is done', () => metric('tripwatch_stage_processed_total{stage="reconcile"} 2'));
    assert.equal((await cli.run('paused')).stdout, 'Nothing is paused.\n');
    const { code, stderr } = await up.end('SIGTERM');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /"level":(50|60)/);
  } finally {
    await up.kill();
  }
});

test('what is not there is refused with what is', async () => {
  await cli.refused(
    ['pause', 'stage', 'extrakt', '--reason', 'x'],
    /Did you mean extract\? There are collect, extract,/,
  );
  await cli.refused(['pause', 'mailbox', 'mbx_0', '--reason', 'x'], /There is no mailbox "mbx_0"\./);
  await cli.refused(['resume', 'stage', 'extract'], /The stage extract is not paused\. None is\./);
});

test('an event that is neither done nor waiting is an imbalance that the doctor names, with exit code 1', async () => {
  await cli.json('pause', 'stage', 'extract', '--reason', 'so that something waits');
  mkdirSync(mails);
  writeFileSync(join(mails, 'one.eml'), flightMail({ reference: 'FILE01' }));
  await cli.run('import', mails);
  const balanced = await cli.run('doctor');
  assert.equal(balanced.code, 0, balanced.stdout);
  const database = new DatabaseSync(join(data, 'tripwatch.db'));
  const { changes } = database.prepare("UPDATE consumer_cursor SET seq = 1000 WHERE consumer = 'extract'").run();
  database.close();
  assert.equal(Number(changes), 1);
  const { code, stdout } = await cli.run('doctor');
  assert.equal(code, 1, stdout);
  assert.match(
    stdout,
    /BAD +not balanced for tnt_default: \d+ events accepted, .*; 1 are lost\n +→ tripwatch up puts lost events back/,
  );
  assert.match(stdout, /note +lost: evt_\w+ for extract\/0/);
});
