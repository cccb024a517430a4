import { ALERT_KINDS, type AlertKind } from './alert.ts';

/**
 * From when on each kind of alert is told: data, checked by `faultsOfRules`, with a traveller's own thresholds laid over it.
 * Every threshold compares with what was told the last time, not with what was known the last time: a delay that creeps
 * by a minute a minute is told at each step.
 */
export interface AlertRule {
  readonly on: boolean;
  /** First told from so many minutes on. What they count is said with each kind. */
  readonly minutes?: number;
  /** Told again with each further change of so many minutes. */
  readonly stepMinutes?: number;
}
export type AlertRules = Readonly<Record<AlertKind, AlertRule>>;
/** What a traveller wants otherwise. */
export type AlertSettings = Readonly<Partial<Record<AlertKind, Partial<AlertRule>>>>;

export const DEFAULT_RULES: AlertRules = {
  cancellation: { on: true },
  reinstated: { on: true },
  diversion: { on: true },
  /** Minutes before the schedule that a departure is expected at. */
  early: { on: true, minutes: 5, stepMinutes: 5 },
  /** Minutes behind the schedule. */
  delay: { on: true, minutes: 15, stepMinutes: 15 },
  /** Minutes that the schedule has moved. */
  schedule: { on: true, minutes: 10 },
  /** Stays, rentals and the like: minutes that check-in, pick-up or the end has moved. */
  altered: { on: true, minutes: 30 },
  /** Minutes before departure from which a first gate or platform is news. */
  gate: { on: true, minutes: 24 * 60 },
  terminal: { on: true },
  /** Minutes before arrival from which a belt is news. */
  belt: { on: true, minutes: 60 },
  aircraft: { on: true },
  seat: { on: true },
  /** Minutes before departure at which check-in opens, where the airline does not say so itself. */
  'check-in': { on: true, minutes: 24 * 60 },
  connection: { on: true },
  'knock-on': { on: true },
  /** Minutes without an answer from anyone who could confirm a journey that is near. */
  unverified: { on: true, minutes: 10 },
};

/** Bounds of what may be set, in minutes. */
export const MINUTES_MIN = 1;
export const MINUTES_MAX = 7 * 24 * 60;

/** The rules of one traveller: the defaults with his own words over them; what a kind has no use for is left out. */
export function rulesFor(settings: AlertSettings = {}): AlertRules {
  const rules = ALERT_KINDS.map((kind): [AlertKind, AlertRule] => {
    const base = DEFAULT_RULES[kind];
    const own = settings[kind] ?? {};
    return [
      kind,
      {
        on: own.on ?? base.on,
        ...(base.minutes === undefined ? {} : { minutes: own.minutes ?? base.minutes }),
        ...(base.stepMinutes === undefined ? {} : { stepMinutes: own.stepMinutes ?? base.stepMinutes }),
      },
    ];
  });
  return Object.fromEntries(rules) as unknown as AlertRules;
}

/** What is wrong with rules, or with what a traveller sets; empty when all is well. */
export function faultsOfSettings(
  settings: AlertSettings,
): readonly { readonly path: string; readonly message: string }[] {
  const faults: { path: string; message: string }[] = [];
  for (const [kind, rule] of Object.entries(settings)) {
    const base: AlertRule | undefined = (DEFAULT_RULES as Readonly<Record<string, AlertRule>>)[kind];
    if (base === undefined) {
      faults.push({ path: kind, message: `there is no such kind of alert; there are ${ALERT_KINDS.join(', ')}` });
      continue;
    }
    for (const name of ['minutes', 'stepMinutes'] as const) {
      const value = rule?.[name];
      if (value === undefined) continue;
      const path = `${kind}.${name}`;
      if (base[name] === undefined) faults.push({ path, message: `alerts of this kind have no ${name}` });
      else if (!Number.isInteger(value) || value < MINUTES_MIN || value > MINUTES_MAX)
        faults.push({ path, message: `must be whole minutes from ${MINUTES_MIN} to ${MINUTES_MAX}` });
    }
  }
  return faults;
}

/** How a traveller gets from one leg to the next. */
export type Transfer = 'same-terminal' | 'same-airport' | 'same-station' | 'across-town';

/**
 * Minutes that a connection needs. Below `tight` it may fail, below `least` nobody makes it. The figures lie within what
 * airlines publish as minimum connecting times; an airport where the terminals are not known counts as two of them.
 */
export const CONNECTION_MINUTES: Readonly<Record<Transfer, { readonly tight: number; readonly least: number }>> = {
  'same-terminal': { tight: 45, least: 20 },
  'same-airport': { tight: 60, least: 30 },
  'same-station': { tight: 10, least: 2 },
  'across-town': { tight: 180, least: 90 },
};
/** Two legs further apart than this are no connection, ms. */
export const CONNECTION_MS_MAX = 12 * 3_600_000;
/** A connection that was booked as tight is news only when it has lost so much, minutes. */
export const CONNECTION_LOSS_MIN = 5;

/** From the aircraft's door to the hotel or the desk, ms. */
export const WAY_MS = 45 * 60_000;
/** Receptions that name no hours are taken to be open until then, desks until so long after the booked time. */
export const RECEPTION_UNTIL = '23:00';
export const DESK_WAITS_MS = 60 * 60_000;

export function faultsOfRules(rules: AlertRules): readonly string[] {
  const faults = faultsOfSettings(rules).map(({ path, message }) => `${path} ${message}`);
  for (const kind of ALERT_KINDS) if (rules[kind] === undefined) faults.push(`${kind} has no rule`);
  for (const [name, { tight, least }] of Object.entries(CONNECTION_MINUTES))
    if (!(least > 0 && tight > least)) faults.push(`${name}: a tight connection must be longer than an impossible one`);
  return faults;
}
