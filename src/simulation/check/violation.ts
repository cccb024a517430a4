import type { History } from '../history.ts';
import type { Plan } from '../plan.ts';
import type { Tables } from '../tables.ts';

/** A broken promise, by the name of its invariant. */
export interface Violation {
  readonly invariant: string;
  readonly message: string;
}

/** What checkers look at: the store after the last process has stopped, and what the world saw. */
export interface Evidence {
  readonly tables: Tables;
  readonly history: History;
  readonly plan: Plan;
}

export type Checker = (evidence: Evidence) => readonly Violation[];

export function violation(invariant: string, message: string): Violation {
  return { invariant, message };
}

/** How often each key comes. */
export function countBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
