import type { z } from 'zod';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Credentials, MailboxAccount } from '../../../ports/mailbox.ts';
import { unreadable } from '../../provider/http/failed.ts';
import { type Failure, failureOfStatus } from '../../provider/http/failures.ts';
import type { HttpLine, LineAnswer, LineRequest } from '../../provider/http/line.ts';

/** Calls to a mailbox's API in the name of its account: signed in, each failure translated, answers still bytes. */
export interface Calls {
  /**
   * Errors: `unauthorised` `consent-needed`, `password-refused`; `rate-limited` `provider-rate-limited`; `transient`
   * `mailbox-closed`, `provider-timeout`, `provider-unreachable`, `provider-failed`, `provider-answered-garbage`;
   * `permanent` `provider-refused`.
   */
  ask(call: Call, signal: AbortSignal): Promise<LineAnswer>;
  /** `ask`, read as JSON by a schema. Errors also: transient `provider-answered-unreadable`. */
  json<T>(call: Call, schema: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  /** Headers that sign in, for an exchange that this cannot make (an event stream); `refused`: those before were. */
  signed(signal: AbortSignal, refused?: Credentials): Promise<Signed>;
}

export interface Call extends Omit<LineRequest, 'headers' | 'body'> {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Statuses that are answers here, beside 2xx. */
  readonly also?: readonly number[];
}

export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
}

export interface CallsOptions {
  readonly line: HttpLine;
  readonly clock: Clock;
  readonly account: MailboxAccount;
  /** Of the session. */
  readonly closed: AbortSignal;
  /** The vendor's own word on a refusal; undefined: the status decides. `body` is parsed, undefined where it is no JSON. */
  readonly explain: (status: number, body: unknown) => Failure | undefined;
}

/** More than any answer of one page has. */
const JSON_BYTES_MAX = 16 * 1024 * 1024;

export function createCalls({ line, clock, account, closed, explain }: CallsOptions): Calls {
  let current: Credentials | undefined;

  const signed = async (signal: AbortSignal, refused?: Credentials): Promise<Signed> => {
    // Asked each time: the account gives what it has as long as it is fresh.
    current = await account.credentials(signal, refused);
    return { headers: { authorization: authorizationOf(current) }, credentials: current };
  };

  const once = async (call: Call, signal: AbortSignal, { headers }: Signed): Promise<LineAnswer> => {
    const { json, also: _, ...rest } = call;
    return line.exchange(
      {
        bytesMax: JSON_BYTES_MAX,
        ...rest,
        headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      },
      signal,
    );
  };

  const ask = async (call: Call, signal: AbortSignal): Promise<LineAnswer> => {
    if (closed.aborted) throw mailboxClosed();
    signal.throwIfAborted();
    const both = AbortSignal.any([signal, closed]);
    try {
      const first = await signed(both);
      let answer = await once(call, both, first);
      if (answer.status === 401) {
        // Refused before its time: another one, once.
        answer = await once(call, both, await signed(both, first.credentials));
        if (answer.status === 401) throw refusedBy(first.credentials);
      }
      if ((answer.status >= 200 && answer.status < 300) || call.also?.includes(answer.status)) return answer;
      throw failureOfStatus(answer.status, answer.headers, clock.now(), said(explain, answer));
    } catch (error) {
      if (closed.aborted && !signal.aborted) throw mailboxClosed();
      throw error;
    }
  };

  return {
    ask,
    signed,
    json: async (call, schema, signal) => readJson(await ask(call, signal), schema),
  };
}

/** Errors: transient `provider-answered-garbage`, `provider-answered-unreadable`, `provider-answer-too-large`. */
export function readJson<T>({ bytes, truncated }: LineAnswer, schema: z.ZodType<T>): T {
  if (truncated) {
    throw new TripwatchError(
      'transient',
      'provider-answer-too-large',
      `The provider's answer is longer than ${bytes.length} bytes and was not read.`,
    );
  }
  const json = jsonOf(bytes);
  if (json === undefined) {
    // Without the parser's error as cause: it quotes what it could not parse.
    throw new TripwatchError(
      'transient',
      'provider-answered-garbage',
      `The provider's answer of ${bytes.length} bytes is no JSON, perhaps cut short. It is asked again.`,
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data;
}

/** Undefined where it is no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

function said(explain: CallsOptions['explain'], { status, bytes }: LineAnswer): Failure | undefined {
  return explain(status, jsonOf(bytes.subarray(0, 64 * 1024)));
}

export function mailboxClosed(): TripwatchError {
  return new TripwatchError('transient', 'mailbox-closed', 'This session of the mailbox has ended. Another is opened.');
}

/** What was given anew is refused too. */
function refusedBy(credentials: Credentials): TripwatchError {
  return credentials.kind === 'token'
    ? new TripwatchError(
        'unauthorised',
        'consent-needed',
        'The mail provider refuses our access to this mailbox. Connect the mailbox again.',
      )
    : new TripwatchError(
        'unauthorised',
        'password-refused',
        'The mail server refuses user name or password. Enter them again; many servers want an app password.',
      );
}

function authorizationOf(credentials: Credentials): string {
  return credentials.kind === 'token'
    ? `Bearer ${credentials.accessToken}`
    : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64')}`;
}
