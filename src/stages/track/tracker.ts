import type { SubjectId } from '../../domain/ids.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { PushRequest } from '../../ports/provider.ts';
import type { Store } from '../../ports/store.ts';
import { AccountRunner, type TrackedAccount } from './account.ts';
import type { AccountStatus } from './account-status.ts';
import type { Wake } from './item.ts';
import { createMarks } from './marks.ts';
import { createPushDesk, type PushAnswer } from './push.ts';
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
  wake(account: string, specIds: readonly string[], why?: Wake): number;
  /**
   * Subjects that a transaction puts or ends, with the spec (as JSON) to be found in the store afterwards; undefined:
   * ended. May be called before the commit: the store is read until it says so, a few times; what is rolled back is
   * given up.
   */
  refresh(subjects: ReadonlyMap<SubjectId, string | undefined>): void;
  /** A pushed message for an account; undefined: no such account. */
  receivePush(account: string, request: PushRequest): Promise<PushAnswer | undefined>;
  status(): readonly AccountStatus[];
}

export interface TrackerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly accounts: readonly TrackedAccount[];
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

/** How far an account's list was looked through, in the store's time. */
interface Seen {
  since: number;
  /** Wakes from before are none: the start asks about everything that is due. */
  from: number;
  woken: ReadonlyMap<SubjectId, number>;
}

export function createTracker(options: TrackerOptions): Tracker {
  const { store, clock } = options;
  const logger = options.logger.child({ part: 'tracker' });
  const marks = createMarks(store, clock, logger);
  const isPaused = (account: string): boolean => options.paused?.account(account) !== undefined;
  const askElsewhere = (account: string, specIds: readonly string[]): void => {
    if (runners.has(account)) wake(account, specIds, 'doubt');
    else options.askElsewhere?.(account, specIds);
  };
  const parts = { store, clock, random: options.random, logger, marks, isPaused, askElsewhere };
  const runners = new Map(options.accounts.map((one) => [one.account, new AccountRunner(one, parts)] as const));
  const stopping = new AbortController();
  const takePush = createPushDesk(options.accounts, (account, ids, why) => void wake(account, ids, why));
  const forgetPauses = options.paused?.onChange(() => {
    for (const runner of runners.values()) runner.pausesChanged();
  });
  let running: Promise<unknown>[] | undefined;

  function wake(account: string, specIds: readonly string[], why?: Wake): number {
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

  async function sweep(): Promise<void> {
    for (const [account, runner] of runners) {
      const active = await store.read((tx) => tx.subjects.listActive(account));
      const ids = new Set(active.map((subject) => subject.id));
      for (const subject of active) runner.put(subject, true);
      for (const id of [...runner.subjectIds]) if (!ids.has(id)) await take(id, '');
    }
  }

  /** What other processes put, ended or woke. */
  async function lookAt(account: string, runner: AccountRunner, seen: Seen): Promise<void> {
    const { now, subjects } = await store.read((tx) => tx.subjects.touchedSince(account, seen.since));
    for (const subject of subjects) {
      if (subject.state !== 'active') runner.drop(subject.id);
      else {
        runner.put(subject);
        if (subject.wakeAt > (seen.woken.get(subject.id) ?? seen.from)) runner.wake(subject.id);
      }
    }
    seen.woken = new Map(subjects.map((subject) => [subject.id, subject.wakeAt]));
    seen.since = now - LOOK_BACK_MS * clock.speed;
    if (seen.from === 0) seen.from = now;
  }

  async function looking(signal: AbortSignal): Promise<void> {
    const seen = new Map<string, Seen>();
    while (!signal.aborted) {
      for (const [account, runner] of runners) {
        const mine = seen.get(account) ?? { since: Number.MAX_SAFE_INTEGER, from: 0, woken: new Map() };
        seen.set(account, mine);
        await lookAt(account, runner, mine).catch((error: unknown) =>
          logger.warn({ error: String(error) }, 'what others changed could not be read; trying again'),
        );
      }
      await clock.sleep(LOOK_MS * clock.speed, signal).catch(() => {});
    }
  }

  async function sweeping(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(Math.max(SWEEP_MS, SWEEP_REAL_MS * clock.speed), signal).catch(() => {});
      if (signal.aborted) return;
      await sweep().catch((error: unknown) => logger.warn({ error: String(error) }, 'sweep of subjects failed'));
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
    refresh: (subjects) => {
      // Where the tracker does not run (a command that works off the queue), the next start reads the list anyway.
      if (running === undefined || stopping.signal.aborted) return;
      refresh(subjects).catch((error: unknown) => {
        if (!stopping.signal.aborted) logger.warn({ error: String(error) }, 'subjects could not be read again');
      });
    },
    receivePush: async (account, request) => takePush(account, request),
    status: () => [...runners.values()].map((runner) => runner.status()),
  };
}
