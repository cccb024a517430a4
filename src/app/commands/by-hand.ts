import type { Command } from 'commander';
import {
  addReservation,
  editReservation,
  type Recorded,
  removeReservation,
  restoreReservation,
  settledReservation,
} from '../../api/commands/reservations.ts';
import { reservationSummary } from '../../api/views/reservation.ts';
import { addReservationSchema, editReservationSchema } from '../../contracts/http/commands.ts';
import { TripwatchError } from '../../domain/errors.ts';
import type { FactValue } from '../../domain/facts.ts';
import { KINDS } from '../../domain/facts.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import { type Core, OPERATOR } from '../core.ts';
import { settle } from '../pipeline.ts';
import { printable } from '../terminal/style.ts';
import { chosenOrFirstTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';

/** Real ms to wait for the reservation that comes of it; on a busy machine its turn may take so long. */
const SETTLED_MS_MAX = 15_000;

/** Nobody waits for what an operator has paused. */
async function patienceMs({ store }: Core): Promise<number> {
  const pauses = await store.read((tx) => tx.control.pauses());
  return pauses.some(({ kind, id }) => kind === 'tenant' || (kind === 'stage' && id === 'reconcile'))
    ? 0
    : SETTLED_MS_MAX;
}

/** `tripwatch add|edit|remove|restore`: what a person says is never silently overwritten. */
export function byHandCommands(program: Command): void {
  program
    .command('add')
    .description('add a reservation by hand')
    .addArgument(program.createArgument('<kind>').choices(KINDS))
    .argument(
      '<field=value...>',
      'e.g. carrier.code=LH number=400 start.code=FRA end.code=JFK start.scheduled=2026-12-01T10:05',
    )
    .option('--reference <locator>', 'booking reference')
    .option('--traveller <name>', 'whose (name or id)')
    .addHelpText(
      'after',
      '\nExample: tripwatch add stay name="Hotel Adler" start.scheduled=2026-12-01 end.scheduled=2026-12-03 start.zone=Europe/Zurich',
    )
    .action(
      action(async (context, kind: string, pairs: string[], options: { reference?: string; traveller?: string }) => {
        const facts = parsePairs(pairs);
        await withCore(context, 'make', async (core) => {
          const owner = await chosenOrFirstTraveller(core, options.traveller);
          const body = parseOptions(addReservationSchema, {
            traveller: owner.id,
            kind,
            ...(options.reference === undefined ? {} : { reference: options.reference }),
            legs: [{ facts }],
          });
          await report(context, core, await addReservation(core.commands, OPERATOR, body), 'Added');
        });
      }),
    );
  program
    .command('edit')
    .description('set fields of a reservation or of one of its legs; your value stays, newer facts are shown beside it')
    .argument('<id>', 'rsv_…')
    .argument('<field=value...>', 'e.g. start.gate=B22; an empty value says that there is none')
    .option('--leg <id>', 'leg_…; needed when the reservation has several legs')
    .option('--booking', 'the fields belong to the booking as a whole')
    .action(
      action(async (context, id: string, pairs: string[], options: { leg?: string; booking?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          const leg = options.booking === true ? undefined : (options.leg ?? (await onlyLeg(core, id)));
          const body = parseOptions(editReservationSchema, {
            facts: parsePairs(pairs),
            ...(leg === undefined ? {} : { leg }),
          });
          await report(context, core, await editReservation(core.commands, OPERATOR, id, body), 'Noted');
        });
      }),
    );
  for (const [verb, work, what] of [
    ['remove', removeReservation, 'take a reservation out of view (its story stays)'],
    ['restore', restoreReservation, 'bring a removed reservation back'],
  ] as const) {
    program
      .command(verb)
      .description(what)
      .argument('<id>', 'rsv_…')
      .action(
        action(async (context, id: string) => {
          await withCore(context, 'existing', async (core) => {
            await report(
              context,
              core,
              await work(core.commands, OPERATOR, id),
              verb === 'remove' ? 'Removed' : 'Restored',
            );
          });
        }),
      );
  }
}

/** `a=b` pairs; the value may hold further equal signs. Empty: null, "there is none". */
export function parsePairs(pairs: readonly string[]): Record<string, FactValue> {
  const facts: Record<string, FactValue> = Object.create(null) as Record<string, FactValue>;
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) {
      throw new TripwatchError(
        'permanent',
        'option-invalid',
        `${JSON.stringify(pair)} is not field=value, like start.gate=B22.`,
      );
    }
    facts[pair.slice(0, at)] = pair.slice(at + 1) === '' ? null : pair.slice(at + 1);
  }
  return { ...facts };
}

async function onlyLeg(core: Core, id: string): Promise<string | undefined> {
  const found = await core.store.read((tx) => tx.reservations.get(OPERATOR.tenant, id as `rsv_${string}`));
  if (found === undefined || found.legs.length === 0) return undefined;
  if (found.legs.length === 1) return found.legs[0]!.id;
  const legs = reservationSummary(found).legs.map((leg) => `\n  ${leg.id}  ${printable(leg.title)}`);
  throw new TripwatchError(
    'permanent',
    'option-invalid',
    `The reservation has ${found.legs.length} legs; choose one with --leg, or --booking:${legs.join('')}`,
  );
}

/** Waits until the state is made (by the running service, or right here where none runs) and shows it. */
async function report(context: CommandContext, core: Core, recorded: Recorded, word: string): Promise<void> {
  await settle(core, context.signal);
  const reservation = await settledReservation(core.commands, OPERATOR, recorded, await patienceMs(core));
  context.result({
    ...recorded,
    ...(reservation === undefined ? {} : { reservation: reservationSummary(reservation) }),
  });
  context.say(
    reservation === undefined
      ? `${word}; it is being worked on (\`tripwatch explain ${recorded.event}\`).`
      : `${word}: ${printable(reservationSummary(reservation).title)}  ${reservation.id}, version ${reservation.version}`,
  );
}
