import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Logger } from '../../../ports/logger.ts';
import { type AuditResult, audit, lookAt, type StreamLook, whySuspect } from './audit.ts';
import type { Checkpoints } from './checkpoints.ts';
import { AUDIT_DEEP_MS, AUDIT_MS, AUDIT_ROWS_MAX, AUDIT_SAMPLE_ROWS } from './limits.ts';
import type { Publisher } from './publisher.ts';
import type { RelayOptions } from './relay.ts';
import type { SettledStream } from './stream.ts';

/** A stream, and by what it was looked at. */
export interface Settled extends SettledStream {
  readonly manager: JetStreamManager;
  readonly connection: NatsConnection;
}

export interface AuditorSources {
  /** The stream as it is now. */
  readonly settle: () => Promise<Settled>;
  /** What the relay knows at present; undefined: it does not publish just now. */
  readonly state: () => RelayState | undefined;
  /** The stream is not the one that the relay publishes to, or has lost its end. */
  readonly onGone: () => void;
}

export interface RelayState {
  readonly publisher: Publisher;
  readonly checkpoints: Checkpoints;
  readonly epoch: string;
}

const NOTHING: AuditResult = { compared: 0, missing: 0 };

/** Looks every ten seconds whether the stream holds what it acknowledged, for one relay. One comparison at a time. */
export class Auditor {
  readonly #options: RelayOptions;
  readonly #logger: Logger;
  readonly #sources: AuditorSources;
  #look: StreamLook | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RelayOptions, logger: Logger, sources: AuditorSources) {
    this.#options = options;
    this.#logger = logger;
    this.#sources = sources;
  }

  /** The relay begins on this stream. */
  begin(stream: Settled): void {
    this.#look = lookAt(stream.info);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let deepAt = clock.monotonic() + AUDIT_DEEP_MS * clock.speed;
    for (;;) {
      await clock.sleep(AUDIT_MS * clock.speed, signal).catch(() => {});
      if (signal.aborted) return;
      const state = this.#sources.state();
      if (state === undefined) continue;
      const { refusal, inFlight } = state.publisher;
      if (refusal !== undefined)
        this.#logger.error({ refusal, inFlight }, 'NATS takes nothing; the log waits in the store, and is read there');
      const deep = clock.monotonic() >= deepAt;
      if (deep) deepAt = clock.monotonic() + AUDIT_DEEP_MS * clock.speed;
      try {
        await this.audit(deep ? 'sample' : 'figures');
      } catch (error) {
        if (!signal.aborted)
          this.#logger.warn({ error: String(error) }, 'the stream could not be compared with the log');
      }
    }
  }

  /**
   * `figures`: asks the stream for its figures, and compares everything where they do not add up. `sample`: also compares
   * the newest rows one by one. `everything`: all since the last place where they are known to agree; an error where
   * NATS is not connected, `transient` `broker-unreachable`.
   */
  audit(how: 'figures' | 'sample' | 'everything'): Promise<AuditResult> {
    const next = this.#last.then(() => this.#audit(how));
    this.#last = next.catch(() => {});
    return next;
  }

  async #audit(how: 'figures' | 'sample' | 'everything'): Promise<AuditResult> {
    const { link, store, prefix, shards, newId, clock } = this.#options;
    const state = this.#sources.state();
    if (state === undefined || link.connection === undefined) {
      if (how !== 'everything') return NOTHING;
      throw new TripwatchError('transient', 'broker-unreachable', `NATS at ${link.where} is not connected.`);
    }
    const { publisher, checkpoints, epoch } = state;
    // Both before the stream is asked: what is acknowledged meanwhile must not look as if it were lost.
    const [to, highest] = [publisher.published, publisher.highest];
    const stream = await this.#sources.settle();
    const look = lookAt(stream.info);
    if (stream.epoch !== epoch || stream.info.state.last_seq < highest) {
      this.#sources.onGone();
      return NOTHING;
    }
    const why = whySuspect(this.#look, look, checkpoints.audited);
    if (why !== undefined) this.#logger.error({ why }, 'the stream has lost messages; comparing it with the log');
    const all = why !== undefined || how === 'everything';
    let result = NOTHING;
    if (all || how === 'sample') {
      const from = checkpoints.atMostBack(to.seq, all ? AUDIT_ROWS_MAX : AUDIT_SAMPLE_ROWS);
      const { manager, connection } = stream;
      const parts = { store, connection, manager, stream: stream.info.config.name, prefix, shards, mark: newId() };
      result = await audit({ ...parts, from, to });
      if (result.missing > 0)
        this.#logger.error({ ...result }, 'events that NATS had acknowledged and lost were published again');
    }
    this.#look = look;
    checkpoints.agreed(clock.monotonic() / clock.speed);
    return result;
  }
}
