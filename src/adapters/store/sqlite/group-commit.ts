import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import { isBusy, isFatal, translate } from './errors.ts';
import {
  BATCH_MS_MAX,
  BATCH_WORKS_MAX,
  BUSY_RETRY_MS,
  BUSY_TOTAL_MS,
  GATHER_MS_MAX,
  GATHER_MS_MIN,
  SLOW_BATCH_MS,
} from './limits.ts';

export interface GroupCommitOptions {
  readonly database: Pick<DatabaseSync, 'exec' | 'isTransaction'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts a batch soon, after what is runnable now had the chance to hand in work. */
  readonly schedule: (run: () => void) => void;
  /** Runs after real milliseconds, unless the function it returns is called before. Default: a timer. */
  readonly after?: (ms: number, run: () => void) => () => void;
  /** Called when a transaction has begun (also one that repeats works), before its first work. */
  readonly begun?: () => void;
  /** Called once when it is no longer known what is durable; the process must stop. */
  readonly onFatal: (error: TripwatchError) => void;
}

interface Work {
  readonly run: () => Promise<unknown>;
  readonly readOnly: boolean;
  /** Called after the commit, before the promise of the work resolves. */
  readonly committed: () => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The one writer. Modes: idle; scheduled (a batch will start); running (a batch is in its transaction); failed (for
 * ever, after a fatal error). Works that arrive while a batch runs form the next one; one that fails is undone alone, and
 * no promise settles with success before COMMIT has synced.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #waiting: Work[] = [];
  #mode: 'idle' | 'scheduled' | 'running' = 'idle';
  #failed: TripwatchError | undefined;
  #idleListeners: (() => void)[] = [];
  /**
   * Where a sync is slow and several callers take turns, their next works arrive one after the other just when a new
   * batch begins, and each pays a sync of its own. So the next batch waits as long as the last sync took: on a fast disk
   * that is nothing, on a slow one it multiplies what a sync carries. A lone caller never waits, and nobody does once as
   * many wait as the last batch carried.
   */
  #gatherMs = 0;
  #company = 0;
  /** When the turn that runs began, by the monotonic clock. */
  #begunAt = 0;
  #watching = false;
  /** While the next batch waits for company: begins it now. */
  #gathered: (() => void) | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  submit<T>(
    run: () => Promise<T>,
    options: { readonly readOnly?: boolean; readonly committed?: () => void } = {},
  ): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({
      run,
      readOnly: options.readOnly ?? false,
      committed: options.committed ?? (() => {}),
      resolve: resolve as (value: unknown) => void,
      reject,
    });
    if (this.#mode === 'idle') this.#scheduleNext();
    else if (this.#waiting.length >= this.#company) this.#gathered?.();
    return promise;
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    if (this.#mode === 'idle') return;
    await new Promise<void>((resolve) => this.#idleListeners.push(resolve));
  }

  #scheduleNext(): void {
    this.#mode = 'scheduled';
    const turn = (): void => void this.#turn();
    if (this.#gatherMs < GATHER_MS_MIN || this.#waiting.length >= this.#company) {
      this.#options.schedule(turn);
      return;
    }
    const callOff = (this.#options.after ?? later)(this.#gatherMs, () => {
      this.#gathered = undefined;
      turn();
    });
    this.#gathered = () => {
      this.#gathered = undefined;
      callOff();
      this.#options.schedule(turn);
    };
  }

  async #turn(): Promise<void> {
    this.#mode = 'running';
    this.#begunAt = this.#options.clock.monotonic();
    this.#watch();
    try {
      await this.#batch();
    } finally {
      if (this.#waiting.length > 0) this.#scheduleNext();
      else {
        this.#mode = 'idle';
        for (const resolve of this.#idleListeners.splice(0)) resolve();
      }
    }
  }

  /** One timer for many turns: a turn that is open at two looks is slow. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { clock, logger, after = unheld } = this.#options;
    after(SLOW_BATCH_MS, () => {
      this.#watching = false;
      if (this.#mode !== 'running') return;
      if (clock.monotonic() < this.#begunAt + SLOW_BATCH_MS * clock.speed) this.#watch();
      else logger.error({ afterMs: SLOW_BATCH_MS }, 'a transaction is held open by a slow work');
    });
  }

  async #batch(): Promise<void> {
    const works = this.#waiting.splice(0, BATCH_WORKS_MAX);
    while (works.length > 0) {
      const other = works.findIndex((work) => work.readOnly !== works[0]!.readOnly);
      const same = works.splice(0, other === -1 ? works.length : other);
      if (same[0]!.readOnly) {
        // They need no transaction, as nobody writes meanwhile.
        for (const work of same) await this.#read(work);
        continue;
      }
      const left = await this.#write(same);
      if (this.#failed !== undefined) {
        for (const work of works) work.reject(this.#failed);
        return;
      }
      if (left.length > 0) {
        this.#waiting.unshift(...left, ...works);
        return;
      }
    }
  }

  /** Returns those that have not run, for want of time. */
  async #write(works: readonly Work[]): Promise<readonly Work[]> {
    // A savepoint costs as much as what most works do in it, and nearly all of them succeed. So they run without; if one
    // fails, nothing was committed, and all run again with a savepoint each, where it fails alone.
    for (const bold of [true, false]) {
      if (!(await this.#begun(works))) return [];
      const left = await this.#transaction(works, bold);
      if (left !== 'again') return left;
    }
    return [];
  }

  async #read(work: Work): Promise<void> {
    const { database } = this.#options;
    try {
      database.exec('PRAGMA query_only = 1');
      work.resolve(await work.run());
    } catch (error) {
      work.reject(translate(error));
    } finally {
      database.exec('PRAGMA query_only = 0');
    }
  }

  async #begun(works: readonly Work[]): Promise<boolean> {
    try {
      await this.#begin();
      this.#options.begun?.();
      return true;
    } catch (error) {
      this.#rejectAll(works, error);
      return false;
    }
  }

  async #transaction(works: readonly Work[], bold: boolean): Promise<readonly Work[] | 'again'> {
    const { database, clock } = this.#options;
    const endAt = clock.monotonic() + BATCH_MS_MAX * clock.speed;
    const done: { work: Work; value: unknown }[] = [];
    let index = 0;
    for (; index < works.length && (index === 0 || clock.monotonic() < endAt); index++) {
      const work = works[index]!;
      try {
        done.push({ work, value: bold ? await work.run() : await this.#inSavepoint(work) });
      } catch (thrown) {
        const error = translate(thrown);
        const sound = database.isTransaction && !isFatal(error);
        if (sound && bold) {
          if (!this.#undone(works)) return [];
          if (works.length > 1) return 'again';
          work.reject(error);
          return [];
        }
        work.reject(error);
        if (sound) continue;
        // SQLite has undone the whole transaction (disk full, I/O error): the works before are undone too, those after
        // have not run.
        this.#waiting.unshift(...works.slice(index + 1));
        this.#rejectAll(
          done.map((entry) => entry.work),
          error,
        );
        return [];
      }
    }
    const left = works.slice(index);
    const commitFrom = clock.monotonic();
    try {
      database.exec('COMMIT');
    } catch (cause) {
      this.#rejectAll(
        done.map((entry) => entry.work),
        translate(cause),
      );
      return this.#failed === undefined ? left : this.#rejected(left);
    }
    const commitMs = (clock.monotonic() - commitFrom) / clock.speed;
    this.#company = done.length;
    this.#gatherMs = done.length > 1 ? Math.min(commitMs, GATHER_MS_MAX) : 0;
    for (const { work, value } of done) {
      work.committed();
      work.resolve(value);
    }
    return left;
  }

  #rejected(works: readonly Work[]): readonly Work[] {
    for (const work of works) work.reject(this.#failed);
    return [];
  }

  #undone(works: readonly Work[]): boolean {
    try {
      this.#options.database.exec('ROLLBACK');
      return true;
    } catch (cause) {
      this.#rejectAll(works, translate(cause));
      return false;
    }
  }

  async #inSavepoint(work: Work): Promise<unknown> {
    const { database } = this.#options;
    database.exec('SAVEPOINT work');
    try {
      const value = await work.run();
      database.exec('RELEASE work');
      return value;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }

  /** Another process (the command line) may hold the lock: waits without blocking the event loop. */
  async #begin(): Promise<void> {
    for (let waited = 0; ; waited += BUSY_RETRY_MS) {
      try {
        this.#options.database.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isBusy(error) || waited >= BUSY_TOTAL_MS) throw translate(error);
        // Real time, not the clock's: the other process lives in it.
        await delay(BUSY_RETRY_MS);
      }
    }
  }

  #rejectAll(works: readonly Work[], error: unknown): void {
    const { database } = this.#options;
    if (database.isTransaction) {
      try {
        database.exec('ROLLBACK');
      } catch (second) {
        this.#options.logger.error({ code: 'store-io', message: String(second) }, 'rollback failed');
      }
    }
    for (const work of works) work.reject(error);
    if (error instanceof TripwatchError && isFatal(error) && this.#failed === undefined) {
      this.#failed = error;
      for (const work of this.#waiting.splice(0)) work.reject(error);
      this.#options.logger.error({ code: error.code }, 'the store has failed; stopping');
      this.#options.onFatal(error);
    }
  }
}

function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

/** A timer that keeps no process alive. */
function unheld(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}
