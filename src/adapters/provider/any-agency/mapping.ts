import { Worker } from 'node:worker_threads';
import { TripwatchError } from '../../../domain/errors.ts';

/** Expressions over one input: single values, and groups of contexts with values each and a list below. */
export interface MappingJob {
  readonly input: unknown;
  readonly values: Readonly<Record<string, string>>;
  readonly groups: readonly MappingGroup[];
}
export interface MappingGroup {
  /** Gives the contexts; absent: the input itself. */
  readonly each?: string;
  readonly values: Readonly<Record<string, string>>;
  readonly inner?: { readonly each: string; readonly values: Readonly<Record<string, string>> };
}
export interface MappingResult {
  readonly values: Readonly<Record<string, unknown>>;
  readonly groups: readonly (readonly {
    readonly values: Readonly<Record<string, unknown>>;
    readonly inner: readonly Readonly<Record<string, unknown>>[];
  }[])[];
}

/** Runs expressions where they can do no harm. */
export interface Mapper {
  /** Errors: permanent `mapping-failed` where an expression fails, takes too long or too much memory. */
  map(job: MappingJob): Promise<MappingResult>;
  close(): Promise<void>;
}

/** Real time for all expressions over one answer; some milliseconds are usual. */
const MAPPING_MS_MAX = 2000;
const HEAP_MB_MAX = 48;
/** Real time until a thread is there; a busy machine takes seconds. */
const START_MS_MAX = 30_000;

export function createMapper(options: { readonly msMax?: number } = {}): Mapper {
  const msMax = options.msMax ?? MAPPING_MS_MAX;
  let worker: Worker | undefined;
  let ready: Promise<void> = Promise.resolve();
  let serial = 0;
  // One after the other: so the time of one is not spent by another.
  let last: Promise<unknown> = Promise.resolve();

  function thread(): Worker {
    if (worker !== undefined) return worker;
    const made = new Worker(new URL('./mapping.worker.ts', import.meta.url), {
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, stackSizeMb: 2 },
      stdout: true,
      stderr: true,
    });
    made.unref();
    // Whoever waits hears of it below; one that breaks while it is ended must not bring down the process.
    made.on('error', () => {});
    made.on('exit', () => {
      if (worker === made) worker = undefined;
    });
    worker = made;
    ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(failed('its thread does not start'));
        void made.terminate();
      }, START_MS_MAX);
      made.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
      made.once('exit', () => {
        clearTimeout(timer);
        reject(failed('its thread ended'));
      });
    });
    return made;
  }

  async function once(job: MappingJob): Promise<MappingResult> {
    const at = thread();
    await ready;
    const id = ++serial;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        at.off('message', answered);
        at.off('error', broke);
        at.off('exit', ended);
        settle();
      };
      const stop = (why: string): void => {
        end(() => reject(failed(why)));
        if (worker === at) worker = undefined;
        void at.terminate();
      };
      const answered = (message: { id?: number; result?: MappingResult; failed?: string }): void => {
        if (message.id !== id) return;
        end(() =>
          message.result === undefined ? reject(failed(`JSONata says ${message.failed}`)) : resolve(message.result),
        );
      };
      const broke = (): void => stop(`it needs more than ${HEAP_MB_MAX} MB`);
      const ended = (): void => stop('its thread ended');
      const timer = setTimeout(() => stop(`it takes longer than ${msMax} ms`), msMax);
      at.on('message', answered);
      at.on('error', broke);
      at.on('exit', ended);
      at.postMessage({ id, job });
    });
  }

  return {
    map: (job) => {
      const mine = last.then(() => once(job));
      last = mine.catch(() => {});
      return mine;
    },
    close: async () => {
      await last;
      const closing = worker;
      worker = undefined;
      await closing?.terminate();
    },
  };
}

function failed(why: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'mapping-failed',
    `The description of the connector does not get along with an answer: ${why}. Check its expressions.`,
  );
}
