/**
 * A process of a chaos run: brings numbers in and works on them, until it is killed. It loads its modules, waits for its
 * orders as one line of JSON on stdin (WorkerOrders), and prints what happens, a line each:
 *
 *   ready                its stages run
 *   trying 1,2,3         these are about to be appended
 *   acked 1,2,3          these are durable
 *   point NAME           it kills itself at a named point
 *   counts {…}           what it has counted, each time something changed
 *
 * Further lines on stdin: `quiet` ends the bringing in. SIGTERM stops it in good order; so does the end of stdin, that is
 * of whoever started it.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { createClock } from '../../src/adapters/clock/system.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { WorkerIdentity } from '../../src/runtime/keeper.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { seededRandom } from '../contract/broker/rig.ts';
import { openBroker, openStore, type Place, UNANSWERED } from './back-ends.ts';
import { brokerWithPoints, type Counts, type Point, Points, storeWithPoints } from './points.ts';
import { appendSeen, handlersOf, onDeadLetter, STAGES, type WorkOptions } from './workload.ts';

export interface WorkerOrders {
  readonly place: Place;
  readonly worker: WorkerIdentity;
  readonly seed: number;
  readonly work: WorkOptions;
  /** Numbers to bring in: first those that an earlier process has left without knowing, then one after the other. */
  readonly bring?: {
    readonly again: readonly number[];
    readonly from: number;
    readonly atOnce: number;
    readonly everyMs: number;
  };
  readonly point?: Point;
  /** A guarantee to be left out, to see that the checks find out. */
  readonly broken?: 'unmarked' | 'unfenced';
}

export interface WorkerCounts extends Counts {
  processed: number;
  repeats: number;
  released: number;
  stalled: number;
}

const say = (line: string): void => void writeSync(1, `${line}\n`);
const lines = createInterface({ input: process.stdin });
const [first] = (await new Promise<string[]>((resolve) => lines.once('line', (line) => resolve([line])))) as [string];
if (first === 'warm') {
  // Loads what others will need and leaves it in the compile cache.
  await import('../../src/adapters/store/sqlite/store.ts');
  await import('../../src/adapters/store/postgres/store.ts');
  await import('../../src/adapters/broker/nats/carrier.ts');
  await import('../../src/adapters/owner/owner-lock.ts');
  flushCompileCache();
  process.exit(0);
}
const orders = JSON.parse(first) as WorkerOrders;
const { place, worker, work, seed, bring, broken } = orders;

const clock = createClock();
const random = seededRandom(seed);
const logger = loggerOf({});
const counts: WorkerCounts = { lateEffects: 0, lateWrites: 0, processed: 0, repeats: 0, released: 0, stalled: 0 };
const points = new Points(orders.point);

if (place.kind === 'sqlite') {
  const { tryOwn } = await import('../../src/adapters/owner/owner-lock.ts');
  if (tryOwn(place.folder, new Date().toISOString()) === undefined) throw new Error('another process owns the folder');
}
const bare = await openStore(place, { clock, logger }).catch((error: unknown) => {
  if (!(error instanceof TripwatchError) || error.code !== 'store-lost') throw error;
  // Whoever runs the service starts it again.
  logger.error({ error: String(error) }, 'the database did not answer at the start');
  process.exit(UNANSWERED);
});
const store = storeWithPoints(bare, points, counts, broken);
const { broker, groups, close } = await openBroker(place, { store, clock, logger });
const runtime = createRuntime({
  ...{ store, clock, random, logger, worker, groups, onDeadLetter },
  broker: brokerWithPoints(broker, points),
  stages: STAGES,
  handlers: handlersOf(bare, random, work, () => points.pass('in handler')),
});
runtime.on((event) => {
  if (event.type === 'processed') counts[event.repeat ? 'repeats' : 'processed']++;
  else if (event.type === 'released' || event.type === 'stalled') counts[event.type]++;
});
const bringing = new AbortController();
let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  void (async () => {
    bringing.abort();
    await brought;
    await runtime.drain(5000);
    await close();
    await bare.close();
    tellCounts();
    process.exit(0);
  })();
};
let brought: Promise<void> | undefined;
process.on('SIGTERM', end);
lines.on('line', (line) => {
  if (line === 'quiet') bringing.abort();
});
lines.on('close', end);
await runtime.start();
say('ready');
brought = bringIn();
let told = '';
const tellCounts = (): void => {
  const text = JSON.stringify(counts);
  if (text !== told) say(`counts ${text}`);
  told = text;
};
setInterval(tellCounts, 100).unref();

async function bringIn(): Promise<void> {
  if (bring === undefined) return;
  const { signal } = bringing;
  await append(bring.again, signal);
  for (let n = bring.from; !signal.aborted; n += bring.atOnce) {
    await append(
      Array.from({ length: bring.atOnce }, (_, i) => n + i),
      signal,
    );
    await clock.sleep(random.number() * 2 * bring.everyMs, signal).catch(() => undefined);
  }
}

/** Until it is in: what is not known to be in is appended again, as the same event. */
async function append(numbers: readonly number[], signal: AbortSignal): Promise<void> {
  if (numbers.length === 0) return;
  say(`trying ${numbers.join()}`);
  while (!signal.aborted) {
    try {
      await appendSeen(store, numbers);
      say(`acked ${numbers.join()}`);
      return;
    } catch (error) {
      logger.warn({ error: String(error) }, 'could not append; trying again');
      await clock.sleep(50, signal).catch(() => undefined);
    }
  }
}

/** To stderr, which goes to a file of the run. */
function loggerOf(bound: object): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    void writeSync(
      2,
      `${JSON.stringify({ at: Date.now(), worker: worker.id, level, message, ...bound, ...fields })}\n`,
    );
  const none = () => {};
  return {
    debug: none,
    info: none,
    warn: write('warn'),
    error: write('error'),
    child: (more) => loggerOf({ ...bound, ...more }),
  };
}
