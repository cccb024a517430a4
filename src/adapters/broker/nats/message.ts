import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import type { CarriedRow } from './feed.ts';

/**
 * How a row of the log looks as a NATS message. The body is the event, a CloudEvent in structured mode; the headers are
 * for those who need the log's order. Subject: `<prefix>.log.<topic>.<shard>`, the topic's dots as dashes, so that the
 * number of parts is the same for all.
 */
const SEQ = 'Tripwatch-Seq';
const PREV = 'Tripwatch-Prev';
const AT = 'Tripwatch-At';
const KEY = 'Tripwatch-Key';
const TENANT = 'Tripwatch-Tenant';
/** The event is larger than the server takes: the body is empty, and the event is in the store (REST). */
const BODY = 'Tripwatch-Body';
const MESSAGE_ID = 'Nats-Msg-Id';

/** A row of the log with its place, as the relay reads it. */
export interface RelayedRow extends CarriedRow {
  readonly topic: string;
  readonly shard: number;
}

export interface Outgoing {
  readonly seq: number;
  readonly id: string;
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly body: Uint8Array;
}

/** A prefix for subjects and streams: letters, digits, dashes. */
export const PREFIX_PATTERN = /^[A-Za-z0-9-]{1,32}$/;

export function subjectOf(prefix: string, topic: string, shard: number): string {
  return `${prefix}.log.${topic.replaceAll('.', '-')}.${shard}`;
}

/** All topics of a shard. */
export function shardSubject(prefix: string, shard: number): string {
  return `${prefix}.log.*.${shard}`;
}

export function streamName(prefix: string, relay: number): string {
  return `${prefix}-log-${relay}`;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array();

/** `maxBytes`: what the server takes as one message, headers included. */
export function encode(prefix: string, row: RelayedRow, maxBytes: number): Outgoing {
  const head = headers();
  head.set(MESSAGE_ID, row.id);
  head.set('Content-Type', 'application/cloudevents+json');
  head.set(SEQ, String(row.seq));
  head.set(PREV, String(row.prev));
  head.set(AT, String(row.at));
  head.set(TENANT, row.tenant);
  head.set(KEY, encodeURIComponent(row.key));
  let body = encoder.encode(row.body);
  // Headers are well below this: keys and ids are bounded where they are made.
  if (body.byteLength + HEADERS_BYTES_MAX > maxBytes) {
    head.set(BODY, 'store');
    body = NOTHING;
  }
  return { seq: row.seq, id: row.id, subject: subjectOf(prefix, row.topic, row.shard), headers: head, body };
}

const HEADERS_BYTES_MAX = 4096;

/** The same once more under another id, for a server that believes to have it. */
export function again(message: Outgoing, mark: string): Outgoing {
  const head = headers();
  for (const [name, values] of message.headers) for (const value of values) head.append(name, value);
  head.set(MESSAGE_ID, `${message.id}.${mark}`);
  return { ...message, headers: head };
}

/** The number in the log that a message most likely has, from where its answer goes: much cheaper than `decode`. */
export function hintOf({ reply }: Pick<Msg, 'reply'>): number {
  return reply === undefined ? Number.NaN : Number(reply.slice(reply.lastIndexOf('.') + 1));
}

/** Undefined: not a message of ours, or one without its event. */
export function decode(message: Msg): CarriedRow | undefined {
  const head = message.headers;
  if (head === undefined || head.has(BODY)) return undefined;
  const [seq, prev, at] = [Number(head.get(SEQ)), Number(head.get(PREV)), Number(head.get(AT))];
  const [id, tenant] = [head.get(MESSAGE_ID), head.get(TENANT)];
  if (!(Number.isSafeInteger(seq) && seq > 0 && Number.isSafeInteger(prev) && prev >= 0 && prev < seq))
    return undefined;
  if (!Number.isFinite(at) || id === '' || tenant === '') return undefined;
  let key: string;
  try {
    key = decodeURIComponent(head.get(KEY));
  } catch {
    return undefined;
  }
  // An id with an addition was published again by an audit.
  return { seq, prev, id: id.split('.', 1)[0]!, tenant, key, at, body: decoder.decode(message.data) };
}

/** The number in the log that a stored message says it has. */
export function seqOf(head: MsgHdrs | undefined): number | undefined {
  const seq = Number(head?.get(SEQ));
  return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
}
