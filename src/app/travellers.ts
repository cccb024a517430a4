import { addTraveller } from '../api/commands/accounts.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Traveller } from '../ports/store/accounts.ts';
import { type Core, OPERATOR } from './core.ts';

/** The traveller that `--traveller` names: by id, or by name without regard to case. With one traveller, none need be named. */
export async function chosenTraveller(core: Core, wanted: string | undefined): Promise<Traveller> {
  const all = await core.store.read((tx) => tx.accounts.listTravellers(OPERATOR.tenant));
  if (wanted === undefined) {
    if (all.length === 1) return all[0]!;
    if (all.length === 0)
      throw new TripwatchError(
        'permanent',
        'traveller-unknown',
        'There is no traveller yet. Add one: tripwatch traveller add NAME',
      );
    throw new TripwatchError(
      'permanent',
      'traveller-ambiguous',
      `There are several travellers; choose with --traveller: ${namesOf(all)}`,
    );
  }
  const found = all.filter((one) => one.id === wanted || one.name.toLowerCase() === wanted.toLowerCase());
  if (found.length === 1) return found[0]!;
  throw new TripwatchError(
    'permanent',
    found.length === 0 ? 'traveller-unknown' : 'traveller-ambiguous',
    found.length === 0
      ? `There is no traveller ${JSON.stringify(wanted)}. Known: ${namesOf(all) || 'none'}`
      : `Several travellers are called ${JSON.stringify(wanted)}; use the id: ${found.map((one) => one.id).join(', ')}`,
  );
}

/** As `chosenTraveller`, but in a new installation the first traveller is made. */
export async function chosenOrFirstTraveller(core: Core, wanted: string | undefined): Promise<Traveller> {
  const all = await core.store.read((tx) => tx.accounts.listTravellers(OPERATOR.tenant));
  if (all.length > 0) return chosenTraveller(core, wanted);
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return addTraveller(core.commands, OPERATOR, { name: wanted ?? 'Me', zone, locale: 'en' });
}

function namesOf(travellers: readonly Traveller[]): string {
  return travellers
    .slice(0, 20)
    .map((one) => one.name)
    .join(', ');
}
