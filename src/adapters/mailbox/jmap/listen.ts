import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { failureOfStatus, failureOfTransport } from '../../provider/http/failures.ts';
import type { HttpLine, OpenAnswer } from '../../provider/http/line.ts';
import type { Calls } from '../api/calls.ts';
import { expand } from './api.ts';
import { eventSchema } from './schema.ts';
import { createSseReader } from './sse.ts';

export interface ListenOptions {
  readonly line: HttpLine;
  readonly calls: Calls;
  readonly clock: Clock;
  /** Template of the session. */
  readonly url: string;
  readonly accountId: string;
  /** How often the server is to say that it is there; RFC 8620 lets it choose from 30 to 300 s. */
  readonly pingSeconds?: number;
}

const PING_S = 60;
/** More than two pings and the way: then the line is dead, whatever TCP believes. */
const SILENCE_FACTOR = 2.5;
/** A stream that ends in good order is opened again at once, but not for ever. */
const REOPEN_MS_MIN = 100;
const REOPEN_MS_MAX = 30_000;
const SHORT_LIVES_MAX = 3;
const SHORT_MS = 5000;

/**
 * Listens to the server's event stream (RFC 8620, section 7.3). Goes on where it was, by `Last-Event-ID`; what was missed
 * while nobody listened is woken for at each beginning. One of these a session.
 */
export function createListener(options: ListenOptions): (wake: () => void, signal: AbortSignal) => Promise<void> {
  const { clock, pingSeconds = PING_S } = options;
  let lastEventId = '';
  let retryMs = REOPEN_MS_MIN;

  const once = async (wake: () => void, signal: AbortSignal): Promise<void> => {
    const stream = await openStream(options, pingSeconds, lastEventId, signal);
    // What came before the stream was open is not told by it.
    wake();
    const read = createSseReader();
    let allowedMs = pingSeconds * 1000 * SILENCE_FACTOR;
    const silence = watchdog(stream, () => allowedMs);
    try {
      for await (const chunk of stream.body) {
        silence.heard();
        for (const message of read(chunk)) {
          if (message.id !== undefined) lastEventId = message.id;
          if (message.retryMs !== undefined)
            retryMs = Math.min(REOPEN_MS_MAX, Math.max(REOPEN_MS_MIN, message.retryMs));
          // The server says at which pace it pings, where that is not ours.
          if (message.event === 'ping') allowedMs = intervalOf(message.data, pingSeconds) * 1000 * SILENCE_FACTOR;
          if (message.event === 'state' && concerns(message.data, options.accountId)) wake();
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (silence.expired()) throw silent(allowedMs);
      throw failureOfTransport(error, new URL(options.url.replace(/[{}]/g, '')).origin, signal);
    } finally {
      silence.stop();
      stream.body.destroy();
    }
    if (silence.expired()) throw silent(allowedMs);
  };

  return async (wake, signal) => {
    for (let shortLives = 0; !signal.aborted; ) {
      const from = clock.monotonic();
      try {
        await once(wake, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      shortLives = clock.monotonic() - from < SHORT_MS ? shortLives + 1 : 0;
      if (shortLives >= SHORT_LIVES_MAX && !signal.aborted) {
        throw new TripwatchError(
          'transient',
          'mailbox-closed',
          'The mail server ends its event stream again and again.',
        );
      }
      await clock.sleep(retryMs, signal).catch(() => {});
    }
  };
}

async function openStream(
  { line, calls, clock, url }: ListenOptions,
  ping: number,
  lastEventId: string,
  signal: AbortSignal,
): Promise<OpenAnswer> {
  const target = expand(url, { types: 'Email,EmailDelivery', closeafter: 'no', ping: String(ping) });
  const open = (headers: Readonly<Record<string, string>>) =>
    line.open(
      {
        url: target,
        headers: {
          ...headers,
          accept: 'text/event-stream',
          ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
        },
      },
      signal,
    );
  const first = await calls.signed(signal);
  let stream = await open(first.headers);
  if (stream.status === 401) {
    stream.body.destroy();
    stream = await open((await calls.signed(signal, first.credentials)).headers);
  }
  if (stream.status === 204) {
    stream.body.destroy();
    throw new TripwatchError(
      'permanent',
      'mailbox-tells-nothing',
      'The mail server offers an event stream and has switched it off. The mailbox is looked at every few minutes.',
    );
  }
  if (stream.status === 200 && /^text\/event-stream/i.test(stream.headers['content-type'] ?? '')) return stream;
  stream.body.destroy();
  throw failureOfStatus(stream.status === 200 ? 502 : stream.status, stream.headers, clock.now());
}

/** Ends the stream when nothing has been heard for so long, real time. */
function watchdog(stream: OpenAnswer, allowedMs: () => number) {
  let expired = false;
  let timer: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    timer = setTimeout(() => {
      expired = true;
      stream.body.destroy();
    }, allowedMs());
  };
  arm();
  return {
    heard: () => {
      clearTimeout(timer);
      arm();
    },
    stop: () => clearTimeout(timer),
    expired: () => expired,
  };
}

function silent(ms: number): TripwatchError {
  const seconds = Math.round(ms / 1000);
  return new TripwatchError(
    'transient',
    'provider-timeout',
    `The mail server's event stream was silent for ${seconds} s.`,
  );
}

function intervalOf(data: string, normal: number): number {
  try {
    const { interval } = JSON.parse(data) as { interval?: unknown };
    return typeof interval === 'number' && interval >= 1 && interval <= 900 ? interval : normal;
  } catch {
    return normal;
  }
}

function concerns(data: string, accountId: string): boolean {
  try {
    const event = eventSchema.safeParse(JSON.parse(data));
    // What cannot be read wakes too: a look costs little.
    return !event.success || event.data.changed[accountId] !== undefined;
  } catch {
    return true;
  }
}
