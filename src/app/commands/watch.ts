import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Event } from '../../contracts/event.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';

/** How often the change stream is looked at, real ms: this may be another process than the service. */
const LOOK_MS = 250;
const BATCH = 200;

/** As the stream gives them. */
function cursorOption(text: string): string {
  if (/^\d{1,15}(\.[0-9a-z]{1,16})?$/.test(text)) return text;
  throw new InvalidArgumentError('--after takes a cursor of the change stream, or 0 for all that is kept.');
}

/** `tripwatch watch`: live changes in the terminal. */
export function watchCommand(program: Command): void {
  program
    .command('watch')
    .description('show changes as they happen (Ctrl-C ends)')
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .option('--after <cursor>', 'begin after this cursor of the change stream; 0 shows all that is kept', cursorOption)
    .action(
      action(async (context, options: { traveller?: string; after?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const traveller =
            options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const names = new Map(
            (await core.store.read((tx) => tx.accounts.listTravellers(OPERATOR.tenant))).map((one) => [
              one.id as string,
              one.name,
            ]),
          );
          const start = await core.store.read((tx) => tx.itineraries.resume(OPERATOR.tenant, options.after));
          let after = start.after;
          if (start.reset)
            context.note(
              `There is nothing more of what came after ${options.after}: it is no longer kept, or the store came back from a backup. Look at \`tripwatch trips\` for how things stand; what follows is new.`,
            );
          context.note(
            `Watching for changes${traveller === undefined ? '' : ` of ${printable(traveller.name)}`}; Ctrl-C ends.`,
          );
          while (!context.signal.aborted) {
            const items = await core.store.read((tx) =>
              tx.itineraries.feed(OPERATOR.tenant, after, BATCH, traveller?.id),
            );
            for (const item of items) {
              after = item.seq;
              const { data } = item.event as Event<'itinerary.updated' | 'mailbox.changed'>;
              if (context.json) {
                // One object a line, so that a program can read the stream.
                process.stdout.write(`${JSON.stringify({ cursor: item.cursor, event: item.event })}\n`);
                continue;
              }
              const who = names.size > 1 ? `${printable(names.get(item.traveller) ?? item.traveller)}: ` : '';
              for (const sentence of data.sentences) {
                context.say(`${context.style.dim(data.changedAt.slice(0, 19))}  ${who}${printable(sentence)}`);
              }
              // What of it the traveller is told.
              for (const alert of ('alerts' in data ? data.alerts : undefined) ?? []) {
                const paint = { info: context.style.cyan, warning: context.style.yellow, critical: context.style.red };
                const told = paint[alert.severity](`! ${printable(alert.sentence)}`);
                context.say(`${context.style.dim(data.changedAt.slice(0, 19))}  ${who}${told}`);
              }
            }
            if (items.length < BATCH) await delay(LOOK_MS, undefined, { signal: context.signal }).catch(() => {});
          }
        });
      }),
    );
}
