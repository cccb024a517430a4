import { type Command, Option } from 'commander';
import { deadLetter, discardDeadLetter, replayDeadLetter } from '../../api/commands/dead-letters.ts';
import { deadLetterView } from '../../api/views/accounts.ts';
import { TripwatchError } from '../../domain/errors.ts';
import type { DeadLetter } from '../../ports/store/log.ts';
import { STAGES } from '../../stages/stages.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { settle } from '../pipeline.ts';
import { age, printable, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';

/** `tripwatch dead-letters list|show|replay|discard`: events set aside, with cause and history. */
export function deadLettersCommand(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('events that were set aside: list, show, replay, discard');
  letters
    .command('list')
    .addOption(new Option('--state <state>').choices(['open', 'replayed', 'discarded']).default('open'))
    .addOption(new Option('--stage <stage>').choices(STAGES.map((stage) => stage.name)))
    .option('--code <code>', 'only with this error code')
    .option('--limit <n>', 'how many, newest first', count('--limit', 1, 1000), 50)
    .action(
      action(async (context, options: { state: DeadLetter['state']; stage?: string; code?: string; limit: number }) => {
        await withCore(context, 'existing', async (core) => {
          const found = await core.store.read((tx) =>
            tx.log.listDeadLetters(OPERATOR.tenant, {
              state: options.state,
              limit: options.limit,
              ...(options.stage === undefined ? {} : { consumer: options.stage }),
              ...(options.code === undefined ? {} : { code: options.code }),
            }),
          );
          context.result(found.map(deadLetterView));
          const now = core.clock.now();
          context.say(
            found.length === 0
              ? `No ${options.state} dead letter.`
              : table(
                  found.map((one) => [
                    one.id,
                    one.consumer,
                    `${age(now - one.createdAt)} ago`,
                    `${one.attempts.length} tries`,
                    one.code,
                    printable(one.message).slice(0, 80),
                  ]),
                ),
          );
        });
      }),
    );
  letters
    .command('show')
    .argument('<id>', 'dead_…')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const found = await deadLetter(core.commands, OPERATOR, id);
          const entry = await core.store.read((tx) => tx.log.get(found.eventId));
          context.result({ ...deadLetterView(found), payload: entry?.event });
          context.say(
            `${found.id}  ${found.state}\nstage ${found.consumer}, topic ${found.topic}, event ${found.eventId}`,
          );
          context.say(`${context.style.red(found.code)}: ${printable(found.message)}`);
          for (const attempt of found.attempts) {
            context.say(
              context.style.dim(
                `  ${Temporal.Instant.fromEpochMilliseconds(attempt.at)}  ${attempt.kind}  ${attempt.code}: ${printable(attempt.message)}`,
              ),
            );
          }
          if (found.decision !== undefined) context.say(`decided: ${printable(found.decision)}`);
          context.note(`The whole story: tripwatch explain ${found.correlation}`);
        });
      }),
    );
  letters
    .command('replay')
    .description('deliver again, attempts from zero')
    .argument('<id...>', 'dead_…, or `all`')
    .option('--dry-run', 'only say what would be done')
    .action(
      action(async (context, ids: string[], options: { dryRun?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          const wanted = ids.includes('all')
            ? (
                await core.store.read((tx) => tx.log.listDeadLetters(OPERATOR.tenant, { state: 'open', limit: 1000 }))
              ).map((one) => one.id)
            : ids;
          const done: string[] = [];
          for (const id of wanted) {
            const letter = await deadLetter(core.commands, OPERATOR, id);
            if (options.dryRun !== true) await replayDeadLetter(core.commands, OPERATOR, letter.id);
            done.push(letter.id);
            context.say(
              `${options.dryRun === true ? 'would replay' : 'replayed'} ${letter.id} (${letter.consumer}: ${letter.code})`,
            );
          }
          if (options.dryRun !== true && done.length > 0) await settle(core, context.signal);
          context.result({
            replayed: options.dryRun === true ? [] : done,
            ...(options.dryRun === true ? { wouldReplay: done } : {}),
          });
          if (done.length === 0) context.say('Nothing to replay.');
        });
      }),
    );
  letters
    .command('discard')
    .argument('<id...>', 'dead_…')
    .requiredOption('--reason <text>', 'why; kept with the letter')
    .action(
      action(async (context, ids: string[], options: { reason: string }) => {
        if (options.reason.trim() === '')
          throw new TripwatchError('permanent', 'option-invalid', '--reason must say something.');
        await withCore(context, 'existing', async (core) => {
          for (const id of ids) {
            await discardDeadLetter(core.commands, OPERATOR, id, options.reason);
            context.say(`discarded ${id}`);
          }
          context.result({ discarded: ids });
        });
      }),
    );
}
