/**
 * Whether what a reservation says is confirmed: the same thing may be asked of several accounts, of which one is asked and
 * the others stand by. It is unverified while no account confirms it, and since the last answer of any of them, as alerts
 * say it too (alerts/outage.ts). Pure.
 */
export interface Verified {
  /** What is asked about: equal for all accounts that can answer it. */
  readonly thing: string;
  /** Nothing more is asked. */
  readonly ended: boolean;
  /** Epoch ms of the last answer. */
  readonly checkedAt: number | undefined;
  /** Of the first question since then that had none. */
  readonly failingSince: number | undefined;
}

/** True: others that were asked later answer for it, and it is not asked itself. */
export function standsBy(one: Verified, all: readonly Verified[], freshMs: number): boolean {
  if (one.ended || one.failingSince !== undefined) return false;
  const newest = Math.max(...all.filter((other) => other.thing === one.thing).map(answeredAt));
  return newest - answeredAt(one) > freshMs;
}

/** Since when one account has not confirmed it: its last answer, or, without any, its first question. Epoch ms. */
export function lostSince({ checkedAt, failingSince }: Omit<Verified, 'thing' | 'ended'>): number | undefined {
  return failingSince === undefined ? undefined : (checkedAt ?? failingSince);
}

/** Epoch ms since when something of it is confirmed by nobody; undefined: all is, as far as anyone is asked. */
export function unverifiedSince(all: readonly Verified[]): number | undefined {
  const asked = all.filter(({ ended }) => !ended);
  const since = [...Map.groupBy(asked, ({ thing }) => thing).values()].flatMap((accounts) => {
    const failing = accounts.flatMap((one) => one.failingSince ?? []);
    if (failing.length === 0) return [];
    const lost = Math.max(...failing);
    const isAnswered = accounts.some((one) => one.failingSince === undefined && answeredAt(one) >= lost);
    const answers = accounts.flatMap((one) => one.checkedAt ?? []);
    return isAnswered ? [] : [answers.length === 0 ? lost : Math.max(...answers)];
  });
  return since.length === 0 ? undefined : Math.min(...since);
}

function answeredAt({ checkedAt }: Verified): number {
  return checkedAt ?? Number.NEGATIVE_INFINITY;
}
