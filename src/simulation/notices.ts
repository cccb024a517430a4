import type { Appended, AppendedListener } from '../adapters/store/sql/sql-store.ts';
import type { Rng } from '../sandbox/random.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';

export interface NoticeFaults {
  /** Chance that another process is not told. */
  readonly lost: number;
  /** Longest way of a notice, ms. */
  readonly msMax: number;
}

/** What processes on one store hear of each other's appends: late, or not at all. Their own they hear at once. */
export class Notices {
  readonly #scheduler: Scheduler;
  readonly #draw: Rng;
  readonly #faults: () => NoticeFaults;
  readonly #ears = new Map<Life, { readonly listeners: Set<AppendedListener>; changed: boolean }>();

  constructor(scheduler: Scheduler, draw: Rng, faults: () => NoticeFaults) {
    this.#scheduler = scheduler;
    this.#draw = draw;
    this.#faults = faults;
  }

  join(life: Life): void {
    this.#ears.set(life, { listeners: new Set(), changed: false });
    life.ended.addEventListener('abort', () => this.#ears.delete(life), { once: true });
  }

  /** Listens to the others. */
  listen(life: Life, listener: AppendedListener): () => void {
    const listeners = this.#ears.get(life)?.listeners;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /** One life has committed something that others may wait for. */
  tell(from: Life, appended: Appended): void {
    const { lost, msMax } = this.#faults();
    for (const [life, ear] of this.#ears) {
      if (life === from) continue;
      ear.changed = true;
      if (ear.listeners.size === 0 || this.#draw.chance(lost)) continue;
      this.#scheduler.after(this.#draw.number() * msMax, 'notice', () => {
        for (const listener of ear.listeners) life.deliver(() => listener(appended, false));
      });
    }
  }

  /** Whether others have appended since this was last asked. */
  changed(life: Life): boolean {
    const ear = this.#ears.get(life);
    const changed = ear?.changed ?? false;
    if (ear !== undefined) ear.changed = false;
    return changed;
  }
}
