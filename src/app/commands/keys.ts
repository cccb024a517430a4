import type { Command } from 'commander';
import { action } from '../command.ts';
import { forgetKey, keyUses, rotateKeys } from '../privacy/keys.ts';
import { table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch keys …`: the keys that stored secrets and raw mails are encrypted with. */
export function keysCommands(program: Command): void {
  const keys = program.command('keys').description('what secrets and mails are encrypted with: status, rotate, forget');
  keys
    .command('status')
    .description('which keys there are, and what each still opens')
    .action(
      action(async (context) => {
        await withCore(context, 'existing', async (core) => {
          const uses = await keyUses(core);
          context.result({ items: uses });
          context.say(
            table(
              uses.map((one) => [
                one.id,
                one.current ? 'current' : one.held ? 'old' : 'MISSING',
                `${one.secrets} secrets`,
                `${one.mails} mails`,
              ]),
            ),
          );
        });
      }),
    );
  keys
    .command('rotate')
    .description('take a new key into use; what the old one sealed stays readable. May be stopped and run again')
    .action(
      action(async (context) => {
        await withCore(context, 'existing', async (core) => {
          const rotated = await rotateKeys(core);
          context.result(rotated);
          const secrets = `${rotated.resealed} stored ${rotated.resealed === 1 ? 'secret' : 'secrets'}`;
          context.say(`Key ${rotated.key} is in use: ${secrets} sealed anew, new mails are encrypted with it.`);
          context.note(
            'Restart services, so that they use it too. Back up the key file. An old key goes when nothing needs it:\n' +
              'tripwatch keys status, then tripwatch keys forget ID.',
          );
        });
      }),
    );
  keys
    .command('forget')
    .argument('<id>', 'of an old key')
    .description('take an old key away that nothing needs any more')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          await forgetKey(core, id);
          context.result({ id, forgotten: true });
          context.say(`Key ${id} is gone. Backups that were made while it was in use need it still.`);
        });
      }),
    );
}
