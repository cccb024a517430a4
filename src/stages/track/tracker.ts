import type { SubjectId } from '../../domain/ids.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { WakeReason } from '../../ports/store/subjects.ts';
import type { Store } from '../../ports/store.ts';
import { AccountRunner, type TrackedAccount } from './account.ts';
import type { AccountStatus } from './account-status.ts';
import { createMarks } from './marks.ts';
import { subjectIdOf } from './subject.ts';

export type { TrackedAccount } from './account.ts';
export type { AccountStatus } from './account-status.ts';

/**
 * Asks the providers. The list of subjects is in the store; the schedule is in memory, rebuilt from it at the start.
 * An answer equal to the last one writes a batched freshness mark; a different one is stored and told in one transaction.
 */
export interface Tracker {
  readonly accounts: readonly TrackedAccount[];
  /** Reads the list and begins to ask. Errors: those of the store. */
  start(): Promise<void>;
  /** Ends what is under way, stores the marks, gives back connections. */
  stop(): Promise<void>;
  /** Asks at once about subjects of an account, by the ids of their specs. Returns how many are on the list. */
  wake(account: string, specIds: readonly string[], why?: WakeReason): number;
  /** Something was stored about these, by whomever: who is to be asked now is asked now. Errors: those of the store. */
  look(ids: readonly SubjectId[]): Promise<void>;
  /**
   * Subjects that a transaction puts or ends, with the spec (as JSON) to be found in the store afterwards; undefined:
   * ended. May be called before the commit: the store is read until it says so, a few times; what is rolled back is
   * given up.
   */
  refresh(subjects: ReadonlyMap<SubjectId, string | undefined>): void;
  status(): readonly AccountStatus[];
}

export interface TrackerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly accounts: readonly TrackedAccount[];
  /** Whether this process is sure to be the one that asks; see `WorkGroup.take`. Absent: it is. */
  readonly isOurs?: () => boolean;
  /** Other processes may change the list of subjects: look for what they touched. */
  readonly shared?: boolean;
  /** Asks an account that is not asked here about these now; absent: all are asked here. */
  readonly askElsewhere?: (account: string, specIds: readonly string[]) => void;
  /** Accounts that operators have paused: they are asked nothing until they are resumed. */
  readonly paused?: { account(name: string): unknown; onChange(listener: () => void): () => void };
}

/** Real time between two looks for what other processes touched, and how far each looks back beyond the last. */
const LOOK_MS = 1000;
const LOOK_BACK_MS = 15_000;
/** Real time: waits before the store is read for what a transaction is about to write. */
const REFRESH_MS = [15, 60, 250, 1000, 5000] as const;
/** Sandbox or real, whichever is longer: the slow sweep finds what was never told. */
const SWEEP_MS = 10 * 60_000;
const SWEEP_REAL_MS = 30_000;

/** Longer than any provider repeats a notice: Duffel does so for three days. */
const NOTICES_KEPT_MS = 7 * 24 * 3_600_000;

export function createTracker(options: TrackerOptions): Tracker {
  const { store, clock } = options;
  const logger = options.logger.child({ part: 'tracker' });
  const marks = createMarks(store, clock, logger);
  const isPaused = (account: string): boolean => options.paused?.account(account) !== undefined;
  const askElsewhere = (account: string, specIds: readonly string[]): void => {
    if (runners.has(account)) wake(account, specIds, 'doubt');
    else options.askElsewhere?.(account, specIds);
  };
  const { random, isOurs } = options;
  const parts = { store, clock, random, logger, marks, isPaused, isOurs, askElsewhere };
  const runners = new Map(options.accounts.map((one) => [one.account, new AccountRunner(one, parts)] as const));
  const stopping = new AbortController();
  const forgetPauses = options.paused?.onChange(() => {
    for (const runner of runners.values()) runner.pausesChanged();
  });
  let running: Promise<unknown>[] | undefined;

  function wake(account: string, specIds: readonly string[], why?: WakeReason): number {
    const runner = runners.get(account);
    return runner === undefined ? 0 : specIds.filter((id) => runner.wake(subjectIdOf(account, id), why)).length;
  }

  /** Makes the schedule equal to what is stored about one subject. True: it is as expected. */
  async function take(id: SubjectId, expected: string | undefined): Promise<boolean> {
    const subject = await store.read((tx) => tx.subjects.get(id));
    if (subject?.state !== 'active') {
      for (const runner of runners.values()) runner.drop(id);
      return expected === undefined;
    }
    if (expected === undefined) return false;
    runners.get(subject.account)?.put(subject);
    return JSON.stringify(subject.spec) === expected;
  }

  async function refresh(subjects: ReadonlyMap<SubjectId, string | undefined>): Promise<void> {
    const left = new Map(subjects);
    for (const wait of REFRESH_MS) {
      await clock.sleep(wait * clock.speed, stopping.signal);
      for (const [id, expected] of left) if (await take(id, expected)) left.delete(id);
      if (left.size === 0) return;
    }
    logger.debug({ subjects: left.size }, 'subjects are not stored as announced; left to the sweep');
  }

  async function look(ids: readonly SubjectId[]): Promise<void> {
    for (const subject of await store.read((tx) => tx.subjects.some(ids)))
      if (subject.state === 'active') runners.get(subject.account)?.put(subject);
  }

  async function sweep(): Promise<void> {
    for (const [account, runner] of runners) {
      const pushedAt = await store.read((tx) => tx.notices.lastSignedAt(account));
      if (pushedAt !== undefined) runner.pushedAt(pushedAt);
      const active = await store.read((tx) => tx.subjects.listActive(account));
      const ids = new Set(active.map((subject) => subject.id));
      for (const subject of active) runner.put(subject, true);
      for (const id of [...runner.subjectIds]) if (!ids.has(id)) await take(id, '');
    }
  }

  /** What other processes put, ended or woke. From when the next look goes on, in the store's time. */
  async function lookAt(account: string, runner: AccountRunner, since: number): Promise<number> {
    const { now, subjects } = await store.read((tx) => tx.subjects.touchedSince(account, since));
    for (const subject of subjects) {
      if (subject.state === 'active') runner.put(subject);
      else runner.drop(subject.id);
    }
    return now - LOOK_BACK_MS * clock.speed;
  }

  async function looking(signal: AbortSignal): Promise<void> {
    const seen = new Map<string, number>();
    while (!signal.aborted) {
      for (const [account, runner] of runners) {
        try {
          // What was there at the start was read then.
          seen.set(account, await lookAt(account, runner, seen.get(account) ?? Number.MAX_SAFE_INTEGER));
        } catch (error) {
          logger.warn({ error: String(error) }, 'what others changed could not be read; trying again');
        }
      }
      await clock.sleep(LOOK_MS * clock.speed, signal).catch(() => {});
    }
  }

  async function forgetNotices(): Promise<void> {
    const before = clock.now() - NOTICES_KEPT_MS;
    for (const account of runners.keys()) await store.transact((tx) => tx.notices.forget(account, before));
  }

  async function sweeping(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(Math.max(SWEEP_MS, SWEEP_REAL_MS * clock.speed), signal).catch(() => {});
      if (signal.aborted) return;
      await sweep().catch((error: unknown) => logger.warn({ error: String(error) }, 'sweep of subjects failed'));
      await forgetNotices().catch((error: unknown) =>
        logger.warn({ error: String(error) }, 'old notices could not be removed; tried again'),
      );
    }
  }

  return {
    accounts: options.accounts,
    start: async () => {
      if (running !== undefined) return;
      running = [];
      await Promise.all([...runners.values()].map((runner) => runner.restore()));
      await sweep();
      const { signal } = stopping;
      running = [...[...runners.values()].map((runner) => runner.run(signal)), marks.run(signal), sweeping(signal)];
      if (options.shared === true) running.push(looking(signal));
    },
    stop: async () => {
      stopping.abort();
      forgetPauses?.();
      await Promise.allSettled(running ?? []);
      await marks.flush();
      await Promise.allSettled(options.accounts.map(({ connector }) => connector.close?.()));
    },
    wake,
    look,
    refresh: (subjects) => {
      // Where the tracker does not run (a command that works off the queue), the next start reads the list anyway.
      if (running === undefined || stopping.signal.aborted) return;
      refresh(subjects).catch((error: unknown) => {
        if (!stopping.signal.aborted) logger.warn({ error: String(error) }, 'subjects could not be read again');
      });
    },
    status: () => [...runners.values()].map((runner) => runner.status()),
  };
}
