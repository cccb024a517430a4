import type { Witness } from './folder.ts';
import type { Scenario } from './scenario/types.ts';
import type { Finding } from './verdict.ts';

/** A reservation as the API shows it, as far as it is judged. */
export interface KnownReservation {
  readonly id: string;
  readonly traveller: string;
  readonly reference?: string;
  readonly removed: boolean;
  /** Sandbox instant at which it was read; absent: that of the comparison. Reading thousands takes a while. */
  readonly readAt?: number;
  readonly fields: Readonly<Record<string, KnownField>>;
  readonly legs: readonly {
    readonly id: string;
    readonly kind: string;
    readonly fields: Readonly<Record<string, KnownField>>;
  }[];
}
export interface KnownField {
  readonly value: string | number | boolean | null;
}

export interface KnownReceipt {
  readonly traveller: string;
  readonly subject: string;
  readonly receivedAt?: string;
  readonly disposition: string;
  readonly reason: string;
}

export interface JudgeInput {
  readonly scenario: Scenario;
  readonly witness: Witness;
  readonly reservations: readonly KnownReservation[];
  readonly receipts: readonly KnownReceipt[];
  /** Sandbox instant of the comparison. */
  readonly now: number;
}

export type Report = (finding: Finding) => void;

/** What the parts of the judge share. */
export interface Stats {
  readonly scenario: Scenario;
  readonly now: number;
  readonly downtime: Witness['downtime'];
  legs: number;
  fields: number;
  news: number;
  readonly latencies: number[];
}
