import {
  DiscardPolicy,
  type JetStreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { TripwatchError } from '../../../domain/errors.ts';
import { apiCode, REPLICAS_NOT_SUPPORTED, STREAM_NAME_EXISTS, STREAM_NOT_FOUND } from './errors.ts';

/** A stream as it must be. */
export interface StreamSettings {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly replicas: number;
  /** Messages are kept at least so long. */
  readonly keepMs: number;
  /** Of the store whose log it carries: two installations must not share a stream. */
  readonly installation: string;
}

export interface SettledStream {
  readonly info: StreamInfo;
  /** Changes whenever the stream is made anew. */
  readonly epoch: string;
}

const INSTALLATION = 'tripwatch-installation';
const EPOCH = 'tripwatch-epoch';
/** The server forgets ids after this; repeats come seconds after the first, so two minutes are plenty. */
const DUPLICATES_MS = 120_000;

/**
 * The stream, made where there is none, and checked. Errors: `permanent` `broker-stream-unsafe` (it would lose messages
 * without anyone hearing of it; the message says how to mend it), `broker-stream-foreign`; those of JetStream.
 */
export async function settleStream(
  manager: JetStreamManager,
  wanted: StreamSettings,
  newEpoch: () => string,
): Promise<SettledStream> {
  const info = (await findStream(manager, wanted.name)) ?? (await makeStream(manager, wanted, newEpoch()));
  const { metadata = {} } = info.config;
  const owner = metadata[INSTALLATION];
  if (owner !== wanted.installation)
    throw new TripwatchError(
      'permanent',
      'broker-stream-foreign',
      `The stream ${wanted.name} belongs to ${owner === undefined ? 'something else' : 'another installation'}. Set another prefix, or delete it: nats stream rm ${wanted.name}`,
    );
  const faults = streamFaults(info.config, wanted);
  if (faults.length > 0)
    throw new TripwatchError(
      'permanent',
      'broker-stream-unsafe',
      `The stream ${wanted.name} would lose events silently: ${faults.join('; ')}.`,
    );
  return { info, epoch: metadata[EPOCH] ?? '' };
}

/** Undefined: there is none. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function makeStream(manager: JetStreamManager, wanted: StreamSettings, epoch: string): Promise<StreamInfo> {
  const { name, subjects, replicas, keepMs, installation } = wanted;
  try {
    return await manager.streams.add({
      name,
      description: 'The log of Tripwatch: every event, in order of its commit.',
      subjects: [...subjects],
      num_replicas: replicas,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(keepMs),
      duplicate_window: nanos(Math.min(DUPLICATES_MS, keepMs)),
      allow_direct: true,
      metadata: { [INSTALLATION]: installation, [EPOCH]: epoch },
    });
  } catch (error) {
    if (apiCode(error) === REPLICAS_NOT_SUPPORTED)
      throw new TripwatchError(
        'permanent',
        'broker-stream-unsafe',
        `${replicas} copies of the stream ${name} are wanted, but the server is in no cluster. Set one replica, or name a cluster of three.`,
        { cause: error },
      );
    // Another process was faster.
    const found = apiCode(error) === STREAM_NAME_EXISTS ? await findStream(manager, name) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** What about a stream would lose events without a word, each with its remedy. */
export function streamFaults(config: StreamConfig, wanted: StreamSettings): readonly string[] {
  const faults: string[] = [];
  const edit = `nats stream edit ${wanted.name}`;
  const anew = `delete it, and it is made anew: nats stream rm ${wanted.name}`;
  const check = (fault: boolean, what: string, remedy: string) => {
    if (fault) faults.push(`${what} (${remedy})`);
  };
  check(config.storage !== StorageType.File, 'it is kept in memory', anew);
  check(config.retention !== RetentionPolicy.Limits, `its retention is ${config.retention}`, anew);
  check(config.persist_mode === PersistMode.Async, 'it acknowledges before it writes (persist_mode async)', anew);
  check(config.sealed, 'it is sealed', anew);
  check(config.mirror !== undefined, 'it mirrors another', anew);
  check(
    config.num_replicas < wanted.replicas,
    `it has ${config.num_replicas} of ${wanted.replicas} replicas`,
    `${edit} --replicas ${wanted.replicas}`,
  );
  check(config.discard !== DiscardPolicy.Old, 'it refuses events when it is full', `${edit} --discard old`);
  check(
    config.max_age !== 0 && config.max_age < nanos(wanted.keepMs),
    `it keeps events for ${Math.round(config.max_age / 1e9)} s instead of ${Math.round(wanted.keepMs / 1000)} s`,
    `${edit} --max-age ${Math.round(wanted.keepMs / 1000)}s`,
  );
  check(config.max_msgs > 0, `it keeps ${config.max_msgs} events only`, `${edit} --max-msgs -1`);
  check(config.max_bytes > 0, `it keeps ${config.max_bytes} bytes only`, `${edit} --max-bytes -1`);
  check(
    config.max_msgs_per_subject > 0,
    `it keeps ${config.max_msgs_per_subject} events of a topic's shard only`,
    `${edit} --max-msgs-per-subject -1`,
  );
  check(config.no_ack === true, 'it does not acknowledge', `${edit} --ack`);
  check(config.subject_transform !== undefined, 'it renames subjects', `${edit} without the transform`);
  const missing = wanted.subjects.filter((subject) => !config.subjects.includes(subject));
  check(
    missing.length > 0,
    `it does not take ${missing.join(', ')}`,
    `${edit} --subjects ${wanted.subjects.join(',')}`,
  );
  return faults;
}
