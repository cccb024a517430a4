import type { LogInsert } from './hooks.ts';

/** A row of the log with its number. */
export type LoggedRow = LogInsert & { readonly seq: number };

/** Rows that one reader has waiting at most, and characters of all of them together: what is beyond is in the store. */
const ROWS_MAX = 512;
const CHARS_MAX = 32 * 1024 * 1024;

/** A reader of one shard of a topic, or of everything. */
export interface RecentReader {
  /**
   * Rows after `after`, in order, at most `limit`, where none can be missing before or between them; undefined: only the
   * store can say. Whether others have appended behind the last of them is not known here. What was given is forgotten.
   */
  after(after: number, limit: number): readonly LoggedRow[] | undefined;
  stop(): void;
}

/**
 * What this process has appended to the log, for those in it who read the log: so that they need not ask the store for
 * what has just been handed to it. Pure memory, and never more than a shortcut.
 *
 * Numbers are given in the order of commits and each once, so appends whose numbers follow each other without a hole have
 * nothing of anybody else between them. Such a run is kept here. A hole (others append too, an answer was lost) ends it:
 * then the next begins, and a reader who stands before its beginning must ask the store.
 */
export class RecentRows {
  /** By topic, then by shard. */
  readonly #readers = new Map<string, Map<number, Set<Reader>>>();
  readonly #ofAll = new Set<Reader>();
  readonly #budget: Budget;
  /** The run: nothing is missing between this number and the last. */
  readonly #run = { from: Number.POSITIVE_INFINITY, last: Number.NaN, number: 0 };

  constructor(limits: { readonly rows: number; readonly chars: number } = { rows: ROWS_MAX, chars: CHARS_MAX }) {
    this.#budget = { rows: limits.rows, chars: limits.chars };
  }

  /** Rows of one commit, in the order of their numbers. */
  add(rows: readonly LoggedRow[]): void {
    for (const row of rows) {
      const run = this.#run;
      // Answers may come in another order than the commits: whoever has not read one that is late must ask for it.
      const late = row.seq <= run.last;
      if (late || row.seq !== run.last + 1) {
        run.from = late ? run.last : row.seq - 1;
        run.number++;
      }
      if (late) continue;
      run.last = row.seq;
      for (const reader of this.#ofAll) reader.offer(row);
      for (const reader of this.#readers.get(row.topic)?.get(row.shard) ?? NOBODY) reader.offer(row);
    }
  }

  /** Without a place: everything. */
  follow(place?: { readonly topic: string; readonly shard: number }): RecentReader {
    const readers = place === undefined ? this.#ofAll : this.#at(place);
    const reader: Reader = new Reader(this.#run, this.#budget, () => readers.delete(reader));
    readers.add(reader);
    return reader;
  }

  #at({ topic, shard }: { readonly topic: string; readonly shard: number }): Set<Reader> {
    const shards = this.#readers.getOrInsertComputed(topic, () => new Map());
    return shards.getOrInsertComputed(shard, () => new Set());
  }
}

const NOBODY: readonly Reader[] = [];

interface Run {
  readonly from: number;
  readonly last: number;
  readonly number: number;
}

/** What is left of what all may hold. */
interface Budget {
  readonly rows: number;
  chars: number;
}

class Reader implements RecentReader {
  readonly #run: Run;
  readonly #budget: Budget;
  readonly #onStop: () => void;
  #rows: LoggedRow[] = [];
  #runNumber: number;
  /** Nothing is missing between this number and the last of the run but what is here. */
  #from: number;
  #stopped = false;

  constructor(run: Run, budget: Budget, onStop: () => void) {
    this.#run = run;
    this.#budget = budget;
    this.#onStop = onStop;
    this.#runNumber = run.number;
    this.#from = run.number === 0 ? Number.POSITIVE_INFINITY : run.last;
  }

  offer(row: LoggedRow): void {
    this.#keepUp();
    if (this.#rows.length >= this.#budget.rows || this.#budget.chars < row.body.length) {
      this.#drop(this.#rows.length);
      this.#from = row.seq;
      return;
    }
    this.#budget.chars -= row.body.length;
    this.#rows.push(row);
  }

  after(after: number, limit: number): readonly LoggedRow[] | undefined {
    if (this.#stopped) return undefined;
    this.#keepUp();
    let known = 0;
    while (known < this.#rows.length && this.#rows[known]!.seq <= after) known++;
    if (known > 0) this.#from = this.#drop(known).at(-1)!.seq;
    if (after < this.#from) return undefined;
    const given = this.#drop(Math.min(limit, this.#rows.length));
    this.#from = given.at(-1)?.seq ?? this.#from;
    return given;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#drop(this.#rows.length);
    this.#onStop();
  }

  /** Of an earlier run nothing is worth keeping: who needs it asks the store, and gets what stood between as well. */
  #keepUp(): void {
    if (this.#runNumber === this.#run.number) return;
    this.#runNumber = this.#run.number;
    this.#from = this.#run.from;
    this.#drop(this.#rows.length);
  }

  #drop(count: number): readonly LoggedRow[] {
    if (count === 0) return [];
    const dropped = this.#rows.splice(0, count);
    for (const { body } of dropped) this.#budget.chars += body.length;
    return dropped;
  }
}
