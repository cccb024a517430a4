import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  ReplayPolicy,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import { RELAY_FLIGHT_MAX, REQUEST_MS } from './limits.ts';
import { again, encode, seqOf } from './message.ts';
import type { Published } from './publisher.ts';
import { readNumbers, readPrevious, readUnpublished, type Shards } from './relay-rows.ts';

/**
 * Compares the log with what the stream holds, row by row, and publishes what is missing: a server may acknowledge and
 * lose it later. Only headers are read, so a row costs a few hundred bytes.
 */
export interface AuditOptions {
  readonly store: SqlStore;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly prefix: string;
  readonly shards: Shards;
  /** Rows after this place, */
  readonly from: Published;
  /** up to this one, both acknowledged. */
  readonly to: Published;
  /** Makes the ids of what is published again differ, for a server that believes to have it. */
  readonly mark: string;
}

export interface AuditResult {
  readonly compared: number;
  readonly missing: number;
}

/** Messages asked for at once. */
const FETCH_MAX = 2000;
const NUMBERS_MAX = 5000;
/** Published again at once. */
const AGAIN_MAX = 64;
/** A row sent again may stand behind later ones: so far the comparison begins before its place. */
const SLACK = RELAY_FLIGHT_MAX * 4;

export async function audit(options: AuditOptions): Promise<AuditResult> {
  const { store, shards, from, to } = options;
  if (to.seq <= from.seq) return { compared: 0, missing: 0 };
  const held = await heldNumbers(options);
  let compared = 0;
  const missing: number[] = [];
  for (let after = from.seq; ; ) {
    const range = { shards, after, upTo: to.seq, limit: NUMBERS_MAX };
    const numbers = await store.read(({ db }) => readNumbers(db, range));
    for (const seq of numbers) if (!held.has(seq)) missing.push(seq);
    compared += numbers.length;
    if (numbers.length < NUMBERS_MAX) break;
    after = numbers.at(-1)!;
  }
  for (let i = 0; i < missing.length; i += AGAIN_MAX)
    await Promise.all(missing.slice(i, i + AGAIN_MAX).map((seq) => publishAgain(options, seq)));
  return { compared, missing: missing.length };
}

/** The numbers in the log of what the stream holds of the range, and some before it. Throws where it could not be read to the end. */
async function heldNumbers({ connection, manager, stream, from, to }: AuditOptions): Promise<ReadonlySet<number>> {
  const held = new Set<number>();
  const consumer = await manager.consumers.add(stream, {
    name: `tripwatch-audit-${crypto.randomUUID()}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, from.streamSeq - SLACK),
    replay_policy: ReplayPolicy.Instant,
    headers_only: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(REQUEST_MS * 2),
  });
  try {
    let left = consumer.num_pending;
    const reader = await jetstream(connection).consumers.get(stream, consumer.name);
    while (left > 0) {
      const before = left;
      const messages = await reader.fetch({ max_messages: Math.min(left, FETCH_MAX), expires: REQUEST_MS });
      for await (const message of messages) {
        left = message.seq >= to.streamSeq ? 0 : left - 1;
        const seq = seqOf(message.headers);
        if (seq !== undefined) held.add(seq);
      }
      if (left === before) throw new Error(`the stream ${stream} stopped answering after ${held.size} messages`);
    }
  } finally {
    await manager.consumers.delete(stream, consumer.name).catch(() => {});
  }
  return held;
}

async function publishAgain(options: AuditOptions, seq: number): Promise<void> {
  const { store, connection, shards, prefix, mark } = options;
  const found = await store.read(async ({ db }) => {
    const [row] = await readUnpublished(db, { shards, after: seq - 1, upTo: seq, limit: 1 });
    return row && { ...row, prev: await readPrevious(db, row) };
  });
  if (found === undefined) return;
  const message = encode(prefix, found, connection.info?.max_payload ?? Number.POSITIVE_INFINITY);
  const js = jetstream(connection, { timeout: REQUEST_MS });
  const { subject, body, headers } = message;
  const answer = await js.publish(subject, body, { headers });
  // The server still knows the id of what it has lost.
  if (answer.duplicate) await js.publish(subject, body, { headers: again(message, mark).headers });
}

/** What an earlier look at the stream saw, for comparison with the next. */
export interface StreamLook {
  readonly deleted: number;
  readonly lost: number;
  readonly firstSeq: number;
}

export function lookAt({ state }: StreamInfo): StreamLook {
  return { deleted: state.num_deleted ?? 0, lost: state.lost?.msgs?.length ?? 0, firstSeq: state.first_seq };
}

/** Why the stream may have lost something after `audited`; undefined: nothing speaks for it. */
export function whySuspect(before: StreamLook | undefined, now: StreamLook, audited: Published): string | undefined {
  if (now.lost > (before?.lost ?? 0)) return 'the server says that messages are damaged';
  if (now.deleted > (before?.deleted ?? 0)) return 'messages in the middle are gone';
  if (now.firstSeq > audited.streamSeq + 1 && now.firstSeq > (before?.firstSeq ?? 1)) return 'the beginning is gone';
  return undefined;
}
