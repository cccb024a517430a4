/**
 * A subject's own place in its interval, in [0, 1): from a hash of its id, so that subjects spread evenly, every process
 * and every restart gives the same place, and no hour, restart or midnight makes a herd.
 */
export function phaseOf(id: string): number {
  // FNV-1a, then a finalizer: ids that differ in one character must land far from each other.
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

/**
 * Overdue ones come back over at most this share of their interval, by phase. After a short absence (a restart) the
 * promise can still be kept, so the spread must fit into what it leaves; after a long one there is nothing left to keep,
 * and the provider is spared.
 */
const CATCH_UP_SHARE_SHORT = 0.02;
const CATCH_UP_SHARE_LONG = 0.25;

export interface FirstDue {
  readonly phase: number;
  readonly intervalMs: number;
  /** Epoch ms from which asking makes sense. */
  readonly fromAt: number;
  /** Last answer, if there was one. */
  readonly checkedAt: number | undefined;
  readonly now: number;
}

/**
 * When to ask first, after a start or a take-over: when the last answer gets too old; at once (but spread by phase, the
 * more the longer we were away) what is too old already; and at its own phase what may not be asked yet.
 */
export function firstDue({ phase, intervalMs, fromAt, checkedAt, now }: FirstDue): number {
  if (fromAt > now) return fromAt + phase * Math.min(intervalMs, 60_000);
  if (checkedAt === undefined) return now;
  // An answer from the future (the clock was set back) counts as one of now.
  const due = Math.min(checkedAt, now) + intervalMs;
  if (due >= now) return due;
  const late = now - due;
  const share = late < intervalMs ? CATCH_UP_SHARE_SHORT : CATCH_UP_SHARE_LONG;
  return now + phase * Math.min(intervalMs * share, late);
}

/**
 * When to ask next after a question was asked: one interval after it was due, which keeps the phase. Missed rounds
 * coalesce into one: whoever is late by more than half an interval starts anew.
 */
export function nextDue(dueAt: number, intervalMs: number, now: number): number {
  const next = dueAt + intervalMs;
  return next >= now + intervalMs / 2 && next <= now + intervalMs ? next : now + intervalMs;
}

/**
 * When to ask a second time about what was new: many that began together (an import, a busy minute) must not go on
 * together, so they part over half an interval, by phase.
 */
export function secondDue(phase: number, intervalMs: number, now: number): number {
  return now + intervalMs * (0.5 + phase / 2);
}
