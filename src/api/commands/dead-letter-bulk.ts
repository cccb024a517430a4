import { BULK_LETTERS_MAX, type BulkView, type DeadLetterQuery } from '../../contracts/http/dead-letters.ts';
import type { DeadLetter, DeadLetterFilter, Decision, ReplayResult } from '../../ports/store/dead-letters.ts';
import type { Tx } from '../../ports/store.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { deadLetterSummary } from '../views/dead-letters.ts';
import { auditEntry } from './audit.ts';
import { deadLetterFilter, queryText } from './dead-letter-query.ts';
import { ReplayWatch } from './dead-letter-watch.ts';

/**
 * Replays or discards every open letter that fits a query, oldest event first, so in the order of each key. Each letter is
 * settled in a transaction of its own: a run that ends early, or is killed, leaves the rest open, and the next run takes
 * them. Letters that come while it runs (replays that failed again) are not part of it.
 */

export interface BulkOptions {
  readonly dryRun: boolean;
  /** Letters worked on at most. */
  readonly limit: number;
  /** Letters a second, real time. Absent: as fast as it goes. */
  readonly ratePerSecond?: number;
  /** Replays only: ends after so many failures of one code in a row. 0: never. */
  readonly failuresMax?: number;
  readonly reason?: string | undefined;
  /** `next` of the run before. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Lets what was replayed be worked off, where no service does it. */
  readonly settle?: () => Promise<void>;
}

export interface Progress {
  /** Letters tried, of those that there are to try. */
  readonly tried: number;
  readonly of: number;
  /** Replays that failed again, as far as known. */
  readonly failedAgain: number;
}

/** Letters read at once; ids and skipped ones named in a result. */
const PAGE = BULK_LETTERS_MAX;
/** Failures are looked for, and progress is told, so often (real ms). */
const LOOK_MS = 1000;

/** Errors: `query-invalid`; those of the store, after which the rest is still open. */
export function replayDeadLetters(deps: CommandDeps, caller: Caller, query: DeadLetterQuery, options: BulkOptions) {
  return bulk(deps, caller, query, options, 'replay', (tx, letter, decision) =>
    tx.deadLetters.replay(caller.tenant, letter.id, decision),
  );
}

/** Errors as `replayDeadLetters`. */
export function discardDeadLetters(
  deps: CommandDeps,
  caller: Caller,
  query: DeadLetterQuery,
  options: BulkOptions & { readonly reason: string },
) {
  return bulk(deps, caller, query, options, 'discard', async (tx, letter, decision) =>
    (await tx.deadLetters.discard(caller.tenant, letter.id, decision)) ? 'done' : 'not-open',
  );
}

type Settle = (tx: Tx, letter: DeadLetter, decision: Decision) => Promise<ReplayResult>;

/** What a run has come to. */
interface Run {
  /** Of its entry in the audit trail. */
  readonly id: string;
  readonly of: number;
  readonly watch: ReplayWatch | undefined;
  tried: number;
  done: number;
  readonly ids: string[];
  /** The first of those that were skipped, and how many there are. */
  readonly skipped: { id: string; why: string }[];
  skippedCount: number;
  stopped: string | undefined;
}

async function bulk(
  deps: CommandDeps,
  caller: Caller,
  query: DeadLetterQuery,
  options: BulkOptions,
  verb: 'replay' | 'discard',
  settle: Settle,
): Promise<BulkView> {
  const { dryRun, limit, ratePerSecond, reason } = options;
  const resumed = options.after === undefined ? undefined : parseNext(options.after);
  // What comes from now on (a replay that failed again) is for another run.
  const until = resumed?.until ?? deps.clock.now() + 1;
  const asked = await deadLetterFilter(deps, caller, query);
  const filter: DeadLetterFilter = { ...asked, state: 'open', to: Math.min(asked.to ?? until, until) };
  const matched = await deps.store.read((tx) => tx.deadLetters.count(caller.tenant, filter));
  const nextOf = (cursor: string | undefined) => (cursor === undefined ? {} : { next: `${until}~${cursor}` });
  if (dryRun)
    return deps.store.read(async (tx) => {
      const page = await tx.deadLetters.inOrder(caller.tenant, filter, pageOf(Math.min(limit, PAGE), resumed?.after));
      const ids = page.letters.map((letter) => letter.id);
      const summary = await deadLetterSummary(tx, caller, filter);
      return { dryRun, matched, done: 0, ids, skipped: [], failedAgain: {}, ...nextOf(page.nextAfter), summary };
    });
  const note = async (action: string, target: string, details: Readonly<Record<string, unknown>>) => {
    const entry = auditEntry(deps, caller, { action, target, details });
    await deps.store.transact((tx) => tx.audit.add(entry));
    return entry.id;
  };
  const begin = { query, matched, limit, ratePerSecond, reason };
  const run: Run = {
    id: await note(`dead-letter.bulk-${verb}`, queryText(query), begin),
    of: Math.min(matched, limit),
    watch: verb === 'replay' ? new ReplayWatch(deps.store, caller.tenant) : undefined,
    tried: 0,
    done: 0,
    ids: [],
    skipped: [],
    skippedCount: 0,
    stopped: undefined,
  };
  let cursor: string | undefined;
  try {
    cursor = await workOff(deps, caller, run, filter, options, settle, resumed?.after);
  } finally {
    const { done, stopped, skippedCount, watch } = run;
    const end = { done, skipped: skippedCount, failedAgain: watch?.failures, stopped };
    await note(`dead-letter.bulk-${verb}-end`, run.id, end);
  }
  const { id, done, ids, skipped, stopped, watch } = run;
  const failedAgain = { ...watch?.failures };
  const result = { dryRun, run: id, matched, done, ids, skipped, failedAgain };
  return { ...result, ...(stopped === undefined ? {} : { stopped }), ...nextOf(cursor) };
}

/** Page by page. Returns where the next run may go on; undefined: nothing is left. */
async function workOff(
  deps: CommandDeps,
  caller: Caller,
  run: Run,
  filter: DeadLetterFilter,
  options: BulkOptions,
  settle: Settle,
  from: string | undefined,
): Promise<string | undefined> {
  let after = from;
  for (;;) {
    const size = Math.min(PAGE, options.limit - run.tried);
    const page = await deps.store.read((tx) => tx.deadLetters.inOrder(caller.tenant, filter, pageOf(size, after)));
    await workOffPage(deps, caller, run, page.letters, options, settle);
    await options.settle?.();
    await look(run, options);
    // Within a page there is no place to go on from, and no need: what is settled is not found again.
    if (run.stopped !== undefined) return after ?? '';
    after = page.nextAfter;
    if (after === undefined || run.tried >= options.limit) return after;
  }
}

async function workOffPage(
  { store, clock }: CommandDeps,
  caller: Caller,
  run: Run,
  letters: readonly DeadLetter[],
  options: BulkOptions,
  settle: Settle,
): Promise<void> {
  const { signal, ratePerSecond, reason } = options;
  const decision = [`bulk ${run.id}`, ...(reason === undefined ? [] : [reason])].join(': ');
  const gapMs = ratePerSecond === undefined ? 0 : (1000 / ratePerSecond) * clock.speed;
  let dueAt = clock.monotonic();
  let lookedAt = dueAt;
  for (const letter of letters) {
    const wait = dueAt - clock.monotonic();
    if (wait > 0) await clock.sleep(wait, signal).catch(() => undefined);
    if (signal.aborted) run.stopped = 'called off';
    else if (clock.monotonic() - lookedAt >= LOOK_MS * clock.speed) {
      await look(run, options);
      lookedAt = clock.monotonic();
    }
    if (run.stopped !== undefined) return;
    dueAt += gapMs;
    const now = clock.now();
    const result = await store.transact((tx) => settle(tx, letter, { by: caller.ref, now, reason: decision }));
    run.tried++;
    if (result !== 'done') {
      run.skippedCount++;
      if (run.skipped.length < PAGE) run.skipped.push({ id: letter.id, why: SKIPPED[result] });
      continue;
    }
    run.done++;
    if (run.ids.length < PAGE) run.ids.push(letter.id);
    run.watch?.add({ id: letter.id, consumer: letter.consumer, eventId: letter.eventId, since: now });
  }
}

const SKIPPED: Readonly<Record<Exclude<ReplayResult, 'done'>, string>> = {
  unknown: 'there is no such letter any more',
  'not-open': 'somebody else decided on it',
  'event-gone': 'its event is no longer in the log: discard it',
};

async function look(run: Run, { failuresMax = 0, onProgress }: BulkOptions): Promise<void> {
  const streak = await run.watch?.look();
  if (streak !== undefined && failuresMax > 0 && streak.count >= failuresMax)
    run.stopped = `${streak.count} replays in a row failed again with ${streak.code}: mend the cause first`;
  const failedAgain = Object.values(run.watch?.failures ?? {}).reduce((sum, count) => sum + count, 0);
  onProgress?.({ tried: run.tried, of: run.of, failedAgain });
}

function pageOf(limit: number, after: string | undefined) {
  return { limit, ...(after === undefined || after === '' ? {} : { after }) };
}

/** `<until>~<cursor>`. Errors: `query-invalid`. */
function parseNext(text: string): { readonly until: number; readonly after: string } {
  const parts = /^(\d{1,15})~((?:\d{1,15}\.\w{1,80})?)$/.exec(text);
  if (parts !== null) return { until: Number(parts[1]), after: parts[2]! };
  throw new Problem(
    'query-invalid',
    `after: "${text.slice(0, 60)}" is no place to go on from; use \`next\` of the answer before.`,
    [{ path: 'after', message: 'not a `next` of ours' }],
  );
}
