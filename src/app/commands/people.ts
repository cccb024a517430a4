import type { Command } from 'commander';
import { addRule, addTraveller, removeRule } from '../../api/commands/accounts.ts';
import { ruleView, travellerView } from '../../api/views/accounts.ts';
import { addRuleSchema, addTravellerSchema } from '../../contracts/http/commands.ts';
import { parseOptions } from '../checked.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenOrFirstTraveller, chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch traveller|rule …`: who is watched, and which mails may be opened. */
export function peopleCommands(program: Command): void {
  const traveller = program.command('traveller').description('travellers: add, list');
  traveller
    .command('add')
    .argument('<name>')
    .option(
      '--zone <zone>',
      'IANA time zone of home, e.g. Europe/Berlin',
      new Intl.DateTimeFormat('en').resolvedOptions().timeZone,
    )
    .option('--locale <tag>', 'language of alerts, e.g. en or de-CH', 'en')
    .action(
      action(async (context, name: string, options: { zone: string; locale: string }) => {
        const body = parseOptions(addTravellerSchema, { name, ...options });
        await withCore(context, 'make', async (core) => {
          const added = await addTraveller(core.commands, OPERATOR, body);
          context.result(travellerView(added));
          context.say(`Added ${printable(added.name)} (${added.id}).`);
          context.note(`Next: tripwatch mailbox add --traveller ${JSON.stringify(added.name)}`);
        });
      }),
    );
  traveller.command('list').action(
    action(async (context) => {
      await withCore(context, 'existing', async (core) => {
        const all = await core.store.read((tx) => tx.accounts.listTravellers(OPERATOR.tenant));
        context.result(all.map(travellerView));
        context.say(
          all.length === 0
            ? 'No traveller yet: tripwatch traveller add NAME'
            : table(all.map((one) => [one.id, printable(one.name), one.zone, one.locale])),
        );
      });
    }),
  );

  const rule = program.command('rule').description('which mails may be opened: add, list, remove');
  rule
    .command('add')
    .addArgument(program.createArgument('<action>').choices(['allow', 'deny']))
    .addArgument(program.createArgument('<field>').choices(['sender', 'domain', 'subject', 'folder']))
    .argument('<pattern>', 'an address, a domain, words of the subject, or a folder')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, act: string, field: string, pattern: string, options: { traveller?: string }) => {
        const body = parseOptions(addRuleSchema, { action: act, field, pattern });
        await withCore(context, 'make', async (core) => {
          const owner = await chosenOrFirstTraveller(core, options.traveller);
          const added = await addRule(core.commands, OPERATOR, owner.id, body);
          context.result(ruleView(added));
          context.say(
            `${added.id}: ${added.action} ${added.field} ${printable(added.pattern)}, for mails from now on.`,
          );
          if (added.action === 'allow') context.note('With an allow rule, every mail that none allows stays unopened.');
        });
      }),
    );
  rule
    .command('list')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, options.traveller);
          const rules = await core.store.read((tx) => tx.accounts.listRules(OPERATOR.tenant, owner.id));
          context.result(rules.map(ruleView));
          context.say(
            rules.length === 0
              ? 'No rule: every mail may be opened.'
              : table(rules.map((one) => [one.id, one.action, one.field, printable(one.pattern)])),
          );
        });
      }),
    );
  rule
    .command('remove')
    .argument('<id>', 'rule_…')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, id: string, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, options.traveller);
          await removeRule(core.commands, OPERATOR, owner.id, id);
          context.result({ id, removed: true });
          context.say(`${id} is removed.`);
        });
      }),
    );
}
