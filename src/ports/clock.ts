/** Time, from a port: so that a seed can drive it and the sandbox can speed it up. */
export interface Clock {
  /** Wall clock, epoch milliseconds. May be sped up; may jump. */
  now(): number;
  /** Monotonic milliseconds for durations, in the same (sped up) scale as `now`. */
  monotonic(): number;
  /** Resolves after `ms` of this clock; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** How many seconds of this clock pass in one second of real time: 1, but in the sandbox. */
  readonly speed: number;
}

/** Randomness, from a port. */
export interface Random {
  /** In [0, 1). For jitter and choices, never for secrets. */
  number(): number;
  /** Cryptographically strong in production. */
  bytes(length: number): Uint8Array;
}

/** ISO instant with milliseconds and Z. */
export function isoInstant(epochMs: number): string {
  // Asked for every event, and many fall into one millisecond.
  if (epochMs !== last.epochMs) last = { epochMs, iso: isoOf(epochMs) };
  return last.iso;
}

/** The other way round: of an ISO instant. Errors: RangeError for anything else. */
export function epochMsOf(iso: string): number {
  return iso === last.iso ? Math.trunc(last.epochMs) : Temporal.Instant.from(iso).epochMilliseconds;
}

let last = { epochMs: Number.NaN, iso: '' };

function isoOf(epochMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(epochMs)).toString({ smallestUnit: 'millisecond' });
}
