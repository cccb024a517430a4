import type { JetStreamManager } from '@nats-io/jetstream';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import { apiCode, MESSAGE_NOT_FOUND } from './errors.ts';
import { seqOf } from './message.ts';
import { type RelayPlace, readPlace, readSlowest, type Shards, writePlace } from './relay-rows.ts';
import type { SettledStream } from './stream.ts';

export interface BeginOptions {
  readonly relay: number;
  readonly shards: Shards;
  readonly store: SqlStore;
  readonly lease: Lease;
  readonly manager: JetStreamManager;
  readonly stream: SettledStream;
  readonly logger: Logger;
}

/**
 * From where a relay publishes, stored. Usually where the last one stopped; further back where the stream is not the one
 * it was: in a new one from the oldest event that some consumer has not done, in one that has lost its end from there.
 * Going back too far is harmless. Errors: `stale` `lease-lost`.
 */
export async function beginRelay(options: BeginOptions): Promise<RelayPlace> {
  const { relay, store, lease, logger, stream } = options;
  const before = await store.read(({ db }) => readPlace(db, relay));
  const place = await placeIn(options, before);
  if (before === undefined) logger.info({ seq: place.seq }, 'the log is published from here on');
  else if (place.seq < before.seq)
    logger.warn(
      { from: before.seq, to: place.seq, epoch: stream.epoch },
      'the stream was made anew or has lost its end; the log is published from further back',
    );
  // Also where nothing changed: a lease that is not ours any more is found out here.
  await store.transact(({ db }) => writePlace(db, relay, place), { fence: lease });
  return place;
}

async function placeIn(options: BeginOptions, before: RelayPlace | undefined): Promise<RelayPlace> {
  const { store, shards, stream } = options;
  const { epoch, info } = stream;
  if (before !== undefined && before.epoch === epoch && info.state.last_seq >= before.streamSeq) return before;
  const slowest = await store.read(({ db }) => readSlowest(db, shards));
  if (before === undefined || before.epoch !== epoch) {
    const seq = Math.min(before?.seq ?? Number.POSITIVE_INFINITY, slowest ?? before?.seq ?? 0);
    return { seq, streamSeq: 0, auditedSeq: seq, auditedStreamSeq: 0, epoch };
  }
  const last = await lastNumber(options);
  const seq = Math.min(before.seq, last ?? slowest ?? 0);
  const streamSeq = info.state.last_seq;
  return {
    seq,
    streamSeq,
    auditedSeq: Math.min(before.auditedSeq, seq),
    auditedStreamSeq: Math.min(before.auditedStreamSeq, streamSeq),
    epoch,
  };
}

/** The number in the log of the last message of the stream; undefined: it is empty, or its last was removed. */
async function lastNumber({ manager, stream: { info } }: BeginOptions): Promise<number | undefined> {
  if (info.state.messages === 0) return undefined;
  try {
    const message = await manager.streams.getMessage(info.config.name, { seq: info.state.last_seq });
    return seqOf(message?.header);
  } catch (error) {
    if (apiCode(error) === MESSAGE_NOT_FOUND) return undefined;
    throw error;
  }
}
