import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createClock } from '../../src/adapters/clock/system.ts';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT, type TravellerId } from '../../src/domain/ids.ts';
import { forwardingAddress, mailboxAddressHash } from '../../src/domain/mail/mailbox-address.ts';
import type { BlobRef, BlobStore } from '../../src/ports/blobs.ts';
import type { Mailbox } from '../../src/ports/store/accounts.ts';
import { createIntake } from '../../src/stages/watch/intake.ts';

/** A place for mails to go in tests: real store in memory, blobs in a map. */
export const clock = createClock();

export function memoryBlobs(): BlobStore & { readonly kept: Map<BlobRef, Uint8Array>; broken: boolean } {
  const kept = new Map<BlobRef, Uint8Array>();
  const blobs = {
    kept,
    broken: false,
    put: async (bytes: Uint8Array): Promise<BlobRef> => {
      if (blobs.broken) throw new Error('disk full');
      const ref: BlobRef = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      kept.set(ref, Uint8Array.from(bytes));
      return ref;
    },
    get: async (ref: BlobRef) => kept.get(ref) ?? Promise.reject(new Error('missing')),
  };
  return blobs;
}

export const DOMAIN = 'in.example';

export async function addMailbox(
  store: SqlStore,
  name: string,
  state: Mailbox['state'] = 'active',
): Promise<Mailbox & { readonly address: string }> {
  const traveller: TravellerId = `trv_${name}`;
  const address = forwardingAddress(name, DOMAIN);
  const mailbox = {
    id: `mbx_${name}`,
    tenant: DEFAULT_TENANT,
    traveller,
    kind: 'forward',
    label: name,
    address,
    state,
    createdAt: 1,
  } as const;
  await store.transact(async (tx) => {
    await tx.accounts.ensureTenant(DEFAULT_TENANT, 'Test', 1);
    await tx.accounts.addTraveller({
      id: traveller,
      tenant: DEFAULT_TENANT,
      name,
      zone: 'UTC',
      locale: 'en',
      createdAt: 1,
    });
    await tx.accounts.addMailbox(mailbox, mailboxAddressHash(address));
  });
  return mailbox;
}

export function openMailIn(file = ':memory:') {
  const store = openSqliteStore({ file, clock, logger: silentLogger });
  const blobs = memoryBlobs();
  const intake = createIntake({ store, blobs, clock, logger: silentLogger });
  return { store, blobs, intake };
}

export function mail(n: number | string, from = 'booking@air.example', body = 'Hello'): Buffer {
  return Buffer.from(`From: ${from}\r\nSubject: Mail ${n}\r\nMessage-ID: <${n}@x>\r\n\r\n${body}\r\n`);
}

/** Just enough of an SMTP client to misbehave with. */
export class SmtpClient {
  readonly socket: Socket;
  #text = '';
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      this.#wake?.();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  static async open(port: number, hello = true): Promise<SmtpClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new SmtpClient(socket);
    await once(socket, 'connect');
    if (hello) {
      await client.reply();
      await client.say('EHLO client.example');
    }
    return client;
  }

  /** The next reply, several lines joined; `closed` when the connection ended instead. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.#closed) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  async send(to: readonly string[], bytes: Uint8Array): Promise<string> {
    const from = await this.say('MAIL FROM:<sender@air.example>');
    if (!from.startsWith('250')) return from;
    for (const address of to) {
      const reply = await this.say(`RCPT TO:<${address}>`);
      if (!reply.startsWith('250')) return reply;
    }
    const go = await this.say('DATA');
    if (!go.startsWith('354')) return go;
    this.socket.write(bytes);
    return this.say(bytes.length === 0 || Buffer.from(bytes).subarray(-2).toString() === '\r\n' ? '.' : '\r\n.');
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Sends a mail to a running service by SMTP and waits until something has become of it. `read`: asks its REST API.
 * Errors: an assertion, where it is not stored, or nothing has become of it after a minute.
 */
export async function sendAndSettle(smtpPort: number, read: Read, to: string, bytes: Buffer): ReturnType<Read> {
  const client = await SmtpClient.open(smtpPort);
  const reply = await client.send([to], bytes);
  client.close();
  const id = /Stored as (mail_\w+)/.exec(reply)?.[1];
  assert.ok(id !== undefined, reply);
  for (const patience = AbortSignal.timeout(60_000); ; ) {
    const receipt = await read(`/v1/receipts/${id}`);
    if (!['seen', 'collected'].includes(receipt.disposition)) return receipt;
    assert.ok(!patience.aborted, `no end in sight: ${JSON.stringify(receipt)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
type Read = (path: string) => Promise<any>;
