import type { EventId, TenantId } from '../../domain/ids.ts';
import type { DeadLetterId } from '../../ports/store/dead-letters.ts';
import type { Store } from '../../ports/store.ts';

export interface Replayed {
  readonly id: DeadLetterId;
  readonly consumer: string;
  readonly eventId: EventId;
  readonly since: number;
}

/** Replays looked at in one read. */
const LOOK_MAX = 500;

/** What becomes of replays that were just made: so that mass work notices that it only fails again. */
export class ReplayWatch {
  /** Replays that failed again, by code. */
  readonly failures: Record<string, number> = {};
  readonly #store: Store;
  readonly #tenant: TenantId;
  #pending: Replayed[] = [];
  #streak = { code: '', count: 0 };

  constructor(store: Store, tenant: TenantId) {
    this.#store = store;
    this.#tenant = tenant;
  }

  add(replayed: Replayed): void {
    this.#pending.push(replayed);
  }

  /** Reads what has become of them since. The longest row of failures of one code that stands at any moment of it. */
  async look(): Promise<{ readonly code: string; readonly count: number } | undefined> {
    const some = this.#pending.slice(0, LOOK_MAX);
    if (some.length === 0) return undefined;
    const outcomes = await this.#store.read((tx) => tx.deadLetters.outcomes(this.#tenant, some));
    // What is still under way is asked again after the others.
    this.#pending = [
      ...this.#pending.slice(LOOK_MAX),
      ...some.filter((_, index) => outcomes[index]?.state === 'under-way'),
    ];
    let longest = this.#streak;
    for (const outcome of outcomes) {
      if (outcome.state === 'under-way') continue;
      if (outcome.state === 'done') this.#streak = { code: '', count: 0 };
      else {
        const { code } = outcome;
        this.failures[code] = (this.failures[code] ?? 0) + 1;
        this.#streak = { code, count: code === this.#streak.code ? this.#streak.count + 1 : 1 };
      }
      if (this.#streak.count > longest.count) longest = this.#streak;
    }
    return longest.count === 0 ? undefined : longest;
  }
}
