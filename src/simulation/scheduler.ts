import type { Clock } from '../ports/clock.ts';
import type { Rng } from '../sandbox/random.ts';
import type { Trace } from './trace.ts';

/** Captured before any guard is installed: the only real turn of the event loop that a simulation takes. */
const realImmediate = globalThis.setImmediate;
/**
 * Steps asked for ahead. Node runs every promise between two immediates, so each step is a turn of its own; but a round
 * of its event loop, with all that it looks at, is paid once for so many.
 */
const STEPS_AHEAD = 64;
/** An ordinary run has some ten thousand: more than this is a loop that spins. */
const STEPS_MAX = 500_000;

interface Entry {
  readonly at: number;
  readonly tie: number;
  readonly seq: number;
  readonly label: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** Nothing is left that could ever happen, and somebody still waits. */
export class StandstillError extends Error {}

/**
 * Virtual time. Everything that takes time is an entry of one heap, ordered by (time, a number drawn from the seed,
 * sequence). One entry is run, then all that it made runnable runs to its end (promises, in the order that the program
 * gives them), then the next: so chance enters the order of things only here.
 */
export class Scheduler {
  readonly startAt: number;
  readonly speed: number;
  readonly #ties: Rng;
  readonly #trace: Trace;
  readonly #heap: Entry[] = [];
  #now: number;
  #seq = 0;
  #steps = 0;

  /** `speed`: as `Clock.speed`; it makes the intervals that count in real time longer, and so a day cheaper. */
  constructor(options: {
    readonly startAt: number;
    readonly speed: number;
    readonly ties: Rng;
    readonly trace: Trace;
  }) {
    this.startAt = options.startAt;
    this.speed = options.speed;
    this.#now = options.startAt;
    this.#ties = options.ties;
    this.#trace = options.trace;
  }

  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Runs later, unless the function that it returns is called before. */
  after(ms: number, label: string, run: () => void): () => void {
    const at = this.#now + Math.max(0, ms);
    const entry: Entry = { at, tie: this.#ties.number(), seq: this.#seq++, label, run, cancelled: false };
    this.#push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  note(text: string): void {
    this.#trace.add(this.#now - this.startAt, text);
  }

  /**
   * Time for a part of the world. `deliver`: gets what a sleep that is over would set going; a process that is gone never
   * runs it, one that stands still does so later. `wallOffset`: how much its wall clock is ahead, ms.
   */
  clock(deliver: (run: () => void) => void = (run) => run(), wallOffset: () => number = () => 0): Clock {
    return {
      speed: this.speed,
      now: () => Math.trunc(this.#now + wallOffset()),
      monotonic: () => this.#now - this.startAt,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) {
            reject(signal.reason);
            return;
          }
          const cancel = this.after(ms, 'timer', () => {
            deliver(() => {
              signal.removeEventListener('abort', onAbort);
              resolve();
            });
          });
          const onAbort = (): void => {
            cancel();
            reject(signal.reason);
          };
          signal.addEventListener('abort', onAbort, { once: true });
        }),
    };
  }

  /** Runs the world until the work is done. Errors: the work's; StandstillError; a RangeError after `stepsMax`. */
  async runUntil<T>(work: Promise<T>, stepsMax = STEPS_MAX): Promise<T> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    work.then(finish, finish);
    await new Promise<void>((resolve, reject) => {
      let over = false;
      const step = (): void => {
        if (over) return;
        try {
          if (done) over = true;
          else this.#step(stepsMax);
        } catch (error) {
          over = true;
          reject(error);
        }
        if (over) resolve();
        else realImmediate(step);
      };
      for (let ahead = 0; ahead < STEPS_AHEAD; ahead++) realImmediate(step);
    });
    return work;
  }

  /** One entry. Errors: what it throws; StandstillError; a RangeError. */
  #step(stepsMax: number): void {
    const entry = this.#pop();
    if (entry === undefined) throw new StandstillError('nothing is left to happen, and the run has not ended');
    if (++this.#steps > stepsMax) throw new RangeError(`more than ${stepsMax} steps`);
    this.#now = Math.max(this.#now, entry.at);
    this.#trace.add(this.#now - this.startAt, entry.label, true);
    entry.run();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** The next entry that was not called off. */
  #pop(): Entry | undefined {
    for (;;) {
      const top = this.#popAny();
      if (top === undefined || !top.cancelled) return top;
    }
  }

  #popAny(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function before(a: Entry, b: Entry): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.seq < b.seq;
}
