/**
 * Freshness classes: how urgently a subject's answer must be fresh, by the time left until it starts. Checked data and
 * pure functions over it. All times are epoch milliseconds.
 *
 * While the calls allow it, every subject that may be asked is asked at the promised interval, whatever its class. Only
 * when they do not, the classes decide who waits: a flight of today before a hotel in March.
 */
export interface FreshnessClass {
  readonly name: string;
  /** Holds while the start is at most this far away. */
  readonly beforeStartMs: number;
  /** How many times the promised age is bearable when calls are short. */
  readonly bearable: number;
  /** The same where the provider pushes changes, signed, and has done so lately, or names them in a list. */
  readonly bearablePushed: number;
  /**
   * How many times the usual interval lies between two questions about what a list of changes covers, also where calls
   * are plenty: the list is looked at instead. Lists are late and forget, so what is near is asked as ever.
   */
  readonly everyListed: number;
}

const HOUR = 3_600_000;

/** In order of nearness; the last one has no bound. */
export const FRESHNESS_CLASSES = [
  { name: 'imminent', beforeStartMs: 4 * HOUR, bearable: 1, bearablePushed: 2, everyListed: 1 },
  { name: 'today', beforeStartMs: 24 * HOUR, bearable: 2, bearablePushed: 6, everyListed: 1 },
  { name: 'soon', beforeStartMs: 72 * HOUR, bearable: 6, bearablePushed: 24, everyListed: 4 },
  { name: 'this-month', beforeStartMs: 31 * 24 * HOUR, bearable: 24, bearablePushed: 72, everyListed: 12 },
  { name: 'later', beforeStartMs: Number.POSITIVE_INFINITY, bearable: 72, bearablePushed: 144, everyListed: 24 },
] as const satisfies readonly FreshnessClass[];

/**
 * The share of the promised age after which we ask again. The rest is for waiting in the queue, the call itself, and
 * for storing and publishing what it brought.
 */
export const ASK_AFTER_SHARE = 270 / 300;

/** The times of a subject that matter here (see SubjectSpec). */
export interface Asked {
  readonly fromAt: number;
  readonly startAt: number;
  readonly endAt: number;
  /** Asking more often than this is pointless. */
  readonly everyMs?: number;
}

/** Index into FRESHNESS_CLASSES. What has started is as urgent as what is about to. */
export function freshnessClassOf(subject: Pick<Asked, 'startAt'>, now: number): number {
  const left = subject.startAt - now;
  const index = FRESHNESS_CLASSES.findIndex((one) => left <= one.beforeStartMs);
  return index < 0 ? FRESHNESS_CLASSES.length - 1 : index;
}

/** Milliseconds between two questions while calls allow it. */
export function askIntervalMs(subject: Pick<Asked, 'everyMs'>, freshSeconds: number): number {
  return Math.max(1000, Math.floor(freshSeconds * 1000 * ASK_AFTER_SHARE), subject.everyMs ?? 0);
}

/** The same for what stands, or would stand, on a list of changes that is looked at. */
export function listedIntervalMs(
  subject: Pick<Asked, 'everyMs' | 'startAt'>,
  freshSeconds: number,
  now: number,
): number {
  const { everyListed } = FRESHNESS_CLASSES[freshnessClassOf(subject, now)]!;
  return Math.max(askIntervalMs({}, freshSeconds) * everyListed, subject.everyMs ?? 0);
}

/** The age that is bearable when calls are short: what staleness is measured against. */
export function needMs(subject: Asked, freshSeconds: number, now: number, isPushed = false): number {
  const one = FRESHNESS_CLASSES[freshnessClassOf(subject, now)]!;
  const bearable = isPushed ? one.bearablePushed : one.bearable;
  return Math.max(freshSeconds * 1000 * bearable, subject.everyMs ?? 0);
}

/** Its trip is about to start: what is kept of a budget is for such. Look-ups that mostly say "not ours" are never. */
export function isImminent(subject: Asked, now: number): boolean {
  return subject.everyMs === undefined && freshnessClassOf(subject, now) === 0;
}

/** What is wrong with a table of classes; empty when it is good. */
export function faultsOfClasses(classes: readonly FreshnessClass[]): readonly string[] {
  const faults: string[] = [];
  classes.forEach((one, i) => {
    const before = classes[i - 1];
    if (!(one.bearable >= 1)) faults.push(`${one.name}: bearable must be at least 1`);
    if (!(one.bearablePushed >= one.bearable)) faults.push(`${one.name}: a pushed one must not be more urgent`);
    if (!(one.everyListed >= 1)) faults.push(`${one.name}: everyListed must be at least 1`);
    if (before !== undefined && one.everyListed < before.everyListed)
      faults.push(`${one.name} must not be asked more often than ${before.name}`);
    if (before !== undefined && !(one.beforeStartMs > before.beforeStartMs))
      faults.push(`${one.name} must reach further than ${before.name}`);
    if (before !== undefined && one.bearable < before.bearable)
      faults.push(`${one.name} must not be more urgent than ${before.name}`);
  });
  if (classes.at(-1)?.beforeStartMs !== Number.POSITIVE_INFINITY) faults.push('the last class must have no bound');
  return faults;
}
