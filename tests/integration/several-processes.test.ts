import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startNats } from '../../scripts/servers/nats.ts';
import { findPostgres, POSTGRES_MISSING, startPostgres } from '../../scripts/servers/postgres.ts';
import { Cli, flightMail, freshFolder, type Running } from './cli.testing.ts';
import { SmtpClient } from './mail-in.testing.ts';
import { skipWithoutNats } from './nats.testing.ts';

/** The service as several real processes on real servers: intake and API here, workers there, any of them killed. */

const folder = freshFolder();
after(() => folder.forget());

/** A worker that was killed is replaced within lease and beat; the rest is for a busy machine. */
const TAKEOVER_MS = 12_000;
const PATIENCE_MS = 40_000;

for (const broker of ['PostgreSQL alone', 'NATS and PostgreSQL'] as const) {
  test(`mails go their way through several processes on ${broker}, whoever dies`, { timeout: 180_000 }, async (t) => {
    if (findPostgres() === undefined) {
      if (process.env.CI === 'true') throw new Error(POSTGRES_MISSING);
      t.skip(POSTGRES_MISSING);
      return;
    }
    const withNats = broker !== 'PostgreSQL alone';
    const missing = withNats && skipWithoutNats();
    if (missing !== false) {
      t.skip(missing);
      return;
    }
    const postgres = await startPostgres();
    t.after(() => postgres.stop());
    const nats = withNats ? await startNats() : undefined;
    t.after(() => nats?.stop());
    const place = broker.replaceAll(' ', '-');
    const config = join(folder.data, `${place}.json`);
    const settings = {
      store: { url: 'env:OUR_POSTGRES' },
      ...(nats === undefined ? {} : { broker: { url: 'env:OUR_NATS', syncsAlways: true } }),
      secrets: { key: 'env:OUR_KEY' },
      http: { port: 0 },
      smtp: { port: 0 },
    };
    writeFileSync(config, JSON.stringify(settings));
    const env = {
      OUR_POSTGRES: postgres.url,
      OUR_NATS: nats?.urls.join(',') ?? '',
      OUR_KEY: '5a'.repeat(32),
      TRIPWATCH_CONFIG: config,
    };
    const cliOf = (name: string) => new Cli(join(folder.data, `${place}-${name}`), env);
    const cli = cliOf('command');
    const running: Running[] = [];
    t.after(() => Promise.all(running.map((one) => one.kill())));
    const up = async (name: string, stages: string): Promise<Running> => {
      const one = cliOf(name).start(['up', '--json', '--stages', stages]);
      running.push(one);
      return one.until(({ stdout }) => /\n\}\n/.test(stdout));
    };

    await cli.json('traveller', 'add', 'Ada');
    await cli.refused(['up', '--stages', 'colect'], /--stages: "colect" is none. Did you mean collect\?/);
    const other = new Cli(join(folder.data, `${place}-other`), { ...env, OUR_KEY: 'b7'.repeat(32) });
    await other.refused(['traveller', 'list'], /sealed with key .*Give every process the same/);
    const work = 'collect,extract,reconcile,track,fan-out,project,notify';
    const [front, first, second] = await Promise.all([up('front', 'watch,api'), up('first', work), up('second', work)]);
    const told = JSON.parse(front.stdout);
    const { secret } = await cli.json('token', 'add');
    const mailbox = await cli.json('mailbox', 'add');
    let sent = 0;
    const send = async () => {
      const smtp = await SmtpClient.open(told.smtpPort);
      const reference = `REF${String(++sent).padStart(3, '0')}`;
      const reply = await smtp.send([mailbox.address], Buffer.from(flightMail({ reference })));
      smtp.close();
      assert.match(reply, /^250 /);
    };
    /** Ms until as many reservations are there as mails were sent. */
    const all = async (): Promise<number> => {
      const from = performance.now();
      for (;;) {
        const answer = await fetch(`${told.url}/v1/reservations?limit=200`, {
          headers: { authorization: `Bearer ${secret}` },
        });
        const { items } = (await answer.json()) as { items: { reference?: string }[] };
        assert.equal(new Set(items.map((one) => one.reference)).size, items.length);
        if (items.length >= sent) return performance.now() - from;
        assert.ok(performance.now() - from < PATIENCE_MS, `${items.length} of ${sent} mails arrived`);
        await delay(20);
      }
    };

    for (let n = 0; n < 8; n++) await send();
    await all();
    const doctor = await cli.run('doctor');
    assert.match(doctor.stdout, /3 processes at work/);
    assert.match(doctor.stdout, /state, log and mails in PostgreSQL/);

    await first.kill();
    await send();
    const takenMs = await all();
    t.diagnostic(`after a kill, the next mail was there after ${Math.round(takenMs)} ms`);
    assert.ok(takenMs < 2 * TAKEOVER_MS);

    await second.end('SIGTERM');
    await send();
    await up('third', work);
    await all();
    await postgres.kill9();
    await postgres.restart();
    await send();
    t.diagnostic(`after PostgreSQL was killed, the next mail was there after ${Math.round(await all())} ms`);
    if (nats !== undefined) {
      await nats.kill9(0);
      await send();
      await all();
      await nats.restart(0);
      await send();
      await all();
    }
    assert.equal((await front.end('SIGTERM')).code, 0);
  });
}
