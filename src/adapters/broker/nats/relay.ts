import { jetstreamManager } from '@nats-io/jetstream';
import { TripwatchError } from '../../../domain/errors.ts';
import { LAG_COUNT_MAX } from '../../../domain/limits.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { RecentReader } from '../../store/sql/recent.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import { Wake } from '../wake.ts';
import type { AuditResult } from './audit.ts';
import { Auditor, type Settled } from './auditor.ts';
import { Checkpoints } from './checkpoints.ts';
import { translate } from './errors.ts';
import {
  HAND_OVER_MS,
  REFUSED_MS_MAX,
  REFUSED_MS_MIN,
  RELAY_MARK_MS,
  RELAY_POLL_MS,
  RELAY_READ_MAX,
  REQUEST_MS,
} from './limits.ts';
import type { NatsLink } from './link.ts';
import { encode, type RelayedRow } from './message.ts';
import { Publisher, type Suspicion } from './publisher.ts';
import { beginRelay } from './relay-begin.ts';
import {
  type RelayPlace,
  readLag,
  readPlace,
  readPrevious,
  readUnpublished,
  type Shards,
  writePlace,
} from './relay-rows.ts';
import { type StreamSettings, settleStream } from './stream.ts';

export interface RelayOptions {
  readonly relay: number;
  readonly shards: Shards;
  readonly prefix: string;
  readonly stream: StreamSettings;
  readonly store: SqlStore;
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  /** The lease was found taken by another; it has let go. */
  readonly onLost: () => void;
}

export interface RelayFigures {
  /** Rows of the log that are not published yet, counted up to a bound, and when the first of them was appended. */
  readonly waiting: number;
  readonly oldestAt: number | undefined;
}

/**
 * Publishes the log, in order, from the place that is stored, and stores how far everything is acknowledged. It steps
 * over nothing; what NATS does not take waits in the log. Repeats after a crash or a lost answer fall away by their id
 * in the stream, and by their number at every feed.
 *
 * A life (`#live`) goes from a checked stream to the moment at which it must be checked from the beginning. The lease
 * keeps two relays from doing the same work; where they overlap, the store refuses the place of the older one.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #lease: Lease;
  readonly #logger: Logger;
  readonly #wake = new Wake();
  readonly #recent: RecentReader;
  /** Others may have appended: what this process has appended itself is not all. */
  #mayHaveOthers = true;
  #othersReadAt = Number.NEGATIVE_INFINITY;
  readonly #ending = new AbortController();
  #lost = false;
  #place: RelayPlace | undefined;
  #publisher: Publisher | undefined;
  #checkpoints = new Checkpoints();
  #suspicion: Suspicion | undefined;
  #marking: Promise<void> | undefined;
  #markFault: unknown;
  #markedAt = 0;
  readonly #auditor: Auditor;
  readonly #unlisten: () => void;
  readonly #running: Promise<void>;

  constructor(options: RelayOptions, lease: Lease) {
    this.#options = options;
    this.#lease = lease;
    this.#logger = options.logger.child({ relay: options.relay });
    this.#recent = options.store.recent.follow();
    this.#unlisten = options.link.onChange((up) => {
      if (up) this.#suspicion ??= 'gone';
      this.#wake.notify();
    });
    this.#auditor = new Auditor(options, this.#logger, {
      settle: () => this.#settle(),
      state: () =>
        this.#publisher &&
        this.#place && { publisher: this.#publisher, checkpoints: this.#checkpoints, epoch: this.#place.epoch },
      onGone: () => {
        this.#suspicion ??= 'gone';
        this.#wake.notify();
      },
    });
    this.#running = this.#run();
  }

  /** Something was appended. `ours`: by this process. */
  wake(ours: boolean): void {
    if (!ours) this.#mayHaveOthers = true;
    this.#wake.notify();
  }

  /** `hand-over`: what is under way gets a moment to be acknowledged, and the place is stored. `lost`: lets go at once. */
  async stop(how: 'hand-over' | 'lost'): Promise<void> {
    if (how === 'lost') this.#lost = true;
    this.#ending.abort();
    this.#wake.notify();
    await this.#running;
    this.#recent.stop();
    this.#unlisten();
  }

  async figures(): Promise<RelayFigures> {
    return readFigures(this.#options.store, this.#options.relay, this.#options.shards);
  }

  /**
   * Compares log and stream now, since the last place where they are known to agree. One at a time. Errors: `transient`
   * where NATS does not answer.
   */
  audit(): Promise<AuditResult> {
    return this.#auditor.audit('everything');
  }

  get #ended(): boolean {
    return this.#ending.signal.aborted;
  }

  async #run(): Promise<void> {
    const { link, relay, onLost } = this.#options;
    void this.#auditor.run(this.#ending.signal);
    for (let faults = 0; !this.#ended; ) {
      try {
        await this.#live();
        faults = 0;
      } catch (error) {
        const fault = translate(error, link.where);
        if (fault instanceof TripwatchError && fault.code === 'lease-lost') {
          this.#logger.warn({ relay }, 'another process publishes the log now');
          this.#lost = true;
          this.#ending.abort();
          onLost();
        } else if (!this.#ended) {
          const fields = { error: fault instanceof Error ? fault.message : String(fault) };
          if (fault instanceof TripwatchError && fault.kind === 'permanent')
            this.#logger.error({ code: fault.code, ...fields }, 'the log cannot be published');
          else this.#logger.warn(fields, 'the log is not published just now; trying again');
          await this.#pause(Math.min(REFUSED_MS_MAX, REFUSED_MS_MIN * 2 ** Math.min(faults++, 10)));
        }
      } finally {
        await this.#marking;
        this.#publisher?.stop();
        this.#publisher = undefined;
      }
    }
  }

  async #live(): Promise<void> {
    const { link, clock } = this.#options;
    while (link.connection === undefined) {
      if (this.#ended) return;
      await this.#wake.wait(clock, undefined, this.#ending.signal);
    }
    this.#suspicion = undefined;
    const stream = await this.#settle();
    const place = await beginRelay({
      ...this.#options,
      lease: this.#lease,
      manager: stream.manager,
      stream,
      logger: this.#logger,
    });
    this.#begin(place, stream);
    const publisher = new Publisher(link, clock, place, {
      onProgress: () => this.#wake.notify(),
      onSuspicion: (of) => {
        if (of === 'lost' || this.#suspicion === undefined) this.#suspicion = of;
        this.#wake.notify();
      },
    });
    this.#publisher = publisher;
    const previous = new Map<string, number>();
    this.#mayHaveOthers = true;
    let position = place.seq;
    while (!this.#ended) {
      if (this.#suspicion !== undefined && link.connection !== undefined && (await this.#mustBeginAnew())) return;
      this.#markIfDue();
      if (link.connection === undefined || !publisher.hasRoom) {
        await this.#wake.wait(clock, RELAY_MARK_MS * clock.speed, this.#ending.signal);
        continue;
      }
      const { rows, readTo } = this.#readRecent(position, previous) ?? (await this.#readOthers(position, previous));
      const maxBytes = link.connection?.info?.max_payload ?? 1024 * 1024;
      for (const row of rows) publisher.add(encode(this.#options.prefix, row, maxBytes));
      position = readTo;
      if (rows.length === 0) await this.#wake.wait(clock, this.#restMs() * clock.speed, this.#ending.signal);
    }
    await this.#handOver(publisher);
  }

  /** What this process has appended itself; undefined: it may not be all that comes next. */
  #readRecent(after: number, previous: Map<string, number>): Read | undefined {
    const { shards, clock } = this.#options;
    const rows = this.#recent.after(after, RELAY_READ_MAX);
    const overdue = clock.monotonic() >= this.#othersReadAt + RELAY_POLL_MS * clock.speed;
    if (rows === undefined || (rows.length === 0 && (this.#mayHaveOthers || overdue))) return undefined;
    const mine = shards === undefined ? rows : rows.filter(({ shard }) => shards.includes(shard));
    // The first of a line: the store knows the one before it.
    if (mine.some((row) => !previous.has(lineOf(row)))) return undefined;
    const linked = mine.map((row) => {
      const prev = previous.get(lineOf(row))!;
      previous.set(lineOf(row), row.seq);
      return { ...row, prev };
    });
    return { rows: linked, readTo: rows.at(-1)?.seq ?? after };
  }

  async #readOthers(after: number, previous: Map<string, number>): Promise<Read> {
    const { store, shards, clock } = this.#options;
    this.#mayHaveOthers = false;
    this.#othersReadAt = clock.monotonic();
    const rows = await store.read(async ({ db }) => {
      const found = await readUnpublished(db, { shards, after, limit: RELAY_READ_MAX });
      const linked = [];
      for (const row of found) {
        const line = lineOf(row);
        const prev = previous.get(line) ?? (await readPrevious(db, row));
        previous.set(line, row.seq);
        linked.push({ ...row, prev });
      }
      return linked;
    });
    if (rows.length === RELAY_READ_MAX) this.#mayHaveOthers = true;
    return { rows, readTo: rows.at(-1)?.seq ?? after };
  }

  #begin(place: RelayPlace, stream: Settled): void {
    this.#place = place;
    this.#checkpoints = new Checkpoints({ seq: place.auditedSeq, streamSeq: place.auditedStreamSeq });
    this.#auditor.begin(stream);
    this.#markedAt = this.#options.clock.monotonic();
  }

  async #settle(): Promise<Settled> {
    const { link, stream, newId } = this.#options;
    const connection = link.connection;
    if (connection === undefined) throw new Error('the connection broke');
    const manager = await jetstreamManager(connection, { timeout: REQUEST_MS, checkAPI: false });
    return { ...(await settleStream(manager, stream, newId)), manager, connection };
  }

  /** Looks at the stream after something that may have to do with it. True: it is not the one it was. */
  async #mustBeginAnew(): Promise<boolean> {
    const suspicion = this.#suspicion;
    this.#suspicion = undefined;
    // Read before the stream is asked: what is acknowledged meanwhile must not look as if it were lost.
    const highest = this.#publisher?.highest ?? 0;
    let stream: Settled;
    try {
      stream = await this.#settle();
    } catch (error) {
      const fault = translate(error, this.#options.link.where);
      if (fault instanceof TripwatchError && fault.kind === 'permanent') throw fault;
      // No leader, perhaps: what is under way is sent again until there is one.
      this.#suspicion ??= suspicion;
      await this.#pause(REFUSED_MS_MIN);
      return false;
    }
    if (stream.epoch !== this.#place?.epoch || stream.info.state.last_seq < highest) return true;
    if (suspicion === 'lost') {
      this.#logger.error({}, 'NATS has lost messages that it had acknowledged; they are published again');
      this.audit().catch((error) => this.#logger.warn({ error: String(error) }, 'the stream could not be compared'));
    }
    return false;
  }

  /** How long to sleep at most: until the place should be stored, or until a look at the log without a notice. */
  #restMs(): number {
    return this.#publisher?.published.seq === this.#place?.seq ? RELAY_POLL_MS : RELAY_MARK_MS;
  }

  #markIfDue(): void {
    const { clock } = this.#options;
    if (this.#markFault !== undefined) {
      const fault = this.#markFault;
      this.#markFault = undefined;
      throw fault;
    }
    if (this.#marking !== undefined || clock.monotonic() < this.#markedAt + RELAY_MARK_MS * clock.speed) return;
    this.#marking = this.#mark()
      .catch((error) => {
        this.#markFault = error;
        this.#wake.notify();
      })
      .finally(() => {
        this.#marking = undefined;
      });
  }

  /** Stores how far everything is acknowledged; refused where another has the lease. */
  async #mark(): Promise<void> {
    const { store, relay, clock } = this.#options;
    this.#markedAt = clock.monotonic();
    const published = this.#publisher?.published;
    const before = this.#place;
    if (published === undefined || before === undefined) return;
    this.#checkpoints.add(published, clock.monotonic() / clock.speed);
    const { seq: auditedSeq, streamSeq: auditedStreamSeq } = this.#checkpoints.audited;
    const place = { ...before, ...published, auditedSeq, auditedStreamSeq };
    if (place.seq === before.seq && place.auditedSeq === before.auditedSeq) return;
    await store.transact(({ db }) => writePlace(db, relay, place), { fence: this.#lease });
    this.#place = place;
  }

  async #handOver(publisher: Publisher): Promise<void> {
    const { clock } = this.#options;
    if (this.#lost) return;
    const until = clock.monotonic() + HAND_OVER_MS * clock.speed;
    const never = new AbortController().signal;
    while (publisher.inFlight > 0 && clock.monotonic() < until)
      await this.#wake.wait(clock, RELAY_MARK_MS * clock.speed, never);
    await this.#marking;
    await this.#mark();
  }

  async #pause(ms: number): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(ms * clock.speed, this.#ending.signal).catch(() => {});
  }
}

interface Read {
  readonly rows: readonly RelayedRow[];
  readonly readTo: number;
}

const lineOf = ({ topic, shard }: { readonly topic: string; readonly shard: number }) => `${topic}/${shard}`;

/** How far the relay is behind the log, whichever process runs it. */
export async function readFigures(store: SqlStore, relay: number, shards: Shards): Promise<RelayFigures> {
  return store.read(async ({ db }) => {
    const after = (await readPlace(db, relay))?.seq ?? 0;
    return readLag(db, { shards, after, limit: LAG_COUNT_MAX });
  });
}
