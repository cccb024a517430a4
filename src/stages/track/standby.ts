import { type Candidate, chooseSource, type Role } from '../../domain/schedule/choose-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { Store } from '../../ports/store.ts';
import type { Item } from './item.ts';
import { isGrave, subjectIdOf } from './subject.ts';

/** After its interval another account has so much of it to answer in, before the one behind it asks: see Candidate. */
const PATIENCE_SHARE = 0.05;

interface StandbyParts {
  readonly account: string;
  /** Accounts that can answer the same and are asked first, in the order of the configuration. */
  readonly behind: readonly string[];
  readonly store: Store;
  readonly clock: Clock;
  readonly isPaused: (account: string) => boolean;
  readonly intervalOf: (item: Item) => number;
}

export interface Turn {
  readonly role: Role;
  /** Epoch ms: who rests looks again then. */
  readonly lookAt: number;
}

/**
 * An account that stands behind others which answer the same: before it asks, it looks at what these have answered lately
 * (in the store, because another process may ask them), and rests where they have.
 */
export class Standby {
  readonly #parts: StandbyParts;
  #looking: { readonly items: Set<Item>; readonly turns: Promise<ReadonlyMap<Item, Turn>> } | undefined;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
  }

  /** Whether it is this account's turn to ask. What is wanted at the same moment is read together. Errors: the store's. */
  async turnOf(item: Item): Promise<Turn> {
    this.#looking ??= this.#begin();
    this.#looking.items.add(item);
    return (await this.#looking.turns).get(item)!;
  }

  #begin() {
    const items = new Set<Item>();
    const turns = Promise.resolve().then(async () => {
      this.#looking = undefined;
      const { behind, store, clock } = this.#parts;
      const ids = [...items].flatMap(({ spec }) => behind.map((account) => subjectIdOf(account, spec.id)));
      const found = new Map((await store.read((tx) => tx.subjects.some(ids))).map((one) => [one.id, one]));
      const now = clock.now();
      return new Map(
        [...items].map((item) => {
          const others = behind.map((account) => found.get(subjectIdOf(account, item.spec.id)));
          return [item, this.#judge(item, others, now)] as const;
        }),
      );
    });
    return { items, turns };
  }

  #judge(item: Item, others: readonly (Subject | undefined)[], now: number): Turn {
    const { isPaused, intervalOf } = this.#parts;
    const patienceMs = intervalOf(item) * (1 + PATIENCE_SHARE);
    const own: Candidate = {
      account: this.#parts.account,
      able: true,
      answeredAt: item.checkedAt,
      unknown: item.failure === 'provider-not-found' || (item.checkedAt !== undefined && item.digest === undefined),
      grave: item.grave,
    };
    const candidates = others.flatMap((one): Candidate[] => {
      if (one === undefined) return [];
      const isSilent = one.checkedAt === undefined && now - item.addedAt > patienceMs;
      const isFailing = one.failure !== undefined && one.failure !== 'provider-not-found';
      const isAsked = one.spec.fromAt <= now;
      return [
        {
          account: one.account,
          able: isAsked && !isSilent && !isFailing && !isPaused(one.account),
          answeredAt: one.checkedAt,
          unknown: one.failure === 'provider-not-found' || (one.checkedAt !== undefined && one.answer === undefined),
          grave: one.answer !== undefined && isGrave(one.answer),
        },
      ];
    });
    // Nothing more is to be known where another has heard the end of it.
    if (others.some((one) => one?.state === 'ended')) return { role: 'rest', lookAt: item.spec.endAt };
    const role = chooseSource([...candidates, own], now, patienceMs).at(-1)!;
    const newest = Math.max(...candidates.map((one) => one.answeredAt ?? Number.NEGATIVE_INFINITY));
    const lookAt = Math.max(newest + patienceMs, now + patienceMs * PATIENCE_SHARE);
    return { role, lookAt: Math.min(lookAt, now + patienceMs) };
  }
}
