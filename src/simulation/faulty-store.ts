import { effectBy, type SqlReadTx, type SqlStore, type SqlTx } from '../adapters/store/sql/sql-store.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { TransactOptions } from '../ports/store.ts';
import type { Rng } from '../sandbox/random.ts';
import type { Life } from './life.ts';

export interface StoreFaults {
  /** Refused before anything was done. */
  readonly busy: number;
  /** All was done, and undone. */
  readonly refused: number;
  /** The connection broke: the answer says that it failed, and it may be done or not. */
  readonly lost: number;
  readonly answerMsMax: number;
  readonly slow: number;
}

/** A slow answer, ms. */
const SLOW_MS = 20_000;
/** So often the way there takes time of its own; else only the commit and the way back do. */
const SLOW_WAY_THERE = 0.25;

/**
 * The store as one life sees it: its own connection to it, with waits around each call and the faults of the plan. A life
 * that ends while its call is under way never hears of it; what was not begun by then is not done.
 */
export function faultyStore(
  store: SqlStore,
  life: Life,
  faults: () => StoreFaults,
  draw: Rng,
  note: (text: string) => void,
): SqlStore {
  const wait = (): Promise<void> => {
    const { answerMsMax, slow } = faults();
    return life.wait(draw.chance(slow) ? SLOW_MS : draw.number() * answerMsMax);
  };
  const transact = async <T>(work: (tx: SqlTx) => Promise<T>, options?: TransactOptions): Promise<T> => {
    const fault = faultOf(draw.number(), faults());
    if (draw.chance(SLOW_WAY_THERE)) await wait();
    await life.point('store: before');
    if (fault === 'busy') {
      note('store: busy');
      throw storeError('store-busy');
    }
    const done = fault !== 'lost' || draw.chance(0.5);
    const run = async (tx: SqlTx): Promise<T> => {
      const made = await work(tx);
      if (fault === 'refused') throw storeError('store-disk-full');
      if (!done) throw storeError('store-lost');
      return made;
    };
    const value = await life.reach(store.transact(run, options));
    await life.point('store: after');
    await wait();
    if (fault === 'lost') {
      note('store: committed, and the connection broke');
      throw storeError('store-lost');
    }
    return value;
  };
  return {
    shards: store.shards,
    recent: store.recent,
    transact,
    effect: effectBy(transact),
    read: async <T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> => {
      const fails = draw.chance(faults().busy / 4);
      if (draw.chance(SLOW_WAY_THERE)) await wait();
      await life.point('store: read');
      if (fails) throw storeError('store-busy');
      return life.reach(store.read(work));
    },
    onAppended: (listener) => store.onAppended((topics, ours) => life.deliver(() => listener(topics, ours))),
    changedElsewhere: () => life.reach(store.changedElsewhere()),
    close: async () => {},
  };
}

function faultOf(number: number, chances: StoreFaults): 'busy' | 'refused' | 'lost' | undefined {
  const { busy, refused, lost } = chances;
  if (number < busy) return 'busy';
  if (number < busy + refused) return 'refused';
  return number < busy + refused + lost ? 'lost' : undefined;
}

function storeError(code: 'store-busy' | 'store-disk-full' | 'store-lost'): TripwatchError {
  return new TripwatchError('transient', code, 'made by the simulation');
}
