import type { Command } from 'commander';
import { addMailbox, addRule, addTraveller, removeRule } from '../../api/commands/accounts.ts';
import { mailboxView, ruleView, travellerView } from '../../api/views/accounts.ts';
import { addRuleSchema, addTravellerSchema } from '../../contracts/http/commands.ts';
import { pauseWorkSchema } from '../../contracts/http/control.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { parseOptions } from '../checked.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenOrFirstTraveller, chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { pauseHere, resumeHere } from './control.ts';

/** `tripwatch traveller|mailbox|rule …`: who is watched, where their mails come in, and which may be opened. */
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

  const mailbox = program.command('mailbox').description('forwarding addresses: add, list, pause, resume, remove');
  mailbox
    .command('add')
    .description('make a secret address that mails can be forwarded to')
    .option('--traveller <name>', 'whose (name or id)')
    .option('--label <text>', 'a name for it', 'forwarded mails')
    .action(
      action(async (context, options: { traveller?: string; label: string }) => {
        await withCore(context, 'make', async (core) => {
          const owner = await chosenOrFirstTraveller(core, options.traveller);
          const added = await addMailbox(core.commands, OPERATOR, owner.id, { kind: 'forward', label: options.label });
          context.result(mailboxView(added));
          context.say(added.address ?? '');
          context.note(
            `Mails to this address are ${printable(owner.name)}'s, whoever sends them: keep it to yourself.\n` +
              `\`tripwatch up\` takes them by SMTP on ${core.config.smtp.host}:${core.config.smtp.port}; smtp.domain sets the part after the @.`,
          );
        });
      }),
    );
  mailbox
    .command('list')
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .action(
      action(async (context, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const all = await core.store.read((tx) => tx.accounts.listMailboxes(OPERATOR.tenant, owner?.id));
          context.result(all.map(mailboxView));
          context.say(
            all.length === 0
              ? 'No mailbox yet: tripwatch mailbox add'
              : table(all.map((one) => [one.id, one.kind, one.state, printable(one.label), one.address ?? ''])),
          );
        });
      }),
    );
  mailbox
    .command('pause')
    .argument('<id>', 'mbx_…')
    .option('--reason <text>', 'why', 'no mails for now')
    .description('refuse its mails for now (senders try again later), read none; as `pause mailbox`')
    .action(
      action((context, id: string, { reason }: { reason: string }) =>
        pauseHere(context, parseOptions(pauseWorkSchema, { kind: 'mailbox', id, reason })),
      ),
    );
  mailbox
    .command('resume')
    .argument('<id>', 'mbx_…')
    .description('take its mails again')
    .action(action((context, id: string) => resumeHere(context, { kind: 'mailbox', id })));
  mailbox
    .command('remove')
    .argument('<id>', 'mbx_…')
    .description('refuse its mails for good; what came in stays')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const done = await core.store.transact(async (tx) => {
            await tx.control.resume({ kind: 'mailbox', id, tenant: OPERATOR.tenant });
            return tx.accounts.setMailboxState(OPERATOR.tenant, id as `mbx_${string}`, 'removed');
          });
          unknownUnless(done, 'mailbox', id);
          context.result({ id, state: 'removed' });
          context.say(`${id} is removed.`);
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

function unknownUnless(found: boolean, what: string, id: string): void {
  if (!found)
    throw new TripwatchError(
      'permanent',
      'not-found',
      `There is no ${what} ${id}; \`tripwatch ${what} list\` shows them.`,
    );
}
