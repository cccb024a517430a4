import { CONSERVATION_MS, LOOK_AHEAD_MAX, LOOK_EVENTS_MAX, OVERDUE_MS } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { LookOptions, ShardPlace } from '../ports/store/conservation.ts';
import type { Lease } from '../ports/store/leases.ts';
import type { Store } from '../ports/store.ts';
import { type Alarm, type AuditedConsumer, findAlarms } from './conservation-alarms.ts';
import { isLeaseLost } from './decide.ts';
import type { Paused } from './pauses.ts';

export interface ConservationOptions {
  readonly store: Pick<Store, 'read' | 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** All stages of the installation, wherever they run. */
  readonly consumers: readonly AuditedConsumer[];
  readonly shards: number;
  /** What this process holds now: it checks the shards among it. */
  readonly held: () => readonly Lease[];
  /** Provider accounts that are configured. */
  readonly accounts?: readonly string[];
  readonly paused?: Paused;
}

/** The last check of this process. */
export interface ConservationCheck {
  /** Epoch ms. */
  readonly at: number;
  readonly alarms: readonly Alarm[];
  /** Events put back by this process since it started. */
  readonly recovered: number;
}

/** Of many lost events, so many are named. */
const NAMED_MAX = 10;

/** For a moment after a process has ended, this is as it should be: an alarm only when the next check finds it too. */
const BRIEF: ReadonlySet<Alarm['kind']> = new Set(['nobody-asks', 'nobody-sends']);

/**
 * Checks every minute that everything accepted is done, failed visibly, or in progress; and puts back what was lost: by a
 * broker, by a row deleted by hand, by a fault of ours. Cursors, rows and marks are all in the store, so this is the same
 * for every broker.
 *
 * Each process checks the shards that it holds, under the lease of each: whoever works on a shard is also the one who
 * moves its cursor, every shard that is worked on is checked, and the work is shared out as the shards are. A shard that
 * nobody holds moves nothing, so nothing can be lost there that was not found before; that it waits is an alarm, and any
 * process raises it.
 */
export class Conservation {
  readonly #options: ConservationOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #last: ConservationCheck | undefined;
  #recovered = 0;
  /** By the check before. */
  #seen: ReadonlySet<Alarm['kind']> = new Set();

  constructor(options: ConservationOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when a check under way has ended; it writes under the leases of this process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  get last(): ConservationCheck | undefined {
    return this.#last;
  }

  /** One check, now. Errors: those of the store. */
  async check(): Promise<ConservationCheck> {
    const { store, clock, logger, consumers, shards, accounts, paused, held } = this.#options;
    for (const lease of held()) {
      const place = this.#placeOf(lease);
      if (place !== undefined && !this.#stopping.signal.aborted) await this.#checkShard(place, lease);
    }
    const now = clock.now();
    const found = await store.read((tx) =>
      findAlarms(tx, { now, speed: clock.speed, shards, consumers, accounts, paused, attended: true }),
    );
    const alarms = found.filter(({ kind }) => !BRIEF.has(kind) || this.#seen.has(kind));
    this.#seen = new Set(found.map((one) => one.kind));
    for (const { kind, severity, what, remedy, count } of alarms)
      logger[severity === 'bad' ? 'error' : 'warn']({ alarm: kind, count, what, remedy }, 'conservation: an alarm');
    this.#last = { at: now, alarms, recovered: this.#recovered };
    return this.#last;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(CONSERVATION_MS * clock.speed, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.check().catch((error: unknown) =>
        logger.warn({ error: String(error) }, 'conservation could not be checked; trying again'),
      );
    }
  }

  /** Until the mark has come up to the cursor: a long log is gone through in pieces. */
  async #checkShard(place: ShardPlace & { readonly deadlineMs: number }, lease: Lease): Promise<void> {
    const { store, clock, logger, paused } = this.#options;
    const { deadlineMs, ...where } = place;
    try {
      for (let more = true; more && !this.#stopping.signal.aborted; ) {
        const now = clock.now();
        const options: LookOptions = {
          now,
          eventsMax: LOOK_EVENTS_MAX,
          aheadMax: LOOK_AHEAD_MAX,
          overdueBefore:
            paused?.stage(place.consumer) === undefined ? now - (deadlineMs + OVERDUE_MS) * clock.speed : undefined,
        };
        const look = await store.read((tx) => tx.conservation.look(where, options));
        const settled = await store.transact((tx) => tx.conservation.settle(look, now), { fence: lease });
        if (look.lost.length > 0) {
          const recovered = settled?.recovered ?? [];
          this.#recovered += recovered.length;
          const events = recovered
            .slice(0, NAMED_MAX)
            .map((one) => one.eventId)
            .join(' ');
          logger.error(
            {
              consumer: place.consumer,
              shard: place.shard,
              lost: look.lost.length,
              recovered: recovered.length,
              events,
            },
            'events were lost: neither done nor waiting anywhere; they are put back',
          );
        }
        more = look.more && settled !== undefined;
      }
    } catch (error) {
      // Whoever has the shard now checks it.
      if (isLeaseLost(error)) return;
      logger.warn(
        { consumer: place.consumer, shard: place.shard, error: String(error) },
        'a shard could not be checked',
      );
    }
  }

  /** The shard that a lease is for; undefined: it is for something else. */
  #placeOf({ resource }: Lease): (ShardPlace & { readonly deadlineMs: number }) | undefined {
    const at = resource.lastIndexOf('/');
    const stage = this.#options.consumers.find((one) => one.name === resource.slice(0, at));
    const shard = Number(resource.slice(at + 1));
    if (at < 0 || stage === undefined || !Number.isInteger(shard)) return undefined;
    return { consumer: stage.name, topic: stage.reads, shard, deadlineMs: stage.deadlineMs };
  }
}
