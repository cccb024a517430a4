import type { Command } from 'commander';
import { auditEntry } from '../../api/commands/audit.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { isoInstant } from '../../ports/clock.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { eraseTraveller } from '../privacy/erase.ts';
import { exportTraveller } from '../privacy/export.ts';
import { confirmed } from '../terminal/confirm.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';
import { operatorHere } from './operator.ts';

/** Why a mail was opened, in words. */
const WHY: Readonly<Record<string, string>> = {
  'no-rule': 'it was forwarded or imported, and no rule speaks against it',
  'rule-allowed': 'a rule allows it',
  'forwarding-question': 'a mail host asks whether it may forward mails here',
  asked: 'it was asked for',
  'sender-known': 'its sender is a known travel company',
};

/** `tripwatch privacy …`: which mails were opened and why, everything about a traveller in a file, and its end. */
export function privacyCommands(program: Command): void {
  const privacy = program
    .command('privacy')
    .description('what was opened and why; export or erase a traveller: opened, export, erase');
  privacy
    .command('opened')
    .description('every mail that was opened, and why')
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .option('--limit <n>', 'how many, newest first', count('--limit', 1, 1000), 50)
    .option('--before <cursor>', 'go on from there: printed at the end of the page before')
    .action(
      action(async (context, options: { traveller?: string; limit: number; before?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const { mails, next } = await core.store.read((tx) =>
            tx.privacy.opened(OPERATOR.tenant, {
              limit: options.limit,
              ...(owner === undefined ? {} : { traveller: owner.id }),
              ...(options.before === undefined ? {} : { before: options.before }),
            }),
          );
          const items = mails.map(({ receivedAt, openedAt, ...mail }) => ({
            ...mail,
            receivedAt: isoInstant(receivedAt),
            openedAt: isoInstant(openedAt),
          }));
          context.result({ items, ...(next === undefined ? {} : { next }) });
          context.say(
            items.length === 0
              ? 'No mail was opened.'
              : table(
                  items.map((one) => [
                    context.style.dim(one.id),
                    one.openedAt.slice(0, 16).replace('T', ' '),
                    printable(one.from),
                    printable(one.subject).slice(0, 50) || '(no subject)',
                    WHY[one.why] ?? one.why,
                    context.style.dim(one.kept ? 'kept' : 'removed here'),
                  ]),
                ),
          );
          if (next !== undefined) context.note(`Older ones: --before ${next}`);
        });
      }),
    );
  privacy
    .command('export')
    .argument('<traveller>', 'name or id')
    .argument('<file>', 'a new file; JSON')
    .description('write everything about a traveller into a file: all records without secrets, and the mails kept')
    .action(
      action(async (context, wanted: string, file: string) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, wanted);
          const counts = await exportTraveller(core, owner, file);
          const entry = auditEntry(core.commands, operatorHere(), {
            action: 'privacy.export',
            target: owner.id,
            details: counts,
          });
          await core.store.transact((tx) => tx.audit.add(entry));
          context.result({ traveller: owner.id, file, counts, audit: entry.id });
          context.say(`${file} holds ${Object.values(counts).reduce((sum, n) => sum + n, 0)} records:`);
          context.say(table(Object.entries(counts).map(([name, n]) => [name, String(n)])));
          context.note('Whoever has the file can read all of it: keep it as you would keep the mails.');
        });
      }),
    );
  privacy
    .command('erase')
    .argument('<traveller>', 'name or id')
    .option('--yes', 'do it without asking')
    .description('erase everything about a traveller, and prove it by counting')
    .action(
      action(async (context, wanted: string, options: { yes?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, wanted);
          const sure =
            options.yes === true ||
            (await confirmed(
              `Erase everything about ${printable(owner.name)} (${owner.id})? This cannot be undone.`,
              context.signal,
            ));
          if (sure !== true)
            throw new TripwatchError(
              'permanent',
              'option-invalid',
              'Nothing was erased. Say --yes to do it; `tripwatch privacy export` keeps a copy first.',
            );
          const proof = await eraseTraveller(core, owner, context.signal);
          context.result(proof);
          context.say(`Everything about ${proof.traveller} is erased. Counted before and afterwards:`);
          context.say(
            table(
              Object.entries(proof.before)
                .filter(([, n]) => n > 0)
                .map(([name, n]) => [name, String(n), String(proof.after[name] ?? 0)]),
            ),
          );
          context.note(
            `On record without personal data: tripwatch audit list --target ${proof.traveller}\n` +
              'Backups made before still hold it, and so does what webhooks have been told: docs/privacy.md.',
          );
        });
      }),
    );
}
