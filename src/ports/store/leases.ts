/**
 * Who works on what: shards of a stage's events, provider accounts, mailboxes. A lease reduces overlap; its token makes
 * overlap harmless: every take gives a higher one, and a write that names an older one is refused (Store.transact).
 * Time is the store's own, so that the clocks of workers do not matter.
 */
export interface Lease {
  /** `extract/3`, `account/aerodatabox`, `sender`. */
  readonly resource: string;
  /** Id of the worker. */
  readonly owner: string;
  /** Grows with each take of the resource, for ever. */
  readonly token: number;
}

export interface LeaseRow extends Lease {
  /** Ms until others may take it, by the store's clock; 0 or less: free. */
  readonly leftMs: number;
}

/** A process that takes leases. */
export interface Worker {
  readonly id: string;
  /** Groups of resources that it takes part in: stage names, `account`, `sender`. */
  readonly groups: readonly string[];
  /** For people: host, process id, version. */
  readonly label: string;
  readonly startedAt: number;
  /** Events that wait in what it holds, by group. */
  readonly load: Readonly<Record<string, number>>;
}

export interface WorkerRow extends Worker {
  /** Ms since its last beat, by the store's clock. */
  readonly seenAgoMs: number;
}

export interface LeaseRepo {
  /**
   * The worker lives: makes or renews its entry, and prolongs those of `held` that are still its own (also when their
   * time has passed, as long as nobody took them). Returns these. `ttlMs`: real time.
   */
  beat(worker: Worker, held: readonly Lease[], ttlMs: number): Promise<readonly Lease[]>;
  /** Every lease there ever was, and every worker not yet forgotten. */
  survey(): Promise<{ readonly leases: readonly LeaseRow[]; readonly workers: readonly WorkerRow[] }>;
  /**
   * Takes those of `resources` that are free, were never held, or are held by `owner` itself (a process that was killed
   * and started again); with `ignore` also those of others, for where it is known
   * that no other lives.
   */
  take(
    owner: string,
    resources: readonly string[],
    ttlMs: number,
    others?: 'respect' | 'ignore',
  ): Promise<readonly Lease[]>;
  /** Gives back at once; what is no longer its own is left alone. */
  release(leases: readonly Lease[]): Promise<void>;
  /** The worker ends, or has not been seen for long: forgets it. Its leases are not touched. */
  forget(worker: string): Promise<void>;
  /** Stale `lease-lost` unless the lease is current; then nobody can take it until this transaction has ended. */
  check(lease: Lease): Promise<void>;
}
