import type { Command } from 'commander';
import { tripsView } from '../../api/views/trips.ts';
import type { LegView, PointView, TripView } from '../../contracts/http/views.ts';
import { action, type CommandContext } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { age, printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch trips`: a traveller's trips and legs, with local times. */
export function tripsCommand(program: Command): void {
  program
    .command('trips')
    .description('show trips and their legs, with local times and how fresh they are')
    .option('--traveller <name>', 'whose (name or id); needed when there are several')
    .option('--all', 'past trips as well')
    .action(
      action(async (context, options: { traveller?: string; all?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          const traveller = await chosenTraveller(core, options.traveller);
          const now = core.clock.now();
          const all = await core.store.read((tx) =>
            tripsView(tx, OPERATOR, traveller.id, { now, providers: core.config.providers }),
          );
          const trips = options.all === true ? all : all.filter((trip) => trip.state !== 'past');
          context.result({ traveller: traveller.id, trips });
          if (trips.length === 0) {
            context.say(
              all.length > 0
                ? `No trip ahead; ${all.length} in the past (--all shows them).`
                : 'No trips yet. Import mails with `tripwatch import`, or forward one: `tripwatch mailbox add` gives the address.',
            );
          }
          for (const trip of trips) printTrip(context, trip);
        });
      }),
    );
}

function printTrip(context: CommandContext, trip: TripView): void {
  const { style } = context;
  context.say(`${style.bold(printable(trip.title))}${trip.cancelled ? style.red('  cancelled') : ''}`);
  const rows = trip.legs.map((leg) => [
    `  ${day(leg.start)}`,
    `${clock(leg.start)} → ${clock(leg.end)}${laterDays(leg)}`,
    printable(leg.title),
    stateText(context, leg),
    style.dim(whereText(leg)),
    style.dim(freshText(leg.freshness)),
  ]);
  context.say(`${table(rows)}\n`);
}

function day(point: PointView): string {
  return (point.time ?? point.scheduled)?.slice(0, 10) ?? 'no date   ';
}
function clock(point: PointView): string {
  const time = (point.time ?? '').slice(11, 16);
  const scheduled = (point.scheduled ?? '').slice(11, 16);
  if (time === '') return '--:--';
  return scheduled !== '' && scheduled !== time ? `${time} (${scheduled})` : time;
}
/** ` +1` where the end is on a later day than the start, each by its own calendar. */
function laterDays({ start, end }: LegView): string {
  const [first, last] = [start, end].map((point) => (point.time ?? point.scheduled)?.slice(0, 10));
  if (first === undefined || last === undefined) return '';
  const { days } = Temporal.PlainDate.from(first).until(Temporal.PlainDate.from(last));
  return days === 0 ? '' : ` ${days > 0 ? '+' : ''}${days}`;
}
function stateText({ style }: CommandContext, leg: LegView): string {
  if (leg.cancelled) return style.red('cancelled');
  const late = leg.start.lateMinutes ?? 0;
  if (late > 0) return style.yellow(`${late} min late`);
  return late < 0 ? style.green(`${-late} min early`) : style.green(leg.state);
}
function whereText(leg: LegView): string {
  return [
    ['terminal', leg.start.terminal],
    ['gate', leg.start.gate],
    ['platform', leg.start.platform],
    ['belt', leg.end.belt],
    [
      'seat',
      // Two sources may know one seat under two names.
      [...new Set(leg.passengers.map((one) => one.seat).filter(Boolean))].join(' '),
    ],
  ]
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name} ${printable(value!)}`)
    .join(', ');
}
/** When it was last confirmed, by whom, when it is asked next, and how far behind the promise that is. */
function freshText(freshness: TripView['legs'][number]['freshness']): string {
  return freshness
    .filter(({ state }) => state !== 'stands-by')
    .map((one) => {
      if (one.state === 'unverified-since')
        return `${one.label}: unverified since ${utc(one.unverifiedSince)}, asked again as soon as it answers`;
      const next = one.due === undefined || one.state === 'ended' ? '' : `, next by ${utc(one.due)}`;
      if (one.ageSeconds === undefined)
        return next === '' ? `${one.label}: not asked yet` : `${one.label}: asked from ${utc(one.due)} on`;
      const late = one.lateSeconds === undefined ? next : `, ${age(one.lateSeconds * 1000)} later than promised`;
      return `checked ${age(one.ageSeconds * 1000)} ago by ${one.label}${one.state === 'ended' ? ', no longer followed' : late}`;
    })
    .join('; ');
}

/** `12-01 14:05 UTC`. */
function utc(instant: string | undefined): string {
  if (instant === undefined) return '?';
  return `${instant.slice(5, 10)} ${instant.slice(11, 16)} UTC`;
}
