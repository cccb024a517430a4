import { fold } from '../../../domain/facts.ts';
import { type Asked, type Designator, designatorIn, sameNumber } from '../flight-status/asked.ts';
import type { Flight } from './schema.ts';

/**
 * The items that are the flight asked about: same number, same scheduled local day of departure, same origin (and
 * destination, where several remain). Codeshares of it stand in the answer under other numbers and are left out.
 */
export function itemsOf(flights: readonly Flight[], asked: Asked): readonly Flight[] {
  const fitting = flights.filter(
    (flight) =>
      sameNumber(flight.number, asked.carrier, asked.number) &&
      flight.departure?.scheduledTime?.local.slice(0, 10) === asked.day &&
      same(flight.departure?.airport?.iata, asked.from),
  );
  if (fitting.length < 2 || asked.to === undefined) return fitting;
  const there = fitting.filter((flight) => fold(flight.arrival?.airport?.iata ?? '') === fold(asked.to ?? ''));
  return there.length > 0 ? there : fitting;
}

/**
 * Whose flight it is, where it was sold under a partner's number and the answer shows the operator's item beside it: from
 * and to the same airports at the same planned minute. Undefined: it is the operator's own, or nobody says so.
 */
export function operatorOf(flight: Flight, flights: readonly Flight[]): Designator | undefined {
  if (flight.codeshareStatus !== 'IsCodeshared') return undefined;
  const run = runOf(flight);
  const operators = flights.filter((one) => one.codeshareStatus === 'IsOperator' && runOf(one) === run);
  const [name, ...others] = new Set(operators.map(({ number }) => number));
  return run === undefined || others.length > 0 ? undefined : designatorIn(name);
}

function runOf({ departure, arrival }: Flight): string | undefined {
  const said = [departure?.airport?.iata, arrival?.airport?.iata, departure?.scheduledTime?.utc];
  return said.includes(undefined) ? undefined : said.join(' ');
}

function same(found: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === '' || fold(found ?? '') === fold(wanted);
}
