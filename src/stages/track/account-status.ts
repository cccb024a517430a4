import type { CallLimit } from '../../domain/schedule/call-budget.ts';
import type { ProviderConnector, PushState } from '../../ports/provider.ts';
import type { AccountHealth } from './health.ts';
import type { Item } from './item.ts';

/** How an account stands: for the console, metrics and tests. Counts are since the start. */
export interface AccountStatus {
  readonly account: string;
  readonly label: string;
  /** Subjects on the list; `asked`: of these, the ones whose time has come. */
  readonly subjects: number;
  readonly asked: number;
  /** Due and waiting for a call. */
  readonly due: number;
  readonly inFlight: number;
  readonly concurrency: number;
  readonly calls: number;
  /** Of these, refused by a limit, and failed otherwise. */
  readonly refused: number;
  readonly failed: number;
  /** Subjects whose last question failed. */
  readonly failing: number;
  /** Subjects that another account is asked about; this one stands by. */
  readonly resting: number;
  /** Cancellations held back as improbable. */
  readonly held: number;
  readonly budget: readonly (CallLimit & { readonly left: number })[];
  /** Share of the limits in use, after refusals; 1: all. */
  readonly pace: number;
  /** So much older than promised answers get in the long run, because the limits allow no more calls; 0: enough. */
  readonly shortfallSeconds: number;
  /** Ages of answers now; undefined: nothing is asked. */
  readonly freshSecondsP50: number | undefined;
  readonly freshSecondsP99: number | undefined;
  readonly circuit: 'closed' | 'open' | 'probing';
  readonly paused: 'limited' | 'unauthorised' | undefined;
  /** Whether the provider pushes, as far as that was looked after, and when it was. Undefined: not yet, or it has no push. */
  readonly push: PushState | undefined;
  readonly pushSeenAt: number | undefined;
  /** Epoch ms. */
  readonly pausedUntil: number | undefined;
}

/** What the figures are worked out from. */
interface AccountState {
  /** Epoch ms. */
  readonly now: number;
  readonly tracked: {
    readonly account: string;
    readonly connector: Pick<ProviderConnector, 'label'>;
    readonly freshSeconds: number;
  };
  readonly items: Iterable<Item>;
  readonly intervalOf: (item: Item) => number;
  readonly subjects: number;
  readonly due: number;
  readonly held: number;
  readonly health: AccountHealth;
  readonly push: PushState | undefined;
  readonly pushSeenAt: number | undefined;
}

/** How the account stands now. */
export function statusOf(state: AccountState): AccountStatus {
  const { now, tracked, health } = state;
  const ages: number[] = [];
  let needed = 0;
  let failing = 0;
  let resting = 0;
  for (const item of state.items) {
    if (item.failure !== undefined) failing++;
    if (item.resting) resting++;
    if (item.spec.fromAt > now || item.resting) continue;
    needed += 1000 / state.intervalOf(item);
    if (item.spec.everyMs === undefined) ages.push((now - (item.checkedAt ?? item.addedAt)) / 1000);
  }
  ages.sort((a, b) => a - b);
  const allowed = health.perSecond(now);
  const { freshSeconds } = tracked;
  const pause = health.pause(now);
  return {
    account: tracked.account,
    label: tracked.connector.label,
    subjects: state.subjects,
    asked: ages.length,
    due: state.due,
    inFlight: health.inFlight,
    concurrency: health.concurrency,
    calls: health.calls,
    refused: health.refused,
    failed: health.failed,
    failing,
    resting,
    held: state.held,
    budget: health.budget.left(now),
    pace: health.pace(now),
    shortfallSeconds: needed > allowed ? Math.round(freshSeconds * (needed / allowed - 1)) : 0,
    freshSecondsP50: quantile(ages, 0.5),
    freshSecondsP99: quantile(ages, 0.99),
    circuit: health.circuit,
    push: state.push,
    pushSeenAt: state.pushSeenAt,
    paused: pause?.why,
    pausedUntil: pause?.until,
  };
}

function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
