import type { FactValue } from '../facts.ts';
import type { LegId, ReservationId } from '../ids.ts';

/** What a traveller is told, and the record of what was told. */

export const ALERT_KINDS = [
  'cancellation',
  'reinstated',
  'diversion',
  'early',
  'delay',
  'schedule',
  'altered',
  'gate',
  'terminal',
  'belt',
  'aircraft',
  'seat',
  'check-in',
  'connection',
  'knock-on',
  'unverified',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** `critical`: the plan does not hold; `warning`: something is to be done or watched; `info`: good to know. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One fact that an alert tells, by the name it has in the record; `before`: what was told of it the last time. */
export interface AlertFact {
  readonly fact: string;
  readonly value: FactValue;
  readonly before?: FactValue;
}

export interface Alert {
  readonly kind: AlertKind;
  readonly severity: Severity;
  /** In the language of the traveller. */
  readonly sentence: string;
  /** False: said by someone who need not know, and confirmed by nobody; or reckoned with hours that nobody named. */
  readonly certain: boolean;
  readonly facts: readonly AlertFact[];
  readonly reservation: ReservationId;
  /** Absent: the whole booking. */
  readonly leg?: LegId;
}

/** What was told of one fact the last time. */
export interface ToldFact {
  readonly value: FactValue;
  readonly certain: boolean;
  /** Epoch ms. */
  readonly at: number;
}

/** What was told of one reservation: the record that no fact is told twice by. Of a leg: `<leg>/<what>`; else `booking/<what>`. */
export interface Told {
  /** Version of the reservation that was looked at the last time. */
  readonly version: number;
  readonly facts: Readonly<Record<string, ToldFact>>;
  /** The newest alerts, newest first, for those who look later. */
  readonly alerts: readonly (Alert & { readonly at: number })[];
}

export const NOTHING_TOLD: Told = { version: 0, facts: {}, alerts: [] };
/** Alerts kept with the record. */
export const ALERTS_KEPT_MAX = 12;
/** Alerts of one event; what is beyond is told by the next. */
export const ALERTS_AT_ONCE_MAX = 10;

export function severer(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}
