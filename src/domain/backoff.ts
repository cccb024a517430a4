/**
 * Waits between attempts: exponential with full jitter, so that many that failed together do not come back together.
 * Pure: the random number is given.
 */
export interface Backoff {
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly delayMsMax: number;
}

/**
 * The wait before the next attempt, in whole ms: anything from 1 to the exponential bound.
 * @param attempt the number of the attempt that failed, from 1
 * @param random in [0, 1)
 */
export function backoffDelayMs(policy: Backoff, attempt: number, random: number): number {
  const bound = backoffBoundMs(policy, attempt);
  return Math.max(1, Math.floor(Math.min(bound, 1 + random * bound)));
}

/** The longest wait after this attempt: the first delay, multiplied for each attempt, never above the maximum. */
export function backoffBoundMs(policy: Backoff, attempt: number): number {
  const exponent = Math.max(0, Math.floor(attempt) - 1);
  // A power that overflows is Infinity, which the maximum clamps as well.
  return Math.max(1, Math.min(policy.delayMsMax, policy.firstDelayMs * policy.factor ** exponent));
}

export interface CheckedPolicy extends Backoff {
  readonly attemptsMax: number;
  readonly ageMsMax: number;
}

/** What is wrong with a retry policy, all faults together; empty when it is good. */
export function faultsOfPolicy(policy: CheckedPolicy): readonly string[] {
  const faults: string[] = [];
  if (!Number.isInteger(policy.attemptsMax) || policy.attemptsMax < 1)
    faults.push(`attemptsMax must be a whole number from 1, not ${policy.attemptsMax}`);
  if (!(policy.firstDelayMs >= 1)) faults.push(`firstDelayMs must be at least 1, not ${policy.firstDelayMs}`);
  if (!(policy.factor >= 1)) faults.push(`factor must be at least 1, not ${policy.factor}`);
  if (!(policy.delayMsMax >= policy.firstDelayMs))
    faults.push(`delayMsMax (${policy.delayMsMax}) must not be below firstDelayMs (${policy.firstDelayMs})`);
  if (!(policy.ageMsMax >= policy.delayMsMax))
    faults.push(`ageMsMax (${policy.ageMsMax}) must not be below delayMsMax (${policy.delayMsMax})`);
  for (const [name, value] of Object.entries(policy))
    if (!Number.isFinite(value)) faults.push(`${name} must be a finite number, not ${value}`);
  return faults;
}
