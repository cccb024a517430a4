import { Argument, type Command } from 'commander';
import { pauseWork, resumeWork } from '../../api/commands/control.ts';
import { pauseView } from '../../api/views/control.ts';
import { type PauseWork, pauseKindSchema, pauseWorkSchema } from '../../contracts/http/control.ts';
import { PAUSE_KINDS, type Pause } from '../../ports/store/control.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import { age, printable, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';
import { operatorDeps, operatorHere } from './operator.ts';

const KINDS = Object.entries(PAUSE_KINDS).map(([kind, meaning]) => `${kind}: ${meaning}`);
const kindArgument = () => new Argument('<kind>', KINDS.join('; ')).choices(pauseKindSchema.options);
/** When what was stopped is at work again, at the latest. */
const GOES_ON = { stage: '2 seconds', provider: '2 seconds', mailbox: '20 seconds', tenant: '20 seconds' } as const;

/** `tripwatch pause|resume|paused`: stop work and let it go on, in every process of the installation. */
export function controlCommands(program: Command): void {
  program
    .command('pause')
    .addArgument(kindArgument())
    .argument('<id>', 'stage name, provider account, mailbox id or tenant id')
    .requiredOption('--reason <text>', 'why; shown wherever the pause is, for whoever comes next')
    .description(
      'stop a stage, a provider account, a mailbox or a tenant until it is resumed; nothing is lost meanwhile',
    )
    .action(
      action(async (context, kind: string, id: string, { reason }: { reason: string }) => {
        await pauseHere(context, parseOptions(pauseWorkSchema, { kind, id, reason }));
      }),
    );
  program
    .command('resume')
    .addArgument(kindArgument())
    .argument('<id>', 'as it was paused')
    .description('let what was paused go on')
    .action(action((context, kind: PauseWork['kind'], id: string) => resumeHere(context, { kind, id })));
  program
    .command('paused')
    .description('what is paused, by whom, since when and why')
    .action(
      action(async (context) => {
        await withCore(context, 'existing', async (core) => {
          const pauses = await core.store.read((tx) => tx.control.pauses());
          context.result({ items: pauses.map((pause) => pauseView(pause, operatorHere())) });
          context.say(
            pauses.length === 0 ? 'Nothing is paused.' : table(pauses.map((one) => row(one, core.clock.now()))),
          );
        });
      }),
    );
}

/** Also `mailbox pause`. */
export async function pauseHere(context: CommandContext, work: PauseWork): Promise<void> {
  await withCore(context, 'existing', async (core) => {
    const { pause, new: isNew } = await pauseWork(operatorDeps(core), operatorHere(), work);
    context.result({ ...pauseView(pause, operatorHere()), new: isNew });
    const name = `${pause.kind} ${printable(pause.id)}`;
    if (isNew) context.say(`${name} is paused: ${PAUSE_KINDS[pause.kind]}.`);
    else context.say(`${name} has been paused for ${age(core.clock.now() - pause.at)}, ${byAndWhy(pause)}.`);
    context.note(
      `Every process knows within 2 seconds. To go on: tripwatch resume ${pause.kind} ${printable(pause.id)}`,
    );
  });
}

/** Also `mailbox resume`. */
export async function resumeHere(context: CommandContext, work: Pick<PauseWork, 'kind' | 'id'>): Promise<void> {
  await withCore(context, 'existing', async (core) => {
    const ended = await resumeWork(operatorDeps(core), operatorHere(), work);
    context.result(pauseView(ended, operatorHere()));
    context.say(`${ended.kind} ${printable(ended.id)} goes on, within ${GOES_ON[ended.kind]}.`);
  });
}

function row(pause: Pause, now: number): readonly string[] {
  return [pause.kind, printable(pause.id), `${age(now - pause.at)}`, printable(pause.by), printable(pause.reason)];
}

function byAndWhy({ by, reason }: Pause): string {
  return `by ${printable(by)}: ${printable(reason)}`;
}
