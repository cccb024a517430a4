import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { existingDay, playSandbox, startSandboxProviders } from '../../src/sandbox/sandbox.ts';

/**
 * The player against a service that only listens: everything is handed over exactly once, also when the sandbox is
 * stopped in the middle and started again, and although the first connection of each kind fails.
 */
interface Ear {
  readonly requests: { method: string; path: string; body: Record<string, unknown> }[];
  readonly mails: { to: string; raw: string }[];
  readonly pushes: string[];
  readonly url: string;
  readonly smtpPort: number;
  close(): Promise<void>;
}

async function listening(): Promise<Ear> {
  const ear = { requests: [] as Ear['requests'], mails: [] as Ear['mails'], pushes: [] as string[] };
  let failures = 2;
  const http: Server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const path = request.url ?? '';
    if (failures-- > 0) {
      response.writeHead(503).end();
      return;
    }
    if (path.startsWith('/v1/changes')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 1\nevent: change\ndata: {"id":"evt_1","data":{}}\n\n');
      return;
    }
    if (path.startsWith('/push/')) ear.pushes.push((JSON.parse(text) as { id: string }).id);
    else ear.requests.push({ method: request.method ?? '', path, body: JSON.parse(text) as Record<string, unknown> });
    const number = ear.requests.length;
    const answer = {
      id: `id_${number}`,
      address: `plans+${number}@in.example`,
      secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3',
    };
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  let busy = 2;
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (busy-- > 0) {
          done(Object.assign(new Error('try later'), { responseCode: 451 }));
          return;
        }
        const to = session.envelope.rcptTo[0]!.address;
        ear.mails.push({ to, raw: Buffer.concat(chunks).toString('latin1') });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  return {
    ...ear,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    smtpPort: ((smtp as unknown as { server: Server }).server.address() as AddressInfo).port,
    close: async () => {
      http.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => http.close(() => resolve())),
        new Promise<void>((resolve) => smtp.close(() => resolve())),
      ]);
    },
  };
}

test('a day stopped in the middle goes on where it was; everything is handed over once', async () => {
  const ear = await listening();
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-player-'));
  const day = { seed: 11, travellers: 14, flights: 14, hours: 6 };
  const told: string[] = [];
  const run = async (signal: AbortSignal): Promise<void> => {
    const providers = await startSandboxProviders({
      dataDir,
      day,
      speed: 7200,
      beginsInMs: 300,
      pushUrl: `${ear.url}/push/duffel`,
    });
    try {
      const tripwatch = { url: ear.url, token: 'x', smtp: { host: '127.0.0.1', port: ear.smtpPort } };
      await playSandbox({ providers, tripwatch, signal, settleMs: 1, tell: (line) => told.push(line) });
    } finally {
      await providers.stop();
    }
  };
  try {
    await run(AbortSignal.timeout(1800));
    const half = ear.mails.length;
    await run(AbortSignal.timeout(60_000));
    const { scenario, witness, meta } = existingDay(dataDir);
    assert.ok(half > 0 && half < ear.mails.length, `${half} of ${ear.mails.length} came before the stop`);
    assert.equal(ear.mails.length, scenario.mails.length);
    assert.deepEqual(new Set(witness().mails.map((one) => one.mail)), new Set(scenario.mails.map((plan) => plan.id)));
    const people = witness().people;
    assert.deepEqual([...new Set(people.map((one) => one.index))].length, 14);
    const addresses = new Set(people.map((one) => one.address));
    assert.ok(ear.mails.every((mail) => addresses.has(mail.to)));
    const posted = (path: RegExp) => ear.requests.filter((one) => path.test(one.path));
    assert.equal(posted(/^\/v1\/travellers$/).length, 14);
    assert.equal(posted(/^\/v1\/endpoints$/).length, 1);
    assert.equal(posted(/^\/v1\/endpoints$/)[0]!.body.url, `http://127.0.0.1:${meta().ports.sink}/changes`);
    const registered = scenario.bookings.flatMap((one) =>
      one.duffelId === undefined ? [] : one.owners.map(() => one.duffelId),
    );
    assert.deepEqual(
      posted(/^\/v1\/reservations$/)
        .map((one) => (one.body.provider as { id: string }).id)
        .sort(),
      registered.sort(),
    );
    for (const plan of scenario.pushes) if (plan.at < scenario.endAt) assert.ok(ear.pushes.includes(plan.eventId));
    assert.deepEqual(
      witness().said.map((one) => one.seq),
      [1],
      'the cursor keeps what was heard',
    );
    assert.ok(
      told.some((line) => /^\d\d:\d\d {2}[A-Z0-9]{2} \d+ .+ → .+: gate /.test(line)),
      'told in plain words',
    );
  } finally {
    await ear.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
