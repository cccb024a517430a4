import { parentPort, workerData } from 'node:worker_threads';
import { makeInput } from './mutate.ts';
import { Chance } from './random.ts';
import { run, type Target } from './targets.ts';

/**
 * The thread that reads what it makes: from a number on, until it is ended. It writes the number it is at where its parent can see
 * it, so that an input that ends or holds up the thread is known. Times are CPU times of this thread: others use the machine too.
 */
export interface FuzzJob {
  readonly seed: number;
  readonly from: number;
  readonly until: number;
  readonly slowMs: number;
  /** Number of the input that is being read. */
  readonly at: SharedArrayBuffer;
}
export interface FuzzFinding {
  readonly number: number;
  readonly target: Target;
  readonly kind: 'crash' | 'slow';
  readonly message: string;
}

const { seed, from, until, slowMs, at } = workerData as FuzzJob;
const port = parentPort!;
const place = new Float64Array(at);

for (let number = from; number < until; number++) {
  place[0] = number;
  const { target, bytes } = makeInput(new Chance(Math.imul(seed, 0x9e3779b1) + number));
  const before = process.threadCpuUsage();
  try {
    run(target, bytes);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
    port.postMessage({ number, target, kind: 'crash', message } satisfies FuzzFinding);
  }
  const { user, system } = process.threadCpuUsage(before);
  const ms = (user + system) / 1000;
  if (ms > slowMs)
    port.postMessage({
      number,
      target,
      kind: 'slow',
      message: `${Math.round(ms)} ms for ${bytes.length} bytes`,
    } satisfies FuzzFinding);
}
place[0] = until;
