/**
 * The one error class. `kind` decides what the runtime does, `code` is stable and documented in docs/errors.md,
 * the message names the value, the place and the remedy.
 */
export const ERROR_KINDS = {
  transient: 'the same request may work later: retried with backoff, counts as an attempt',
  'rate-limited': 'the other side says when: waits until then, no attempt counted, an age limit applies',
  unauthorised: "needs the owner's consent again: the connector pauses, the owner is told, the cursor stays",
  permanent: 'will never work as asked: no retry, the answer is recorded',
  poison: 'the event itself cannot be processed: dead letter at once, with payload reference and cause',
  stale: 'lease or version lost to another worker: this attempt is dropped',
  cancelled: 'shutdown or deadline: the work is given back',
  defect: 'an assertion of ours failed: an event that does it twice is poison',
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

export interface TripwatchErrorOptions {
  readonly cause?: unknown;
  /** Epoch milliseconds before which a retry is pointless. */
  readonly retryAt?: number;
  /** Facts for logs and problem documents. Never mail bodies, names, locators or tokens. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

export class TripwatchError extends Error {
  override readonly name = 'TripwatchError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly retryAt: number | undefined;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(kind: ErrorKind, code: string, message: string, options: TripwatchErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.retryAt = options.retryAt;
    this.details = options.details ?? {};
  }
}

/** Unknown errors are transient until their attempts run out; an abort is `cancelled`. */
export function kindOf(error: unknown): ErrorKind {
  if (error instanceof TripwatchError) return error.kind;
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return 'cancelled';
  return 'transient';
}

/** A short, safe line for receipts, dead letters and logs: code and message, without a stack. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof TripwatchError) return { code: error.code, message: error.message };
  if (error instanceof Error) return { code: 'unexpected', message: error.message };
  return { code: 'unexpected', message: String(error) };
}
