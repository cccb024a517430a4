import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/tripwatch.js', import.meta.url));
export const FIXTURES = fileURLToPath(new URL('../fixtures/mail', import.meta.url));
/** A process that hangs is ended, so that a fault shows as one failed test. */
const PATIENCE_MS = 240_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any;
}

/** A folder of its own for one installation; removed by `forget`. */
export function freshFolder(): { readonly data: string; forget(): void } {
  const data = mkdtempSync(join(tmpdir(), 'tripwatch-cli-'));
  return { data, forget: () => rmSync(data, { recursive: true, force: true }) };
}

/** The command line as a person has it: the real launcher, in a process of its own. Nothing of the test's settings gets in. */
export class Cli {
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(data: string, env: Readonly<Record<string, string>> = {}) {
    this.data = data;
    this.env = env;
  }

  start(args: readonly string[]): Running {
    return new Running([...args, '--data', this.data], this.env);
  }

  async run(...args: readonly string[]): Promise<Ran> {
    return this.start(args).end();
  }

  /** Runs with `--json` and expects success and one JSON value on stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  async json(...args: readonly string[]): Promise<any> {
    const ran = await this.run(...args, '--json');
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
    assert.notEqual(ran.json, undefined, `${args.join(' ')}: no JSON in ${JSON.stringify(ran.stdout)}`);
    return ran.json;
  }

  /** Runs and expects a refusal: exit code 1, a text without a stack, and every one of the patterns in it. */
  async refused(args: readonly string[], ...patterns: readonly RegExp[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    const told = stdout + stderr;
    assert.equal(code, 1, `${args.join(' ')}: ${told}`);
    for (const pattern of patterns) assert.match(told, pattern);
    assert.doesNotMatch(told, /\n\s+at .*:\d+:\d+|fault in Tripwatch/, 'a refusal is no crash');
    return told;
  }
}

export class Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<unknown>;
  #timer: NodeJS.Timeout;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(TRIPWATCH_|NODE_|NO_COLOR|FORCE_COLOR)/.test(name),
    );
    this.child = spawn(process.execPath, [BIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), ...env } as NodeJS.ProcessEnv,
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.child.stdin.on('error', () => {});
    this.#ended = once(this.child, 'close');
    this.#timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
  }

  /** Until the output has what is asked for; fails when the process ends before. */
  async until(seen: (running: Running) => boolean): Promise<this> {
    while (!seen(this)) {
      const more = once(this.child.stdout, 'data').catch(() => {});
      const notes = once(this.child.stderr, 'data').catch(() => {});
      await Promise.race([more, notes, this.#ended]);
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.#ended;
        if (seen(this)) break;
        assert.fail(`ended with ${this.child.exitCode ?? this.child.signalCode} before: ${this.stdout}${this.stderr}`);
      }
    }
    return this;
  }

  async end(signal?: NodeJS.Signals): Promise<Ran> {
    if (signal !== undefined) this.child.kill(signal);
    else this.child.stdin.end();
    await this.#ended;
    clearTimeout(this.#timer);
    return {
      code: this.child.exitCode,
      stdout: this.stdout,
      stderr: this.stderr,
      json: parsed(this.stdout),
    };
  }

  /** For cleaning up: ends it if it still runs. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.#ended;
    clearTimeout(this.#timer);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A mail with one flight in JSON-LD, as an airline sends it. */
export function flightMail(change: {
  readonly subject?: string;
  readonly from?: string;
  readonly reference?: string;
  readonly number?: string;
  readonly departs?: string;
  readonly arrives?: string;
  readonly gate?: string;
  readonly cancelled?: boolean;
  readonly date?: string;
}): string {
  const { number = '400', reference = 'QK7MZ2' } = change;
  const ld = {
    '@context': 'http://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: reference,
    reservationStatus: `http://schema.org/Reservation${change.cancelled === true ? 'Cancelled' : 'Confirmed'}`,
    underName: { '@type': 'Person', name: 'Ada Lovelace' },
    reservationFor: {
      '@type': 'Flight',
      flightNumber: number,
      airline: { '@type': 'Airline', name: 'Nordlicht Air', iataCode: 'N9' },
      departureAirport: { '@type': 'Airport', iataCode: 'FRA' },
      departureTime: change.departs ?? '2031-03-04T10:05:00+01:00',
      arrivalAirport: { '@type': 'Airport', iataCode: 'JFK' },
      arrivalTime: change.arrives ?? '2031-03-04T12:55:00-05:00',
      ...(change.gate === undefined ? {} : { departureGate: change.gate }),
    },
  };
  return [
    `From: ${change.from ?? 'Nordlicht Air <booking@nordlicht.example>'}`,
    'To: ada@traveller.example',
    `Subject: ${change.subject ?? `Your booking ${reference}`}`,
    `Date: ${change.date ?? 'Mon, 02 Nov 2026 09:15:00 +0100'}`,
    `Message-ID: <${reference}-${number}-${change.date ?? 'first'}@nordlicht.example>`.replace(/[ ,:+]/g, ''),
    'MIME-Version: 1.0',
    'Content-Type: text/html; charset=utf-8',
    '',
    `<!DOCTYPE html><html><head><script type="application/ld+json">${JSON.stringify(ld)}</script></head><body><p>Thank you.</p></body></html>`,
    '',
  ].join('\r\n');
}

/** Parts in parts in parts: more than the reader goes down. The mail is kept and its event set aside. */
export function tooDeepMail(): string {
  const head = 'From: x@odd.example\r\nSubject: Nested\r\nMessage-ID: <deep@odd.example>\r\nMIME-Version: 1.0\r\n';
  const parts = Array.from(
    { length: 100 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  );
  return `${head}${parts.join('')}\r\n`;
}
