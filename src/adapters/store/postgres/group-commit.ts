import { setTimeout as delay } from 'node:timers/promises';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { EffectMark } from '../../../ports/store.ts';
import { leaseLost } from '../sql/leases.ts';
import type { LoggedRow } from '../sql/recent.ts';
import type { Appended, SqlTx } from '../sql/sql-store.ts';
import { isConflict, isLost, isTaken, lost } from './errors.ts';
import {
  BATCH_MS_MAX,
  BATCH_WORKS_MAX,
  BATCH_WORKS_MIN,
  COMPANY_MS,
  COMPANY_WORKS,
  LOCK_TRIES_MAX,
  RETRY_MS,
  SLOW_BATCH_MS,
  TRIES_MAX,
} from './limits.ts';
import { keyOf } from './statements.ts';
import { LockHeld, type Transactions } from './transaction.ts';

export interface Work {
  readonly run: (tx: SqlTx) => Promise<unknown>;
  /** Runs only where it is new; `repeated` is then the result instead. */
  readonly mark: EffectMark | undefined;
  readonly repeated: unknown;
  readonly fence: Lease | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export interface GroupCommitOptions {
  readonly lanes: number;
  /** Makes the connection of a lane, where it has none or it broke. */
  readonly open: () => Promise<Transactions>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts a batch soon, after what is runnable now had the chance to hand in work. */
  readonly schedule: (run: () => void) => void;
  /** Called after each commit, before the promises of its works resolve. */
  readonly committed: (appended: Appended, rows: readonly LoggedRow[]) => void;
}

/** What became of a transaction. `left`: not run in it, for want of time. */
type Outcome =
  | { readonly kind: 'committed'; readonly left: readonly Work[] }
  /** Undone because of one work, or of what only the whole can be blamed for (`at` undefined). */
  | { readonly kind: 'undone'; readonly at: number | undefined; readonly error: unknown }
  /** Undone: these works' leases are not current. */
  | { readonly kind: 'stale'; readonly works: ReadonlySet<Work> }
  /** The connection broke: done or not, nobody knows. */
  | { readonly kind: 'lost'; readonly error: unknown };

/**
 * Works wait in a line; each lane takes the next few and runs them one after the other in one transaction, without
 * savepoints, which would double the round trips. If one fails, the transaction is undone and those before it, it
 * alone, and those after it run again, so that only the guilty one rejects. No promise settles with success before
 * COMMIT has returned.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #idle: Lane[];
  #waiting: Work[] = [];
  /** Since when the first of them waits for company; real ms. */
  #waitingSince = 0;
  /** How many the last lot carried: at low load nobody waits for company that does not come. */
  #lastLot = 0;
  #scheduled = false;
  #company: NodeJS.Timeout | undefined;
  #idleListeners: (() => void)[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#idle = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  submit(work: Work): void {
    if (this.#waiting.push(work) === 1) this.#waitingSince = performance.now();
    this.#scheduleNext();
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idleListeners.push(resolve));
  }

  /** After `idle`. */
  async close(): Promise<void> {
    clearTimeout(this.#company);
    await Promise.all(this.#idle.map((lane) => lane.close()));
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#idle.length === this.#options.lanes;
  }

  #scheduleNext(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#idle.length === 0) return;
    const working = this.#idle.length < this.#options.lanes;
    if (working && this.#waiting.length < Math.min(COMPANY_WORKS, this.#lastLot)) {
      const leftMs = this.#waitingSince + COMPANY_MS - performance.now();
      if (leftMs > 0) {
        this.#company ??= setTimeout(() => {
          this.#company = undefined;
          this.#scheduleNext();
        }, leftMs);
        return;
      }
    }
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const share = Math.ceil(this.#waiting.length / Math.max(1, this.#idle.length));
    const size = Math.min(BATCH_WORKS_MAX, Math.max(BATCH_WORKS_MIN, share));
    while (this.#waiting.length > 0 && this.#idle.length > 0) {
      const lane = this.#idle.pop()!;
      const lot = this.#waiting.splice(0, size);
      this.#lastLot = lot.length;
      void lane.run(lot).then((left) => {
        this.#waiting.unshift(...left);
        this.#idle.push(lane);
        this.#scheduleNext();
        if (this.#isIdle()) for (const resolve of this.#idleListeners.splice(0)) resolve();
      });
    }
    this.#waitingSince = performance.now();
  }
}

/** One writing connection and what is done with a batch on it. */
class Lane {
  readonly #options: GroupCommitOptions;
  #transactions: Transactions | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Settles the works, but for those that it returns, which have not run. Never rejects. */
  async run(works: readonly Work[]): Promise<readonly Work[]> {
    const slow = setTimeout(() => {
      this.#options.logger.error({ afterMs: SLOW_BATCH_MS }, 'a transaction is held open by a slow work');
    }, SLOW_BATCH_MS);
    try {
      return await this.#settle(works);
    } catch (error) {
      for (const work of works) work.reject(error);
      return [];
    } finally {
      clearTimeout(slow);
    }
  }

  async close(): Promise<void> {
    await this.#transactions?.close();
  }

  async #settle(works: readonly Work[]): Promise<readonly Work[]> {
    const locks = new Set<string>();
    for (let tries = 1; ; tries++) {
      const outcome = await this.#try(works, [...locks]);
      switch (outcome.kind) {
        case 'committed':
          return outcome.left;
        case 'lost':
          for (const work of works) work.reject(outcome.error);
          return [];
        case 'stale': {
          for (const work of outcome.works) work.reject(leaseLost(work.fence!));
          const rest = works.filter((work) => !outcome.works.has(work));
          return rest.length === 0 ? [] : this.#settle(rest);
        }
        case 'undone': {
          if (works.length > 1) return this.#settleApart(works, outcome.at);
          const { error } = outcome;
          const triesMax = error instanceof LockHeld ? LOCK_TRIES_MAX : triesOf(error);
          if (tries >= triesMax) {
            works[0]!.reject(error instanceof LockHeld ? busy(error) : error);
            return [];
          }
          if (error instanceof LockHeld) for (const lock of error.locks) locks.add(lock);
          else await delay(RETRY_MS * 2 ** (tries - 1) * (1 + Math.random()));
        }
      }
    }
  }

  /** Those before the guilty one together, it alone; those after it wait again. Without one to blame, each alone. */
  async #settleApart(works: readonly Work[], at: number | undefined): Promise<readonly Work[]> {
    if (at === undefined) {
      for (const work of works) await this.#settle([work]);
      return [];
    }
    if (at > 0) {
      const left = await this.#settle(works.slice(0, at));
      if (left.length > 0) return [...left, ...works.slice(at)];
    }
    await this.#settle([works[at]!]);
    return works.slice(at + 1);
  }

  async #try(works: readonly Work[], locks: readonly string[]): Promise<Outcome> {
    const { clock, committed, open } = this.#options;
    try {
      if (this.#transactions === undefined || this.#transactions.broken) this.#transactions = await open();
    } catch (error) {
      return { kind: 'lost', error };
    }
    const transactions = this.#transactions;
    let at: number | undefined;
    try {
      const { first, fences, marks } = plan(works);
      const begun = await transactions.begin({ fences, marks, locks });
      if (begun.lost.length > 0) {
        transactions.rollback();
        const lostNow = new Set(begun.lost.map(fenceKey));
        return { kind: 'stale', works: new Set(works.filter(({ fence }) => fence && lostNow.has(fenceKey(fence)))) };
      }
      const values: unknown[] = [];
      const endAt = clock.monotonic() + BATCH_MS_MAX * clock.speed;
      for (const [index, work] of works.entries()) {
        // Marks are made at the beginning, so a batch with marks is run to its end.
        if (index > 0 && marks.length === 0 && clock.monotonic() > endAt) break;
        at = index;
        const { mark } = work;
        const isNew = mark === undefined || (first.get(keyOf(mark)) === work && !begun.repeats.has(mark));
        values.push(isNew ? await work.run(transactions.at(index)) : work.repeated);
      }
      at = undefined;
      const end = await transactions.commit();
      // A work has gone on after a statement of it had failed.
      if (!end.committed) return { kind: 'undone', at: undefined, error: swallowed() };
      if (end.appended.size > 0) committed(end.appended, end.rows);
      for (const [index, value] of values.entries()) works[index]!.resolve(value);
      return { kind: 'committed', left: works.slice(values.length) };
    } catch (error) {
      if (transactions.broken) return { kind: 'lost', error: isLost(error) ? error : lost(error) };
      transactions.rollback();
      return { kind: 'undone', at, error };
    }
  }
}

/**
 * The leases and marks of a batch, each once; a mark belongs to the first work that has it, for the others it is a
 * repeat.
 */
function plan(works: readonly Work[]) {
  const first = new Map<string, Work>();
  const fences = new Map<string, Lease>();
  for (const work of works) {
    const { mark, fence } = work;
    if (fence !== undefined) fences.set(fenceKey(fence), fence);
    if (mark !== undefined && !first.has(keyOf(mark))) first.set(keyOf(mark), work);
  }
  return { first, fences: [...fences.values()], marks: [...first.values()].map((work) => work.mark!) };
}

function fenceKey({ resource, owner, token }: Lease): string {
  return `${resource}\n${owner}\n${token}`;
}

/**
 * A row that was there already may have come from a transaction that ended meanwhile: where a table has two keys, the
 * database minds only the one that a statement names. Run again, the work sees it; if it still fails, it is at fault.
 */
function triesOf(error: unknown): number {
  if (isConflict(error)) return TRIES_MAX;
  return isTaken(error) ? 2 : 1;
}

function busy(cause: unknown): TripwatchError {
  return new TripwatchError('transient', 'store-busy', 'Other writers were in the way again and again; try again.', {
    cause,
  });
}

function swallowed(): TripwatchError {
  return new TripwatchError('defect', 'store-sql', 'A work went on after a statement of it had failed; it was undone.');
}
