import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { editDeadLetter } from '../../api/commands/dead-letter-edit.ts';
import { deadLetterFilter, queryText } from '../../api/commands/dead-letter-query.ts';
import { deadLetter, payloadOf } from '../../api/commands/dead-letters.ts';
import { deadLetterDetail, deadLetterView } from '../../api/views/dead-letters.ts';
import type { DeadLetterDetail } from '../../contracts/http/dead-letters.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { action, type CommandContext } from '../command.ts';
import { settle } from '../pipeline.ts';
import { age, printable, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';
import { queryOf, withQueryOptions } from './dead-letter-options.ts';
import { stateOption, summaryCommand, type WithState } from './dead-letter-summary.ts';
import { discardCommand, replayCommand } from './dead-letters-settle.ts';
import { count } from './numbers.ts';
import { operatorDeps, operatorHere } from './operator.ts';

/** An edited event read from a file: events are far smaller. */
const EVENT_CHARS_MAX = 4 * 1024 * 1024;

/** `tripwatch dead-letters summary|list|show|edit|replay|discard`: events set aside, with cause and history. */
export function deadLettersCommand(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('events that were set aside: summary, list, show, edit, replay, discard');
  summaryCommand(letters);
  listCommand(letters);
  showCommand(letters);
  editCommand(letters);
  replayCommand(letters);
  discardCommand(letters);
}

function listCommand(letters: Command): void {
  withQueryOptions(letters.command('list'))
    .description('one a line, newest first')
    .addOption(stateOption('open'))
    .option('--limit <n>', 'how many', count('--limit', 1, 1000), 50)
    .option('--before <cursor>', 'go on from there: printed at the end of the page before')
    .action(
      action(async (context, options: WithState & { limit: number; before?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const { tenant } = operatorHere();
          const query = queryOf(options, options.state);
          const filter = await deadLetterFilter(operatorDeps(core), operatorHere(), query);
          const { limit, before } = options;
          const [page, total] = await core.store.read(async (tx) => [
            await tx.deadLetters.list(tenant, filter, { limit, ...(before === undefined ? {} : { before }) }),
            await tx.deadLetters.count(tenant, filter),
          ]);
          const { letters: found, ...rest } = page;
          context.result({ items: found.map(deadLetterView), total, ...rest });
          const now = core.clock.now();
          if (found.length === 0) {
            context.say(`No dead letter (${queryText(query)}).`);
            return;
          }
          const rows = found.map((one) => [
            one.id,
            ...(options.state === 'open' ? [] : [one.state]),
            one.consumer,
            ...(found.some((other) => other.provider !== undefined) ? [one.provider ?? ''] : []),
            `${age(now - one.createdAt)} ago`,
            one.attempts.length === 1 ? '1 try' : `${one.attempts.length} tries`,
            one.code,
            printable(one.message).slice(0, 80),
          ]);
          context.say(table(rows));
          if (rest.nextBefore !== undefined)
            context.note(`${found.length} of ${total}. Older ones: --before ${rest.nextBefore}`);
        });
      }),
    );
}

function showCommand(letters: Command): void {
  letters
    .command('show')
    .argument('<id>', 'dead_…')
    .description('every attempt, where it came from; the event itself only with --payload or --save')
    .option('--payload', 'print the event too; it may be personal')
    .option('--save <file>', 'write the event to a new file that only you may read: to edit it')
    .action(
      action(async (context, id: string, options: { payload?: boolean; save?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const found = await deadLetter(core.commands, operatorHere(), id);
          const payload = await core.store.read((tx) => payloadOf(tx, found));
          const detail = deadLetterDetail(found, payload, options.payload === true);
          if ((options.payload === true || options.save !== undefined) && payload.state !== 'kept')
            throw new TripwatchError('permanent', 'not-found', `The event of ${id} is ${payload.state} in the log.`);
          if (options.save !== undefined && payload.state === 'kept') saveEvent(options.save, payload.event);
          context.result(detail);
          say(context, detail);
          if (options.payload === true && payload.state === 'kept')
            context.say(printableJson(JSON.stringify(payload.event, null, 2)));
          if (options.save !== undefined)
            context.note(
              `Written. Change "data" in it, then: tripwatch dead-letters edit ${id} --event ${options.save}`,
            );
          context.note(`The whole story: tripwatch explain ${detail.explain}`);
        });
      }),
    );
}

function say(context: CommandContext, letter: DeadLetterDetail): void {
  const { style } = context;
  const { mail, reservation, subject } = letter.origin;
  context.say(`${style.bold(letter.id)}  ${letter.state}, set aside ${letter.createdAt}`);
  context.say(`stage ${letter.stage}, topic ${letter.topic}, event ${letter.event} (${letter.payloadState})`);
  const from = [
    ...(mail === undefined ? [] : [`mail ${mail}`]),
    ...(reservation === undefined ? [] : [`reservation ${reservation}`]),
    ...(subject === undefined ? [] : [`subject ${subject}`]),
    ...(letter.provider === undefined ? [] : [`provider account ${printable(letter.provider)}`]),
    `key ${printable(letter.key)}`,
  ];
  context.say(`from ${from.join(', ')}`);
  context.say(`${style.red(letter.code)} (${letter.kind}): ${printable(letter.message)}`);
  for (const [index, attempt] of letter.attempts.entries())
    context.say(
      style.dim(`  ${index + 1}.  ${attempt.at}  ${attempt.kind}  ${attempt.code}: ${printable(attempt.message)}`),
    );
  if (letter.decidedAt !== undefined) {
    const why = letter.decision === undefined ? '' : `: ${printable(letter.decision)}`;
    context.say(`${letter.state} ${letter.decidedAt} by ${printable(letter.decidedBy ?? 'unknown')}${why}`);
  }
  if (letter.editedEvent !== undefined) context.say(`with changes, as event ${letter.editedEvent}`);
}

/** JSON escapes what could drive a terminal, but not what reorders a line. */
function printableJson(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Errors: permanent `unreadable-file`. */
function saveEvent(file: string, event: unknown): void {
  try {
    writeFileSync(file, `${JSON.stringify(event, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'it exists; name a new one' : String(error);
    throw new TripwatchError('permanent', 'unreadable-file', `${file} cannot be written: ${why}.`);
  }
}

function editCommand(letters: Command): void {
  letters
    .command('edit')
    .argument('<id>', 'dead_…')
    .description('replay with other data: a new event, caused by the old one, for this stage alone')
    .requiredOption(
      '--event <file>',
      'the whole event, as `show ID --save FILE` wrote it, with changed data; - reads stdin',
    )
    .option('--reason <text>', 'why; kept with the letter')
    .action(
      action(async (context, id: string, options: { event: string; reason?: string }) => {
        const edited = readEvent(options.event);
        await withCore(context, 'existing', async (core) => {
          const { letter, event } = await editDeadLetter(core.commands, operatorHere(), id, edited, options.reason);
          await settle(core, context.signal);
          context.result({ letter: deadLetterView(letter), event });
          context.say(`${id} is replayed with changes, as event ${event}.`);
          context.note(`What becomes of it: tripwatch explain ${event}`);
        });
      }),
    );
}

/** Errors: permanent `unreadable-file`, `option-invalid`. */
function readEvent(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new TripwatchError('permanent', 'unreadable-file', `${file} cannot be read: ${(error as Error).message}.`);
  }
  const fault = (why: string) => new TripwatchError('permanent', 'option-invalid', `--event ${file}: ${why}.`);
  if (text.length > EVENT_CHARS_MAX) throw fault('larger than any event');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw fault(`not JSON: ${(error as Error).message}`);
  }
  throw fault('not one JSON object');
}
