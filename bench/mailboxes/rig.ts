import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type DovecotServer, PASSWORD, startDovecot } from '../../scripts/servers/dovecot.ts';
import type { MailboxView } from '../../src/contracts/http/views.ts';
import { SANDBOX_MAIL_KEYS } from '../../src/sandbox/mail/sign.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/chaos/tcp-proxy.ts';
import { type ServiceProcess, startServiceProcess } from '../service/process.ts';
import { REFERENCE } from './mails.ts';

/** A service in a process of its own, and a Dovecot with a proxy before each mailbox that notes what the server says. */
export interface MailboxRig {
  readonly dovecot: DovecotServer;
  readonly service: ServiceProcess;
  /** When the change of a reservation was heard, epoch ms, by its reference. */
  readonly heard: ReadonlyMap<string, number>;
  /** Connects a user's mailbox, with all that is there already (`old`) or none of it. */
  connect(user: string, old: boolean): Promise<ConnectedBox>;
  close(): Promise<void>;
}

export interface ConnectedBox {
  readonly id: string;
  readonly user: string;
  readonly proxy: TcpProxy;
  /** When the server said that more mails are there than before, epoch ms. */
  readonly notices: readonly number[];
  view(): Promise<MailboxView>;
  /** Until it is looked at by IDLE and all that was there is decided. Errors: Error after `msMax`. */
  settled(msMax?: number): Promise<void>;
}

export const clockNow = (): number => performance.timeOrigin + performance.now();

export async function startMailboxRig(users: number): Promise<MailboxRig> {
  const dovecot = await startDovecot({ users });
  const proxies: TcpProxy[] = [];
  let service: ServiceProcess;
  try {
    service = await startServiceProcess({
      mailboxes: { allowPrivate: true, allowPlain: true },
      mails: { trustedKeys: SANDBOX_MAIL_KEYS },
    });
  } catch (error) {
    await dovecot.stop();
    throw error;
  }
  const heard = new Map<string, number>();
  const stream = service.changes((event, at) => {
    const reference = REFERENCE.exec(JSON.stringify(event.data))?.[0];
    if (reference !== undefined && !heard.has(reference)) heard.set(reference, at);
  });
  const connect = async (user: string, old: boolean): Promise<ConnectedBox> => {
    const notices: number[] = [];
    let most = 0;
    const proxy = await startTcpProxy({
      target: { port: dovecot.port },
      onPassed: (direction, bytes) => {
        // Short ones only: this is no part of a mail.
        if (direction !== 'down' || bytes.length > 2000) return;
        for (const [, count] of bytes.toString('latin1').matchAll(/^\* (\d+) EXISTS\r$/gm)) {
          if (Number(count) > most) notices.push(clockNow());
          most = Math.max(most, Number(count));
        }
      },
    });
    proxies.push(proxy);
    const traveller = await service.call<{ id: string }>('POST', '/v1/travellers', { name: user, zone: 'UTC' });
    const { id } = await service.call<MailboxView>('POST', `/v1/travellers/${traveller.id}/mailboxes`, {
      kind: 'imap',
      address: `${user}@bench.example`,
      user,
      password: PASSWORD,
      host: '127.0.0.1',
      port: proxy.port,
      security: 'plain',
      folders: ['INBOX'],
      sinceDays: old ? 3650 : 0,
      test: false,
    });
    const view = () => service.call<MailboxView>('GET', `/v1/mailboxes/${id}`);
    const settled = async (msMax = 60_000): Promise<void> => {
      const giveUpAt = performance.now() + msMax;
      for (;;) {
        const { watch, mails } = await view();
        if (watch?.state === 'watching' && watch.backfill.done && mails?.waiting === 0) return;
        if (performance.now() > giveUpAt)
          throw new Error(`${user} is ${watch?.state} (${watch?.reason}); ${mails?.waiting} mails wait`);
        await delay(100);
      }
    };
    return { id, user, proxy, notices, view, settled };
  };
  return {
    dovecot,
    service,
    heard,
    connect,
    close: async () => {
      stream.stop();
      await service.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await dovecot.stop();
    },
  };
}

/** What came of one mail: when the server had accepted it, when it gave notice, when its reservation was heard of. */
export interface Passage {
  readonly deliveredAt: number;
  readonly noticedAt: number;
  readonly storedAt: number;
}

/** Brings a mail and waits until its reservation is heard of. Errors: Error after `msMax`. */
export async function pass(
  rig: MailboxRig,
  box: ConnectedBox,
  mail: { readonly bytes: Buffer; readonly reference: string },
  msMax = 60_000,
): Promise<Passage> {
  const before = box.notices.length;
  await rig.dovecot.deliver(box.user, mail.bytes);
  const deliveredAt = clockNow();
  for (;;) {
    const storedAt = rig.heard.get(mail.reference);
    // Where a look came before the notice, there was none.
    if (storedAt !== undefined) return { deliveredAt, noticedAt: box.notices[before] ?? Number.NaN, storedAt };
    if (clockNow() - deliveredAt > msMax) throw new Error(`no change came of ${mail.reference} in ${msMax} ms`);
    await delay(2);
  }
}

/** Of another process: the most memory that it ever had, and its processor time. Linux only; elsewhere NaN. */
export function usageOf(pid: number): { readonly rssMibMax: number; readonly cpuSeconds: number } {
  const read = (name: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  const kib = Number(/^VmHWM:\s+(\d+) kB/m.exec(read('status'))?.[1]);
  // After the name, which may hold anything; hundredths of a second.
  const fields = read('stat').split(') ').at(-1)!.split(' ');
  return { rssMibMax: Math.round(kib / 1024), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}
