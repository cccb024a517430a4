import { setTimeout as delay } from 'node:timers/promises';
import { Cli, flightMail, freshFolder, type Running } from '../integration/cli.testing.ts';
import { SmtpClient } from '../integration/mail-in.testing.ts';
import { type Percentiles, percentiles } from './takeover.ts';

/** The service as a person runs it, with any free ports. */
export interface Up {
  readonly running: Running;
  readonly smtpPort: number;
  /** Ms from the start of the process until the page was there and SMTP answered. */
  readonly servesAfterMs: number;
}

export const FREE_PORTS = { TRIPWATCH_HTTP_PORT: '0', TRIPWATCH_SMTP_PORT: '0' };

export async function startService(cli: Cli): Promise<Up> {
  const startedAt = performance.now();
  const running = cli.start(['up', '--json']);
  await running.until((one) => /\n\}\n/.test(one.stdout));
  const { smtpPort, url } = JSON.parse(running.stdout) as { smtpPort: number; url: string };
  const [client, page] = await Promise.all([SmtpClient.open(smtpPort), fetch(url)]);
  client.close();
  if (page.status !== 200) throw new Error(`the page answers ${page.status}`);
  return { running, smtpPort, servesAfterMs: performance.now() - startedAt };
}

/** One mail on a connection of its own; the reply. */
export async function sendMail(port: number, address: string, mail: string): Promise<string> {
  const client = await SmtpClient.open(port);
  const reply = await client.send([address], Buffer.from(mail));
  client.close();
  return reply;
}

/** Those of the references of which there is no reservation, after a while. */
export async function missingAfter(cli: Cli, references: readonly string[], ms: number): Promise<readonly string[]> {
  const giveUpAt = performance.now() + ms;
  for (;;) {
    const { trips } = await cli.json('trips');
    const legs = (trips as { legs: { reference?: string }[] }[]).flatMap((trip) => trip.legs);
    const found = new Set(legs.map(({ reference }) => reference));
    const missing = references.filter((one) => !found.has(one));
    if (missing.length === 0 || performance.now() > giveUpAt) return missing;
    await delay(100);
  }
}

export interface RestartResult {
  readonly kills: number;
  /** Ms from the start of a process until it serves. */
  readonly serves: Percentiles;
  readonly accepted: number;
  /** Mails that were accepted and are no reservation. */
  readonly lost: readonly string[];
}

/** Killed again and again while mails come in, and started again at once. */
export async function restartRun(kills: number): Promise<RestartResult> {
  const folder = freshFolder();
  const cli = new Cli(`${folder.data}/installation`, FREE_PORTS);
  const accepted: string[] = [];
  const times: number[] = [];
  let up = await startService(cli);
  try {
    const { address } = (await cli.json('mailbox', 'add', '--traveller', 'Ada')) as { address: string };
    for (let life = 0; life < kills; life++) {
      const { smtpPort, running } = up;
      const sending = (async () => {
        for (let n = 0; ; n++) {
          const reference = `R${life}X${n}`;
          const mail = flightMail({ reference, number: String(100 + n), subject: `Booking ${reference}` });
          const reply = await sendMail(smtpPort, address, mail).catch(() => 'closed');
          if (!reply.startsWith('250')) return;
          accepted.push(reference);
        }
      })();
      const enough = accepted.length + 5;
      while (accepted.length < enough && running.child.exitCode === null) await delay(5);
      await delay(50 * (life % 5));
      await running.kill();
      await sending;
      up = await startService(cli);
      times.push(up.servesAfterMs);
    }
    const lost = await missingAfter(cli, accepted, 30_000);
    return { kills, serves: percentiles(times), accepted: accepted.length, lost };
  } finally {
    await up.running.kill();
    folder.forget();
  }
}
