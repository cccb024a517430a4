import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { TripwatchError } from '../../../domain/errors.ts';
import type { ExtractionResult } from '../../../domain/extract/claim.ts';
import type { DocumentInput } from '../../../domain/extract/document.ts';
import { mayHoldReservation } from '../../../domain/extract/precheck.ts';
import type { ExtractInput, Extractor } from '../../../ports/extractor.ts';
import type { Answer, Job } from './messages.ts';

export interface ExtractPoolOptions {
  /** Threads; by default one less than there are cores, at least one. They start when first needed. */
  readonly size?: number;
  /** Longest time for one document, from when a thread begins with it. */
  readonly deadlineMs?: number;
  /** Heap of one thread. Reaching it ends the thread, not the process. */
  readonly heapMb?: number;
  /** Documents waiting for a thread; more are refused as transient. */
  readonly waitingMax?: number;
  /** Passed on to the parser. */
  readonly limits?: DocumentInput['limits'];
  /** For tests: another thread file. */
  readonly workerUrl?: URL;
}

export interface ExtractPool extends Extractor {
  /** Ends all threads; what is under way is rejected as cancelled. */
  close(): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly signal: AbortSignal;
  readonly resolve: (result: ExtractionResult) => void;
  readonly reject: (error: TripwatchError) => void;
  readonly unlisten: () => void;
}

interface Thread {
  readonly worker: Worker;
  current: Waiting | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Set before it is ended on purpose, so that the exit is not taken for a crash of its document. */
  ended: boolean;
}

/** Documents up to this size are ruled out on the caller's thread where a byte search can do it: a fraction of a ms. */
const PRECHECK_BYTES_MAX = 256 * 1024;

/**
 * Parses in worker threads: a document that hangs, or takes more memory than a thread may have, loses its thread and is
 * rejected as poison (`parse-timeout`, `parse-memory`, `parse-crashed`); all others go on. Documents that cannot hold a
 * reservation never reach a thread.
 *
 * Not tinypool: it recycles threads by memory and time only between tasks, and cannot say which document ended one.
 */
export function createExtractPool(options: ExtractPoolOptions = {}): ExtractPool {
  const size = Math.max(1, options.size ?? availableParallelism() - 1);
  const deadlineMs = options.deadlineMs ?? 10_000;
  const waitingMax = options.waitingMax ?? 1000;
  const threads: Thread[] = [];
  const waiting: Waiting[] = [];
  let nextId = 1;
  let closed = false;

  function start(): Thread {
    const worker = new Worker(options.workerUrl ?? new URL('./worker.ts', import.meta.url), {
      // Nothing of the process' environment, arguments or output is the parser's business.
      env: {},
      execArgv: [],
      argv: [],
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb ?? 256, maxYoungGenerationSizeMb: 12, stackSizeMb: 4 },
    });
    const thread: Thread = { worker, current: undefined, timer: undefined, ended: false };
    worker.unref();
    worker.on('message', (answer: Answer) => settle(thread, answer));
    worker.on('error', (error: NodeJS.ErrnoException) => lose(thread, crashOf(error)));
    worker.on('exit', () =>
      lose(thread, new TripwatchError('poison', 'parse-crashed', 'the document ended its parser thread')),
    );
    threads.push(thread);
    return thread;
  }

  function pump(): void {
    while (waiting.length > 0 && !closed) {
      const thread = threads.find((one) => one.current === undefined) ?? (threads.length < size ? start() : undefined);
      const next = thread === undefined ? undefined : waiting.shift();
      if (thread === undefined || next === undefined) return;
      thread.current = next;
      thread.worker.ref();
      thread.timer = setTimeout(() => {
        lose(
          thread,
          new TripwatchError('poison', 'parse-timeout', `reading the document took more than ${deadlineMs} ms`),
        );
      }, deadlineMs);
      thread.worker.postMessage(next.job, [next.job.input.bytes.buffer as ArrayBuffer]);
    }
  }

  function free(thread: Thread): Waiting | undefined {
    const current = thread.current;
    thread.current = undefined;
    clearTimeout(thread.timer);
    current?.unlisten();
    return current;
  }

  function settle(thread: Thread, answer: Answer): void {
    if (thread.current?.job.id !== answer.id) return;
    const done = free(thread);
    thread.worker.unref();
    if ('result' in answer) done?.resolve(answer.result);
    else done?.reject(new TripwatchError(answer.failure.kind, answer.failure.code, answer.failure.message));
    pump();
  }

  /** The thread is gone, or is ended now; its document is rejected and the others get another thread. */
  function lose(thread: Thread, error: TripwatchError): void {
    if (thread.ended) return;
    thread.ended = true;
    const index = threads.indexOf(thread);
    if (index !== -1) threads.splice(index, 1);
    free(thread)?.reject(error);
    void thread.worker.terminate();
    pump();
  }

  return {
    extract(input: ExtractInput, signal: AbortSignal): Promise<ExtractionResult> {
      if (closed)
        return Promise.reject(new TripwatchError('cancelled', 'extractor-closed', 'the extractor is shutting down'));
      if (signal.aborted) return Promise.reject(cancelled(signal));
      if (input.bytes.byteLength <= PRECHECK_BYTES_MAX && !mayHoldReservation(input.bytes, input.fileName)) {
        return Promise.resolve({ claims: [], warnings: [] });
      }
      if (waiting.length >= waitingMax) {
        return Promise.reject(
          new TripwatchError('transient', 'extractor-busy', `${waitingMax} documents already wait for the parser`),
        );
      }
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          const index = waiting.indexOf(entry);
          // Under way it is left to finish: its thread is needed again. Its answer is dropped.
          if (index !== -1) waiting.splice(index, 1);
          reject(cancelled(signal));
        };
        const entry: Waiting = {
          // A copy of its own is handed over: the caller's bytes may be a view of a shared buffer.
          job: {
            id: nextId++,
            input: {
              ...input,
              bytes: new Uint8Array(input.bytes),
              ...(options.limits === undefined ? {} : { limits: options.limits }),
            },
          },
          signal,
          resolve,
          reject,
          unlisten: () => signal.removeEventListener('abort', onAbort),
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(entry);
        pump();
      });
    },
    async close() {
      closed = true;
      const error = new TripwatchError('cancelled', 'extractor-closed', 'the extractor is shutting down');
      for (const entry of waiting.splice(0)) {
        entry.unlisten();
        entry.reject(error);
      }
      const ending = threads.splice(0).map((thread) => {
        thread.ended = true;
        free(thread)?.reject(error);
        return thread.worker.terminate();
      });
      await Promise.all(ending);
    },
  };
}

function cancelled(signal: AbortSignal): TripwatchError {
  return new TripwatchError('cancelled', 'extract-cancelled', 'reading the document was cancelled', {
    cause: signal.reason,
  });
}

function crashOf(error: NodeJS.ErrnoException): TripwatchError {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new TripwatchError('poison', 'parse-memory', 'reading the document took more memory than one document may have', {
        cause: error,
      })
    : new TripwatchError('poison', 'parse-crashed', 'the document ended its parser thread', { cause: error });
}
