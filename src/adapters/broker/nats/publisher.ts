import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Clock } from '../../../ports/clock.ts';
import {
  ACK_MS,
  FRESH_ACK_MS,
  FRESH_MS,
  REFUSED_MS_MAX,
  REFUSED_MS_MIN,
  RELAY_FLIGHT_CHARS_MAX,
  RELAY_FLIGHT_MAX,
  SWEEP_MS,
} from './limits.ts';
import type { NatsLink } from './link.ts';
import type { Outgoing } from './message.ts';

/** Where a row went. */
export interface Published {
  readonly seq: number;
  /** The highest number in the stream of those up to here. */
  readonly streamSeq: number;
}

interface Flight {
  readonly message: Outgoing;
  /** Its number in the log, which whoever hears it may look at (`hintOf`). */
  readonly token: string;
  tries: number;
  /** The highest number that the stream had given when this was sent first: it cannot get a lower one. */
  readonly above: number;
  /** When it is sent again, by the monotonic clock; undefined: not sent yet. */
  againAt: number | undefined;
  /** Its number in the stream, once it has one. */
  streamSeq: number | undefined;
}

/** `gone`: perhaps no stream takes what is published. `lost`: the stream has given a number that it had given before. */
export type Suspicion = 'gone' | 'lost';

export interface PublisherListeners {
  /** Room again, or everything is acknowledged. */
  readonly onProgress: () => void;
  readonly onSuspicion: (of: Suspicion) => void;
}

interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly description?: string; readonly err_code?: number };
}

/**
 * Publishes to JetStream, many at a time, each until it is acknowledged: sent again with the same id after a refusal, a
 * silence, or a new connection. What was sent is acknowledged in any order; `published` moves only over what is
 * acknowledged without a hole. Half of the client's own way of publishing is timers and promises for each message: here
 * one subscription takes all answers (measured: twice as fast).
 */
export class Publisher {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #listeners: PublisherListeners;
  readonly #inbox = createInbox();
  /** In order of the log. */
  #flight: Flight[] = [];
  #head = 0;
  readonly #byToken = new Map<string, Flight>();
  #bytes = 0;
  #published: Published;
  /** The highest number that the stream has given. */
  #highest: number;
  #repeats = 0;
  #refusal: string | undefined;
  #connection: NatsConnection | undefined;
  #connectedAt = Number.NEGATIVE_INFINITY;
  #answers: Subscription | undefined;
  #sweeping = false;
  readonly #closing = new AbortController();
  readonly #unlisten: () => void;

  constructor(link: NatsLink, clock: Clock, from: Published, listeners: PublisherListeners) {
    this.#link = link;
    this.#clock = clock;
    this.#published = from;
    this.#highest = from.streamSeq;
    this.#listeners = listeners;
    this.#unlisten = link.onChange(() => this.#connect());
    this.#connect();
  }

  get published(): Published {
    return this.#published;
  }

  get highest(): number {
    return this.#highest;
  }

  get hasRoom(): boolean {
    return this.inFlight < RELAY_FLIGHT_MAX && this.#bytes < RELAY_FLIGHT_CHARS_MAX;
  }

  get inFlight(): number {
    return this.#flight.length - this.#head;
  }

  /** Messages sent more than once. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Why the oldest is not acknowledged, where the server said so. */
  get refusal(): string | undefined {
    return this.inFlight === 0 ? undefined : this.#refusal;
  }

  add(message: Outgoing): void {
    const token = String(message.seq);
    const flight: Flight = {
      message,
      token,
      tries: 0,
      above: this.#highest,
      againAt: undefined,
      streamSeq: undefined,
    };
    this.#flight.push(flight);
    this.#byToken.set(token, flight);
    this.#bytes += message.body.byteLength;
    this.#send(flight);
    void this.#sweep();
  }

  stop(): void {
    this.#closing.abort();
    this.#unlisten();
    this.#answers?.unsubscribe();
    this.#answers = undefined;
    this.#flight = [];
    this.#head = 0;
    this.#byToken.clear();
  }

  /** A connection came or went: answers to what was sent before do not come any more. */
  #connect(): void {
    const connection = this.#link.connection;
    if (connection === undefined || this.#closing.signal.aborted) return;
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#answers = connection.subscribe(`${this.#inbox}.*`, {
        callback: (error, message) => {
          if (error === null) this.#answered(message);
        },
      });
    }
    this.#connectedAt = this.#clock.monotonic();
    for (const flight of this.#open()) this.#send(flight);
  }

  *#open(): IterableIterator<Flight> {
    for (let i = this.#head; i < this.#flight.length; i++) {
      const flight = this.#flight[i]!;
      if (flight.streamSeq === undefined) yield flight;
    }
  }

  #send(flight: Flight): void {
    const connection = this.#link.connection;
    if (connection === undefined || connection !== this.#connection) return;
    if (flight.tries++ > 0) this.#repeats++;
    // A server that has just been started takes connections before its streams.
    flight.againAt = this.#in(
      this.#clock.monotonic() < this.#connectedAt + FRESH_MS * this.#clock.speed ? FRESH_ACK_MS : ACK_MS,
    );
    const { subject, body, headers } = flight.message;
    connection.publish(subject, body, { headers, reply: `${this.#inbox}.${flight.token}` });
  }

  #answered(message: Msg): void {
    const flight = this.#byToken.get(message.subject.slice(this.#inbox.length + 1));
    if (flight === undefined || flight.streamSeq !== undefined) return;
    if (message.data.byteLength === 0) {
      // Nobody took it: no stream with this subject, or none that has a leader.
      this.#refused(flight, `no stream takes ${flight.message.subject}`);
      this.#listeners.onSuspicion('gone');
      return;
    }
    let answer: Answer;
    try {
      answer = message.json<Answer>();
    } catch {
      answer = { error: { description: 'an answer that cannot be read' } };
    }
    if (answer.seq === undefined || answer.seq < 1) {
      this.#refused(flight, answer.error?.description ?? 'an answer without a number');
      return;
    }
    if (answer.duplicate !== true && answer.seq <= flight.above) this.#listeners.onSuspicion('lost');
    flight.streamSeq = answer.seq;
    this.#byToken.delete(flight.token);
    this.#highest = Math.max(this.#highest, answer.seq);
    this.#settle();
  }

  #refused(flight: Flight, reason: string): void {
    this.#refusal = reason;
    flight.againAt = this.#in(Math.min(REFUSED_MS_MAX, REFUSED_MS_MIN * 2 ** Math.min(flight.tries, 10)));
  }

  #settle(): void {
    const full = !this.hasRoom;
    let streamSeq = this.#published.streamSeq;
    let last: Flight | undefined;
    for (let flight = this.#flight[this.#head]; flight?.streamSeq !== undefined; flight = this.#flight[++this.#head]) {
      last = flight;
      this.#bytes -= flight.message.body.byteLength;
      streamSeq = Math.max(streamSeq, flight.streamSeq);
    }
    if (last === undefined) return;
    this.#published = { seq: last.message.seq, streamSeq };
    this.#refusal = undefined;
    if (this.#head === this.#flight.length || this.#head > RELAY_FLIGHT_MAX) {
      this.#flight = this.#flight.slice(this.#head);
      this.#head = 0;
    }
    if ((full && this.hasRoom) || this.inFlight === 0) this.#listeners.onProgress();
  }

  /** While something is under way: sends again what had no answer, or a refusal, for long enough. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { signal } = this.#closing;
    while (this.inFlight > 0 && !signal.aborted) {
      await this.#clock.sleep(SWEEP_MS * this.#clock.speed, signal).catch(() => {});
      const now = this.#clock.monotonic();
      let silent = false;
      for (const flight of this.#open()) {
        if (flight.againAt !== undefined && flight.againAt > now) continue;
        silent ||= flight.againAt !== undefined;
        this.#send(flight);
      }
      // Where a feed listens to the subject, nobody says that no stream does.
      if (silent && this.#link.connection !== undefined) this.#listeners.onSuspicion('gone');
    }
    this.#sweeping = false;
  }

  #in(ms: number): number {
    return this.#clock.monotonic() + ms * this.#clock.speed;
  }
}
