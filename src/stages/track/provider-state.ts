import type { ProviderState } from '../../contracts/provider-state.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Store } from '../../ports/store.ts';
import type { ChangeList } from './change-list.ts';
import type { AccountHealth } from './health.ts';

/**
 * Keeps what an account has learned about its provider in the store, so that who goes on with it (after a restart, a
 * take-over) obeys the same walls and limits. The store writes under the lease of the account.
 */
export interface KeptState {
  /** Gives to the account what is stored. Errors: those of the store. */
  restore(): Promise<void>;
  /** Stores it now. Errors: those of the store. */
  save(): Promise<void>;
  /** Stores what changed until the signal aborts, then once more. */
  run(signal: AbortSignal): Promise<void>;
}

/** Real time between two looks for what has changed little by little; a wall is stored at once. */
const KEEP_MS = 30_000;

export function keepState(
  account: string,
  health: AccountHealth,
  parts: { readonly store: Store; readonly clock: Clock },
  logger: Logger,
  list?: ChangeList,
): KeptState {
  const { store, clock } = parts;
  let stored = '';
  let wanted = false;
  let ring: (() => void) | undefined;

  health.onLearned = (soon) => {
    if (!soon) return;
    wanted = true;
    ring?.();
  };

  const snapshot = (now: number): ProviderState => {
    const read = list?.snapshot;
    return { ...health.snapshot(now), ...(read === undefined ? {} : { list: read }) };
  };

  async function save(): Promise<void> {
    const now = clock.now();
    const state = snapshot(now);
    const text = JSON.stringify(state);
    if (text === stored) return;
    await store.transact((tx) => tx.providerState.put(account, state, now));
    stored = text;
  }

  const trySave = (): Promise<void> =>
    save().catch((error: unknown) =>
      logger.warn({ error: String(error) }, 'what was learned about the provider could not be stored'),
    );

  return {
    restore: async () => {
      const state = await store.read((tx) => tx.providerState.get(account));
      if (state === undefined) return;
      health.restore(state, clock.now());
      list?.restore(state.list);
      stored = JSON.stringify(snapshot(clock.now()));
      wanted = false;
    },
    save,
    run: async (signal) => {
      while (!signal.aborted) {
        const rung = new AbortController();
        ring = () => rung.abort();
        if (!wanted) await clock.sleep(KEEP_MS * clock.speed, AbortSignal.any([rung.signal, signal])).catch(() => {});
        ring = undefined;
        wanted = false;
        await trySave();
      }
      await trySave();
    },
  };
}
