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
  /** Cancellations held back as improbable. */
  readonly held: number;
  readonly budget: readonly { readonly max: number; readonly perSeconds: number; readonly left: number }[];
  /** Share of the limits in use, after refusals; 1: all. */
  readonly pace: number;
  /** So much older than promised answers get in the long run, because the limits allow no more calls; 0: enough. */
  readonly shortfallSeconds: number;
  /** Ages of answers now; undefined: nothing is asked. */
  readonly freshSecondsP50: number | undefined;
  readonly freshSecondsP99: number | undefined;
  readonly circuit: 'closed' | 'open' | 'probing';
  readonly paused: 'limited' | 'unauthorised' | undefined;
  /** Epoch ms. */
  readonly pausedUntil: number | undefined;
}
