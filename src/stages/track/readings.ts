import { TripwatchError } from '../../domain/errors.ts';
import type { Cost } from '../../domain/schedule/call-budget.ts';
import { isBoardCheaper } from '../../domain/schedule/choose-reading.ts';
import type { BatchResult, ProviderConnector, Unchanged } from '../../ports/provider.ts';
import type { Item } from './item.ts';

/** How a question is put: alone, with others in one call, or by the board that it stands on. Each has its own breaker and cost. */
export type Reading =
  | { readonly operation: 'readOne' }
  | { readonly operation: 'readMany'; readonly max: number }
  | { readonly operation: 'board'; readonly key: string };

export const ALONE: Reading = { operation: 'readOne' };

/** Of `unchanged` nothing is known but that; so everything is read now and then, and an end is found. */
const WHOLE_MS = 3_600_000;
/** Who does not stand on the board is asked alone for so long. */
const NOT_ON_BOARD_MS = 3_600_000;
/** One whose answer was bad among good ones is asked alone for so long, so that its trouble is its own. */
const BAD_IN_BATCH_MS = 600_000;
/** A board that failed is not read again before; a way of asking that the account may not use at all, not before. */
const FAILED_MS = 600_000;
const FORBIDDEN_MS = 6 * 3_600_000;

interface ReadingsParts {
  readonly connector: ProviderConnector;
  /** Ms between two questions about it while the calls allow it. */
  readonly intervalOf: (item: Item) => number;
  /** What one of these takes of the budget; 0: nothing is limited. */
  readonly priceOf: (operation: string) => number;
  /** Its breaker lets a question through. */
  readonly isAdmitted: (operation: string, now: number) => boolean;
}

/**
 * Chooses how what is due is asked, so that it costs the fewest calls, and asks. Boards and batches are used only after
 * the provider has answered a single question: what it refuses then is the way of asking, not the key.
 */
export class Readings {
  readonly #parts: ReadingsParts;
  readonly #boards = new Map<string, Set<Item>>();
  /** Until when a board, or a whole way of asking, is left alone. */
  readonly #avoided = new Map<string, number>();
  #answered = false;

  constructor(parts: ReadingsParts) {
    this.#parts = parts;
  }

  /** Every question is put alone. */
  get isPlain(): boolean {
    const { board, readMany } = this.#parts.connector;
    return board === undefined && readMany === undefined;
  }

  /** A new one, or one whose spec has changed. */
  put(item: Item): void {
    this.drop(item);
    item.board = this.#parts.connector.board?.keyOf(item.spec);
    if (item.board === undefined) return;
    const on = this.#boards.get(item.board) ?? new Set();
    this.#boards.set(item.board, on.add(item));
  }

  drop(item: Item): void {
    const on = item.board === undefined ? undefined : this.#boards.get(item.board);
    on?.delete(item);
    if (on?.size === 0) this.#boards.delete(item.board!);
  }

  /** How to ask about what is due now. What was woken is asked alone: that is the quickest. */
  choose(item: Item, now: number): Reading {
    const { connector, intervalOf, priceOf } = this.#parts;
    if (this.isPlain || !this.#answered || item.woken !== undefined || item.aloneUntil > now) return ALONE;
    const { board: key } = item;
    if (key !== undefined && this.#mayUse('board', now, key)) {
      const othersMs = this.withBoard(key, item, now).map(intervalOf);
      const prices = { costOne: priceOf('readOne'), costBoard: priceOf('board') };
      if (isBoardCheaper({ intervalMs: intervalOf(item), othersMs, ...prices })) return { operation: 'board', key };
    }
    const max = connector.capabilities.readManyMax ?? 1;
    if (connector.readMany === undefined || max < 2 || !this.#mayUse('readMany', now)) return ALONE;
    return { operation: 'readMany', max };
  }

  /** The others that a board tells of. */
  withBoard(key: string, item: Item, now: number): readonly Item[] {
    const on = this.#boards.get(key) ?? [];
    return [...on].filter((other) => other !== item && this.mayGoAlong(other, now));
  }

  /** May be asked along with others: its time has come, nothing is wrong with it. `first`: in one batch with that one. */
  mayGoAlong(item: Item | undefined, now: number, first?: Item): boolean {
    if (item === undefined) return false;
    const { spec } = item;
    const { connector } = this.#parts;
    if (first !== undefined && connector.batchOf?.(spec) !== connector.batchOf?.(first.spec)) return false;
    if (item.asking || item.resting || item.gone || item.aloneUntil > now) return false;
    return spec.fromAt <= now && now < spec.endAt;
  }

  /** Asks. One result for each, in their order. Errors: those of the connector. */
  async ask(
    reading: Reading,
    items: readonly Item[],
    signal: AbortSignal,
  ): Promise<readonly (BatchResult | Unchanged)[]> {
    const { connector } = this.#parts;
    const specs = items.map((item) => item.spec);
    if (reading.operation === 'readOne') return [await this.#askOne(items[0]!, signal)];
    const results =
      reading.operation === 'board'
        ? await connector.board!.read(reading.key, specs, signal)
        : await connector.readMany!(specs, signal);
    if (results.length === items.length) return results;
    throw new TripwatchError(
      'defect',
      'batch-incomplete',
      `${connector.label} answered ${results.length} of ${items.length} questions that were asked together.`,
    );
  }

  #askOne(item: Item, signal: AbortSignal): Promise<BatchResult | Unchanged> {
    const { connector } = this.#parts;
    if (item.token === undefined || item.wholeAt === undefined || connector.readIfChanged === undefined)
      return connector.readOne(item.spec, signal);
    return connector.readIfChanged(item.spec, item.token, signal);
  }

  /** An answer came. */
  answered(reading: Reading): void {
    if (reading.operation === 'readOne') this.#answered = true;
  }

  /** A question with others failed as a whole: each is asked alone for a while. `forbidden`: it may not be used at all. */
  failed(reading: Reading, now: number, forbidden: boolean): void {
    if (reading.operation === 'readOne') return;
    if (forbidden) this.#avoided.set(reading.operation, now + FORBIDDEN_MS);
    else if (reading.operation === 'board') this.#avoided.set(`board ${reading.key}`, now + FAILED_MS);
    else this.#avoided.set(reading.operation, now + FAILED_MS);
  }

  /** Asked with others it got no answer, or a bad one. */
  askAlone(item: Item, now: number, why: 'unanswered' | 'failed'): void {
    item.aloneUntil = now + (why === 'unanswered' ? NOT_ON_BOARD_MS : BAD_IN_BATCH_MS);
  }

  /** What was taken is what `token` stands for; undefined: nothing is known to compare with. */
  keepToken(item: Item, token: string | undefined, now: number): void {
    item.token = token;
    item.wholeAt = token === undefined ? undefined : now;
  }

  /** Everything is to be read again now and then. */
  forgetOldToken(item: Item, now: number): void {
    if (item.wholeAt !== undefined && now - item.wholeAt >= WHOLE_MS) this.keepToken(item, undefined, now);
  }

  #mayUse(operation: 'board' | 'readMany', now: number, key?: string): boolean {
    if (!this.#parts.isAdmitted(operation, now)) return false;
    for (const name of key === undefined ? [operation] : [operation, `${operation} ${key}`]) {
      const until = this.#avoided.get(name);
      if (until === undefined) continue;
      if (until > now) return false;
      this.#avoided.delete(name);
    }
    return true;
  }
}

/** What operations cost: as configured, else as the connector knows it, else one call each. */
export function costsOf(
  connector: ProviderConnector,
  configured: Readonly<Record<string, Cost>> | undefined,
): Readonly<Record<string, Cost>> {
  const { board } = connector.capabilities;
  return { ...(board === undefined ? {} : { board: { calls: board.calls } }), ...configured };
}
