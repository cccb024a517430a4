import type { Command } from 'commander';
import { type AlertWishes, alertWishes, setAlertWishes } from '../../api/commands/alerts.ts';
import { editAlertSettingsSchema } from '../../contracts/alerts.ts';
import { ALERT_KINDS, type AlertKind } from '../../domain/alerts/alert.ts';
import { type AlertRule, MINUTES_MAX, MINUTES_MIN } from '../../domain/alerts/rules.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';

interface SetOptions {
  readonly traveller?: string;
  readonly on?: boolean;
  readonly off?: boolean;
  readonly minutes?: number;
  readonly step?: number;
}

/** `tripwatch alerts …`: what a traveller is told, and from which thresholds on. */
export function alertCommands(program: Command): void {
  const alerts = program.command('alerts').description('what a traveller is told: list, set, reset');
  const minutes = (option: string) => count(option, MINUTES_MIN, MINUTES_MAX);
  const kinds = () => program.createArgument('<kind>', 'kind of alert').choices(ALERT_KINDS);
  alerts
    .command('list')
    .description('every kind of alert with its threshold')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, options: { readonly traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, options.traveller);
          show(context, await alertWishes(core.commands, OPERATOR, owner.id));
        });
      }),
    );
  alerts
    .command('set')
    .description('turn a kind on or off, or set its threshold')
    .addArgument(kinds())
    .option('--traveller <name>', 'whose (name or id)')
    .option('--on', 'tell it')
    .option('--off', 'do not tell it')
    .option('--minutes <n>', 'from so many minutes on', minutes('--minutes'))
    .option('--step <n>', 'again with each further change of so many minutes', minutes('--step'))
    .action(
      action(async (context, kind: AlertKind, options: SetOptions) => {
        const on = options.on === true ? true : options.off === true ? false : undefined;
        const rule = {
          ...(on === undefined ? {} : { on }),
          ...(options.minutes === undefined ? {} : { minutes: options.minutes }),
          ...(options.step === undefined ? {} : { stepMinutes: options.step }),
        };
        await change(context, options.traveller, { [kind]: rule });
      }),
    );
  alerts
    .command('reset')
    .description('take back what was set of a kind')
    .addArgument(kinds())
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, kind: AlertKind, options: { readonly traveller?: string }) => {
        await change(context, options.traveller, { [kind]: null });
      }),
    );
}

async function change(context: CommandContext, traveller: string | undefined, input: unknown): Promise<void> {
  const body = parseOptions(editAlertSettingsSchema, input);
  await withCore(context, 'existing', async (core) => {
    const owner = await chosenTraveller(core, traveller);
    show(context, await setAlertWishes(core.commands, OPERATOR, owner.id, body));
  });
}

function show(context: CommandContext, { settings, rules }: AlertWishes): void {
  context.result({ settings, rules });
  const lines = ALERT_KINDS.map((kind) => {
    const { on, minutes, stepMinutes }: AlertRule = rules[kind];
    const from = minutes === undefined ? '' : `from ${minutes} min`;
    const step = stepMinutes === undefined ? '' : `then each ${stepMinutes} min`;
    return [kind, on ? 'on' : 'off', from, step, settings[kind] === undefined ? '' : 'set'];
  });
  context.say(table(lines));
}
