import type { EditAlertSettings } from '../../contracts/alerts.ts';
import { ALERT_KINDS } from '../../domain/alerts/alert.ts';
import { type AlertRules, type AlertSettings, faultsOfSettings, rulesFor } from '../../domain/alerts/rules.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { visibleTraveller } from './accounts.ts';

/** What a traveller wants to be told: what the CLI and REST both do. */

export interface AlertWishes {
  readonly settings: AlertSettings;
  /** What holds: the settings over the defaults. */
  readonly rules: AlertRules;
}

/** Errors: `not-found`. */
export async function alertWishes(
  deps: Pick<CommandDeps, 'store'>,
  caller: Caller,
  travellerId: string,
): Promise<AlertWishes> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  const found = await deps.store.read((tx) => tx.alerts.preferences(caller.tenant, traveller.id));
  const settings = found?.settings ?? {};
  return { settings, rules: rulesFor(settings) };
}

/**
 * Lays what is given over what was set, kind by kind; `null` takes back what was set of a kind. Errors: `not-found`,
 * `field-invalid` for what a kind does not have.
 */
export async function setAlertWishes(
  deps: CommandDeps,
  caller: Caller,
  travellerId: string,
  body: EditAlertSettings,
): Promise<AlertWishes> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  return deps.store.transact(async (tx) => {
    await tx.accounts.change(caller.tenant);
    const before = (await tx.alerts.preferences(caller.tenant, traveller.id))?.settings ?? {};
    const kept = ALERT_KINDS.flatMap((kind) => {
      const given = body[kind];
      const rule = given === null ? undefined : given === undefined ? before[kind] : { ...before[kind], ...given };
      return rule === undefined || Object.keys(rule).length === 0 ? [] : [[kind, rule]];
    });
    const settings = Object.fromEntries(kept) as AlertSettings;
    const faults = faultsOfSettings(settings);
    if (faults.length > 0) {
      const told = faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
      throw new Problem('field-invalid', told, [...faults]);
    }
    await tx.alerts.putSettings(caller.tenant, traveller.id, settings, deps.clock.now());
    return { settings, rules: rulesFor(settings) };
  });
}
