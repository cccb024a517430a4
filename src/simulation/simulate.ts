import { REFUSED_MS } from '../domain/limits.ts';
import type { Logger } from '../ports/logger.ts';
import { DEFAULT_START_AT, makeDay } from '../sandbox/scenario/day.ts';
import { HOUR, MINUTE } from '../sandbox/scenario/types.ts';
import { RETRY_DELAYS_MS } from '../stages/notify/schedule.ts';
import { STAGES } from '../stages/stages.ts';
import { checkAll } from './check/all.ts';
import type { Violation } from './check/violation.ts';
import { installGuard } from './guard.ts';
import { emptyHistory, type History } from './history.ts';
import { lookIntoLedger } from './ledger.ts';
import { parcelsOf, startMailers } from './mailers.ts';
import { LEASE_MS, type Plan, planOf } from './plan.ts';
import type { Planted } from './process.ts';
import { leftToDo, PENDING } from './quiet.ts';
import { Scheduler } from './scheduler.ts';
import { streamsOf } from './streams.ts';
import { lookInto, readTables, type Tables } from './tables.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  /** Length of the phase with faults, virtual hours, at least 6. */
  readonly hours?: number;
  /** Keep the lines of the trace. */
  readonly trace?: boolean;
  readonly planted?: Planted;
  /** Replaces parts of the drawn plan: for tests that want one fault for sure. */
  readonly plan?: (drawn: Plan) => Plan;
}

export interface SimulationResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** Of every step and every event: equal for equal runs. */
  readonly hash: string;
  readonly trace: readonly string[];
  readonly history: History;
  readonly steps: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** After the last fault: everything but webhooks is done within this virtual time … */
const QUIET_MS = 3 * HOUR;
/** … and so many real ones as the longest deadline of an attempt that hung just before, and work that changes hands, take. */
const quietMsMax = ({ speed, extractor }: Plan): number =>
  QUIET_MS +
  (Math.max(...STAGES.map((stage) => stage.deadlineMs)) + REFUSED_MS + 2 * LEASE_MS) * speed +
  // A mail that ends its readers does so again until it is set aside: each is down for a while, and its work lies still.
  (extractor.killer > 0 ? KILLED_READERS_MAX * 3 * LEASE_MS * speed : 0);
/** Mails that end their readers, times the readers that each ends. */
const KILLED_READERS_MAX = 12;
const LOOK_MS = 10 * MINUTE;
/** During the faults, what may only grow is counted so often. */
const COUNT_MS = HOUR;
/** A stop in good order, and the looks before it, take at most this long. */
const STOP_MS_MAX = 2 * HOUR;

/**
 * One run: a day with faults, then none, then everything must come to rest within a bound, then the process is stopped
 * and the checkers look at what is stored and what the outside world saw. Pure in its seed: the same seed, code and Node
 * give the same hash. One at a time in a process (see guard.ts).
 */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const streams = streamsOf(seed);
  const drawn = planOf(seed, streams, options.hours === undefined ? {} : { hours: options.hours });
  const plan = options.plan?.(drawn) ?? drawn;
  const { hours, travellers, flights } = plan;
  const scenario = makeDay({ seed, travellers, flights, hours, startAt: DEFAULT_START_AT });
  const parcels = parcelsOf(scenario, plan, streams('mails'));
  const trace = new Trace({ keep: options.trace ?? false });
  const history = emptyHistory();
  const scheduler = new Scheduler({ startAt: DEFAULT_START_AT, speed: plan.speed, ties: streams('ties'), trace });
  const logger = noting((line) => scheduler.note(line));

  const onRejection = (error: unknown): void => {
    history.faults.push({ invariant: 'I10', message: `a promise was rejected and nobody heard: ${String(error)}` });
  };
  process.on('unhandledRejection', onRejection);
  const removeGuard = installGuard();
  // Nobody reads the stacks of thousands of errors that are part of the plan; making them would take a tenth of a run.
  const { stackTraceLimit } = Error;
  if (options.trace !== true) Error.stackTraceLimit = 0;
  let tables: Tables | undefined;
  try {
    const planted = options.planted ?? {};
    const world = new World(scenario, { plan, scheduler, streams, history, planted }, logger);
    const lookIntoMailboxes = async (last = false): Promise<void> => {
      const { mailServer, store } = world;
      if (mailServer === undefined) return;
      history.ledgers.push({ at: scheduler.now, last, ...(await lookIntoLedger(store, mailServer)) });
    };
    const run = async (): Promise<Tables> => {
      await world.furnish(scenario);
      world.start();
      const mailers = startMailers({
        parcels,
        mailboxes: world.mailboxes,
        scheduler,
        draw: streams('mailers'),
        history,
        deliver: (to, bytes) => world.mailServer?.deliver(to, bytes) ?? false,
        doors: () => world.doors,
      });
      const clock = scheduler.clock();
      for (let at = 0; at < hours * HOUR; at += COUNT_MS) {
        await clock.sleep(Math.min(COUNT_MS, hours * HOUR - at), NEVER);
        history.looks.push({ at: scheduler.now, ...(await lookInto(world.store)) });
        await lookIntoMailboxes();
      }
      world.heal();
      const quietAt = scheduler.now + quietMsMax(plan);
      const boundAt = scheduler.now + Math.max(quietMsMax(plan), webhookMsMax(hours));
      for (;;) {
        await clock.sleep(LOOK_MS, NEVER);
        const when = { healedAt: history.healedAt, now: scheduler.now };
        // Webhooks may wait for hours by their own schedule; the rest may not.
        const overdue = scheduler.now > quietAt;
        const left = await leftToDo(world, mailers, when, overdue);
        if (left.length === 0) break;
        if ((overdue && left.some((one) => !isWebhook(one))) || scheduler.now > boundAt) {
          const message = `not quiet ${Math.round((scheduler.now - history.healedAt) / MINUTE)} min after the last fault`;
          history.faults.push({ invariant: 'I16', message: `${message}: ${left.join('; ')}` });
          break;
        }
      }
      history.quietAt = scheduler.now;
      await world.close();
      await lookIntoMailboxes(true);
      const read = await readTables(world.store);
      for (const mail of read.mails)
        if (mail.raw !== undefined && !world.blobs.has(mail.raw))
          history.faults.push({ invariant: 'I1', message: `the bytes of mail ${mail.id} are gone` });
      return read;
    };
    const endMs = hours * HOUR + Math.max(quietMsMax(plan), webhookMsMax(hours)) + STOP_MS_MAX;
    const tooLong = scheduler
      .clock()
      .sleep(endMs, NEVER)
      .then(() => undefined);
    tables = await scheduler.runUntil(Promise.race([run(), tooLong]));
  } catch (error) {
    history.faults.push({ invariant: 'I16', message: `the run broke off: ${String(error)}` });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    try {
      removeGuard();
    } catch (error) {
      history.faults.push({ invariant: 'determinism', message: String(error) });
    }
    process.off('unhandledRejection', onRejection);
  }
  for (const { event } of tables?.log ?? []) scheduler.note(`log: ${event.topic} ${event.id}`);
  for (const { reservation } of tables?.reservations ?? [])
    scheduler.note(`reservation: ${reservation.id} ${reservation.version} ${reservation.digest}`);
  const violations = checkAll({ tables, history, plan });
  return {
    seed,
    plan,
    violations,
    hash: trace.digest(),
    trace: trace.lines,
    history,
    steps: scheduler.steps,
    virtualMs: scheduler.now - scheduler.startAt,
    counts: countsOf(history, tables),
  };
}

const NEVER = new AbortController().signal;

const isWebhook = (line: string): boolean => line.endsWith(PENDING);

/** The longest wait that the webhook schedule can have begun within so many hours, with its jitter and some room. */
function webhookMsMax(hours: number): number {
  let since = 0;
  for (const delay of RETRY_DELAYS_MS) {
    if (since > hours * HOUR) break;
    since += delay;
  }
  return since * 1.2 + 2 * HOUR;
}

function mailboxCounts({ ledgers, refusedSignIns, pushes }: History): Readonly<Record<string, number>> {
  const receipts = ledgers.at(-1)?.mailboxes.flatMap((one) => one.receipts) ?? [];
  return {
    listed: receipts.length,
    vanished: receipts.filter((one) => one.disposition === 'vanished').length,
    refusedSignIns: refusedSignIns.length,
    pushed: pushes.filter((one) => !one.forged).length,
    forged: pushes.filter((one) => one.forged).length,
  };
}

/** Warnings and errors of the product are part of the trace. */
function noting(note: (line: string) => void): Logger {
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    note(`${level}: ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: log('warn'),
    error: log('error'),
    child: () => logger,
  };
  return logger;
}

function countsOf(history: History, tables: Tables | undefined): Readonly<Record<string, number>> {
  const of = (type: string): number => history.runtime.filter(({ event }) => event.type === type).length;
  return {
    mails: tables?.mails.length ?? 0,
    events: tables?.log.length ?? 0,
    reservations: tables?.reservations.length ?? 0,
    versions: tables?.versions.length ?? 0,
    gone: history.looks.at(-1)?.counts.gone ?? 0,
    calls: history.calls.length,
    posts: history.posts.length,
    crashes: history.crashes,
    restarts: history.restarts,
    pauses: history.pauses,
    powerLosses: history.powerLosses,
    points: history.points,
    taken: history.taken.length,
    lost: history.runtime.filter(({ event }) => event.type === 'released' && event.reason === 'lease').length,
    retried: of('retried'),
    dead: of('dead'),
    released: of('released'),
    repeats: history.runtime.filter(({ event }) => event.type === 'processed' && event.repeat).length,
    ...mailboxCounts(history),
    providerPushed: history.providerPushes.filter(({ verdict }) => verdict === 'accepted').length,
    providerForged: history.providerPushes.filter(({ forged, verdict }) => forged && verdict === 'refused').length,
    forgottenWalls: history.calls.filter((call) => (call.anyoneToldTo ?? 0) > call.at).length,
  };
}
