import { BEAT_MS, FORGET_MS, LEASE_MS, REFUSED_MS } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Lease, LeaseRow, Worker, WorkerRow } from '../ports/store/leases.ts';
import type { Store } from '../ports/store.ts';
import { isLeaseLost, isStoreFault, toTripwatchError } from './decide.ts';

/** Resources that workers share out among them: the shards of a stage, the provider accounts, the webhook sender. */
export interface WorkGroup {
  readonly name: string;
  /** The same in every process: `extract/0`, `extract/1`, … */
  readonly resources: readonly string[];
  /**
   * Begins to work on it. When it throws, the resource is given back and left to others for a while. `isOurs`: whether the
   * lease cannot have run out, by this process's own clock. After standing still it is false until the store has said whose
   * it is: what no fence can stop, such as a question to a provider, waits for that.
   */
  take(resource: string, lease: Lease, isOurs: () => boolean): Promise<void>;
  /** Ends. `hand-over`: resolves when all is settled and stored. `lost`: another has it; nothing may be written. */
  leave(resource: string, how: 'hand-over' | 'lost'): Promise<void>;
}

export interface KeeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groups: readonly WorkGroup[];
  readonly worker: WorkerIdentity;
  /** What waits here, by group: told with each beat, so that intake elsewhere can say "later". */
  readonly load?: () => Promise<Readonly<Record<string, number>>>;
}

export interface WorkerIdentity {
  /** Stays the same over restarts of one place of work: then it takes its work back at once. Never two at a time. */
  readonly id: string;
  readonly label: string;
  /** No other process can be at work on this store: takes everything for good, without beats. */
  readonly alone: boolean;
  /** Real time; the same in all processes. Default: the bounds in limits.ts; tests make them shorter. */
  readonly beatMs?: number;
  readonly leaseMs?: number;
}

interface Held {
  readonly lease: Lease;
  readonly group: WorkGroup;
  /** Being handed over. */
  leaving: Promise<void> | undefined;
}

/** For one who is alone: nobody will ever take it. */
const FOR_GOOD_MS = 100 * 365 * 86_400_000;

/**
 * Holds this process's share of the work. Every beat it says that it lives, prolongs its leases, looks who else lives,
 * takes what is free up to its share, and hands over what is above it. Nobody leads: everyone counts the same workers
 * and so comes to the same shares; where two see it differently for a moment, the store gives a resource to one.
 *
 * Modes: new → keeping → stopped.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #held = new Map<string, Held>();
  /** Groups in which a take failed: not taken part in until then, monotonic ms of the clock. */
  readonly #refused = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #beatMs: number;
  readonly #leaseMs: number;
  #loop: Promise<void> | undefined;
  #beatAt: number;
  readonly #startedAt: number;
  #ending = false;
  #others: readonly WorkerRow[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#beatMs = options.worker.beatMs ?? BEAT_MS;
    this.#leaseMs = options.worker.leaseMs ?? LEASE_MS;
    this.#beatAt = options.clock.monotonic();
    this.#startedAt = options.clock.now();
  }

  /** Takes its first share. Errors: those of the store. */
  async start(): Promise<void> {
    if (this.#options.worker.alone) {
      await this.#takeAll();
      return;
    }
    await this.#beat();
    this.#loop = this.#run();
  }

  /** Shares stay as they are from now on: this process is about to end. Beats go on. */
  takeNoMore(): void {
    this.#ending = true;
  }

  /** Stops beating; what is held stays held until `release`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Gives everything back, so that others can take it at once. Nothing may be written under these leases any more. */
  async release(): Promise<void> {
    await this.stop();
    const leases = [...this.#held.values()].map(({ lease }) => lease);
    this.#held.clear();
    const { store, worker, logger } = this.#options;
    await store
      .transact(async (tx) => {
        await tx.leases.release(leases);
        await tx.leases.forget(worker.id);
      })
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'leases could not be given back; they run out'));
  }

  /** What this process works on. */
  get held(): readonly Lease[] {
    return [...this.#held.values()].map(({ lease }) => lease);
  }

  /** All live workers as of the last beat, this one too. */
  get workers(): readonly WorkerRow[] {
    return this.#others;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(this.#beatMs * clock.speed, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#beat();
      } catch (error) {
        logger.warn({ error: String(error) }, 'the beat failed; trying again');
        // Others may have taken everything by now.
        if (!this.#isSure) await this.#loseAll();
      }
    }
  }

  /** The store has prolonged our leases, less than the length of one ago. */
  get #isSure(): boolean {
    const { clock, worker } = this.#options;
    return worker.alone || clock.monotonic() - this.#beatAt <= this.#leaseMs * clock.speed;
  }

  async #takeAll(): Promise<void> {
    const { store, groups } = this.#options;
    const worker = await this.#worker();
    const resources = groups.flatMap((group) => group.resources);
    const leases = await store.transact(async (tx) => {
      await tx.leases.beat(worker, [], FOR_GOOD_MS);
      return tx.leases.take(worker.id, resources, FOR_GOOD_MS, 'ignore');
    });
    for (const lease of leases) await this.#begin(this.#groupOf(lease.resource), lease);
  }

  async #beat(): Promise<void> {
    const { store, clock } = this.#options;
    const askedAt = clock.monotonic();
    const before = this.held;
    const worker = await this.#worker();
    const { mine, leases, workers } = await store.transact(async (tx) => {
      const mine = await tx.leases.beat(worker, before, this.#leaseMs);
      const { leases, workers } = await tx.leases.survey();
      for (const one of workers) if (one.seenAgoMs > FORGET_MS) await tx.leases.forget(one.id);
      return { mine, leases, workers };
    });
    // From when the question was asked: the store may have answered long ago.
    this.#beatAt = askedAt;
    this.#others = workers.filter((one) => one.seenAgoMs <= this.#leaseMs);
    const current = new Map(mine.map((lease) => [lease.resource, lease.token]));
    for (const lease of before)
      if (current.get(lease.resource) !== lease.token && this.#held.get(lease.resource)?.lease === lease)
        await this.#lose(lease);
    const rows = new Map(leases.map((row) => [row.resource, row]));
    if (!this.#ending) await Promise.all(this.#options.groups.map((group) => this.#balance(group, worker, rows)));
  }

  /** Up to this worker's share of the group, no more. */
  async #balance(group: WorkGroup, worker: Worker, rows: ReadonlyMap<string, LeaseRow>): Promise<void> {
    const workers = this.#others.filter((one) => one.groups.includes(group.name)).map((one) => one.id);
    const share = worker.groups.includes(group.name) ? shareOf(group, worker.id, workers) : 0;
    const held = group.resources.filter((resource) => this.#held.has(resource));
    const staying = held.filter((resource) => this.#held.get(resource)!.leaving === undefined);
    for (const resource of staying.slice(share)) this.#handOver(this.#held.get(resource)!);
    if (staying.length >= share) return;
    const free = group.resources.filter((resource) => {
      const row = rows.get(resource);
      if (this.#held.has(resource)) return false;
      // Its own, and not held here: from an earlier life, or an answer that was lost.
      return row === undefined || row.leftMs <= 0 || row.owner === worker.id;
    });
    if (free.length === 0) return;
    // Those who look at the same moment begin at different places.
    const from = Math.floor((Math.max(0, workers.indexOf(worker.id)) * free.length) / Math.max(1, workers.length));
    const wanted = [...free.slice(from), ...free.slice(0, from)].slice(0, share - staying.length);
    const taken = await this.#options.store.transact((tx) => tx.leases.take(worker.id, wanted, this.#leaseMs));
    await Promise.all(taken.map((lease) => this.#begin(group, lease)));
  }

  async #begin(group: WorkGroup, lease: Lease): Promise<void> {
    const { logger, clock, store } = this.#options;
    const held: Held = { lease, group, leaving: undefined };
    this.#held.set(lease.resource, held);
    try {
      await group.take(lease.resource, lease, () => this.#isSure);
      logger.debug({ resource: lease.resource, fence: lease.token }, 'work taken');
    } catch (error) {
      this.#held.delete(lease.resource);
      if (this.#options.worker.alone) throw error;
      const fields = { resource: lease.resource, error: String(error) };
      const fault = toTripwatchError(error);
      if (isLeaseLost(fault) || isStoreFault(fault)) {
        // Nothing here is at fault: the next beats look again.
        logger.warn(fields, 'work could not be begun; trying again');
      } else {
        logger.error(fields, 'work could not be begun; it is left to others');
        this.#refused.set(group.name, clock.monotonic() + REFUSED_MS * clock.speed);
      }
      await group.leave(lease.resource, 'lost').catch(() => undefined);
      await store.transact((tx) => tx.leases.release([lease])).catch(() => undefined);
    }
  }

  /** The lease is kept until all is settled; beats go on meanwhile. */
  #handOver(held: Held): void {
    const { store, logger } = this.#options;
    const { lease, group } = held;
    held.leaving = (async () => {
      try {
        await group.leave(lease.resource, 'hand-over');
        await store.transact((tx) => tx.leases.release([lease]));
        logger.debug({ resource: lease.resource }, 'work handed over');
      } catch (error) {
        logger.warn(
          { resource: lease.resource, error: String(error) },
          'work could not be handed over; its lease runs out',
        );
      }
      if (this.#held.get(lease.resource) === held) this.#held.delete(lease.resource);
    })();
  }

  async #lose(lease: Lease): Promise<void> {
    const held = this.#held.get(lease.resource);
    if (held === undefined) return;
    this.#held.delete(lease.resource);
    this.#options.logger.warn({ resource: lease.resource, fence: lease.token }, 'another worker has taken this work');
    await held.group.leave(lease.resource, 'lost');
  }

  async #loseAll(): Promise<void> {
    for (const lease of this.held) await this.#lose(lease);
  }

  async #worker(): Promise<Worker> {
    const { worker, groups, clock, load } = this.#options;
    const now = clock.monotonic();
    return {
      id: worker.id,
      label: worker.label,
      groups: groups.map((group) => group.name).filter((name) => (this.#refused.get(name) ?? 0) <= now),
      startedAt: this.#startedAt,
      load: (await load?.()) ?? {},
    };
  }

  #groupOf(resource: string): WorkGroup {
    return this.#options.groups.find((group) => group.resources.includes(resource))!;
  }
}

/** How many of the group's resources are this worker's. The shares of all add up to all of them. */
export function shareOf(
  group: Pick<WorkGroup, 'name' | 'resources'>,
  worker: string,
  workers: readonly string[],
): number {
  const all = workers.includes(worker) ? [...workers].sort() : [...workers, worker].sort();
  const count = group.resources.length;
  // The remainder goes to different workers in different groups.
  const turned = (all.indexOf(worker) + numberOf(group.name)) % all.length;
  return Math.floor(count / all.length) + (turned < count % all.length ? 1 : 0);
}

function numberOf(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 65_521;
  return sum;
}
