import type { SqliteStore, SqlReadTx, SqlTx } from '../adapters/store/sqlite/store.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Rng } from '../sandbox/random.ts';
import { type Life, never } from './life.ts';

export interface StoreFaults {
  readonly busy: number;
  readonly refused: number;
  readonly unknown: number;
  /** The process is killed at this very call, before the work or after its commit. */
  readonly crash: number;
  readonly answerMsMax: number;
  readonly slow: number;
}

/** A slow answer, ms. */
const SLOW_MS = 20_000;

/**
 * The store as one life sees it: the real one, with waits around each call and the faults of the plan. A life that ends
 * while its call is under way never hears of it; what was not begun by then is not done.
 *
 * `unknown` (durable, but told that it failed) is beyond what the port promises; it stands for a database behind a
 * network. It is for works of the stages and edges: the broker in the same file keeps to the port.
 */
export function faultyStore(
  store: SqliteStore,
  life: Life,
  faults: () => StoreFaults,
  draw: Rng,
  world: { readonly note: (text: string) => void; readonly crash: () => void },
): SqliteStore {
  const { note } = world;
  const wait = (): Promise<void> => {
    const { answerMsMax, slow } = faults();
    return life.pause(draw.chance(slow) ? SLOW_MS : draw.number() * answerMsMax);
  };
  return {
    transact: async <T>(work: (tx: SqlTx) => Promise<T>): Promise<T> => {
      const { busy, refused, unknown, crash } = faults();
      const fault = faultOf(draw.number(), { busy, refused, unknown });
      const crashes = draw.chance(crash) ? draw.pick(['before', 'after'] as const) : undefined;
      await wait();
      if (crashes === 'before') {
        world.crash();
        return never();
      }
      if (fault === 'busy') {
        note('store: busy');
        throw storeError('store-busy');
      }
      const value = await life.reach(
        store.transact(async (tx) => {
          if (!life.alive) throw storeError('store-closed');
          const made = await work(tx);
          if (fault === 'refused') throw storeError('store-disk-full');
          return made;
        }),
      );
      if (crashes === 'after') {
        world.crash();
        return never();
      }
      await wait();
      if (fault === 'unknown') {
        note('store: committed, but told that it failed');
        throw storeError('store-busy');
      }
      return value;
    },
    read: async <T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> => {
      const { busy } = faults();
      const fails = draw.chance(busy / 4);
      await wait();
      if (fails) throw storeError('store-busy');
      return life.reach(store.read(work));
    },
    onAppended: (listener) =>
      store.onAppended((topics) => {
        if (life.alive) listener(topics);
      }),
    dataVersion: () => store.dataVersion(),
    close: async () => {},
  };
}

function faultOf(
  number: number,
  chances: { readonly busy: number; readonly refused: number; readonly unknown: number },
): 'busy' | 'refused' | 'unknown' | undefined {
  const { busy, refused, unknown } = chances;
  if (number < busy) return 'busy';
  if (number < busy + refused) return 'refused';
  return number < busy + refused + unknown ? 'unknown' : undefined;
}

function storeError(code: 'store-busy' | 'store-disk-full' | 'store-closed'): TripwatchError {
  return new TripwatchError(code === 'store-closed' ? 'cancelled' : 'transient', code, 'made by the simulation');
}
