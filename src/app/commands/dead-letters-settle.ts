import type { Command } from 'commander';
import { type BulkOptions, discardDeadLetters, replayDeadLetters } from '../../api/commands/dead-letter-bulk.ts';
import { queryText } from '../../api/commands/dead-letter-query.ts';
import { deadLetter, discardDeadLetter, replayDeadLetter } from '../../api/commands/dead-letters.ts';
import {
  type BulkView,
  type DeadLetterQuery,
  RATE_PER_SECOND_DEFAULT,
  RATE_PER_SECOND_MAX,
  reasonSchema,
} from '../../contracts/http/dead-letters.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import type { Core } from '../core.ts';
import { settle } from '../pipeline.ts';
import { confirmed } from '../terminal/confirm.ts';
import { withCore } from '../with-core.ts';
import { type QueryOptions, queryOf, withQueryOptions } from './dead-letter-options.ts';
import { summaryText } from './dead-letter-summary.ts';
import { count } from './numbers.ts';
import { operatorDeps, operatorHere } from './operator.ts';

/** `dead-letters replay|discard`: the letters named, or all that fit a query, which is shown first. */

interface SettleOptions extends QueryOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly limit: number;
  readonly reason?: string;
}
interface ReplayOptions extends SettleOptions {
  readonly rate: number;
  readonly stopAfter: number;
}

const LIMIT_DEFAULT = 10_000;
const LIMIT_MAX = 1_000_000;

export function replayCommand(letters: Command): void {
  settleOptions(letters.command('replay'))
    .description('deliver again, attempts from zero: letters by id, or all that fit a query')
    .option('--reason <text>', 'why; kept with the letters')
    .option('--rate <n>', 'letters a second', count('--rate', 1, RATE_PER_SECOND_MAX), RATE_PER_SECOND_DEFAULT)
    .option(
      '--stop-after <n>',
      'end when so many in a row fail again with one code; 0: never',
      count('--stop-after', 0, 1000),
      10,
    )
    .action(
      action(async (context, ids: string[], options: ReplayOptions) => {
        await withCore(context, 'existing', async (core) => {
          if (ids.length > 0) await replayNamed(context, core, ids, options);
          else await replayQuery(context, core, options);
        });
      }),
    );
}

export function discardCommand(letters: Command): void {
  settleOptions(letters.command('discard'))
    .description('give up for good, with a reason: letters by id, or all that fit a query')
    .requiredOption('--reason <text>', 'why; kept with the letters')
    .action(
      action(async (context, ids: string[], options: SettleOptions) => {
        const reason = parseOptions(reasonSchema, options.reason);
        await withCore(context, 'existing', async (core) => {
          if (ids.length > 0) await discardNamed(context, core, ids, options, reason);
          else
            await byQuery(context, core, options, {
              verb: 'discard',
              duration: '',
              run: (query, work) => discardDeadLetters(operatorDeps(core), operatorHere(), query, { ...work, reason }),
            });
        });
      }),
    );
}

function settleOptions(command: Command): Command {
  return withQueryOptions(command.argument('[id...]', 'dead_…; none: all that fit the options'))
    .option('--all', 'every open letter, where no option narrows it')
    .option('--limit <n>', 'letters at most', count('--limit', 1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--dry-run', 'only say what would be done')
    .option('--yes', 'do it without asking');
}

async function replayNamed(context: CommandContext, core: Core, ids: readonly string[], options: ReplayOptions) {
  refuseBoth(options);
  const done: string[] = [];
  for (const id of new Set(ids)) {
    const letter =
      options.dryRun === true
        ? await deadLetter(core.commands, operatorHere(), id)
        : await replayDeadLetter(core.commands, operatorHere(), id);
    done.push(letter.id);
    context.say(`${options.dryRun === true ? 'would replay' : 'replayed'} ${id} (${letter.consumer}: ${letter.code})`);
  }
  if (options.dryRun === true) context.result({ replayed: [], wouldReplay: done });
  else {
    await settle(core, context.signal);
    context.result({ replayed: done });
  }
}

async function discardNamed(
  context: CommandContext,
  core: Core,
  ids: readonly string[],
  options: SettleOptions,
  reason: string,
) {
  refuseBoth(options);
  for (const id of new Set(ids)) {
    if (options.dryRun === true) await deadLetter(core.commands, operatorHere(), id);
    else await discardDeadLetter(core.commands, operatorHere(), id, reason);
    context.say(`${options.dryRun === true ? 'would discard' : 'discarded'} ${id}`);
  }
  context.result(options.dryRun === true ? { discarded: [], wouldDiscard: ids } : { discarded: ids });
}

async function replayQuery(context: CommandContext, core: Core, options: ReplayOptions): Promise<void> {
  const { rate, stopAfter, reason } = options;
  await byQuery(context, core, options, {
    verb: 'replay',
    duration: ` at ${rate} a second`,
    run: (query, work) =>
      replayDeadLetters(operatorDeps(core), operatorHere(), query, {
        ...work,
        ratePerSecond: rate,
        failuresMax: stopAfter,
        ...(reason === undefined ? {} : { reason: parseOptions(reasonSchema, reason) }),
        settle: () => settle(core, context.signal),
      }),
  });
}

interface Bulk {
  readonly verb: 'replay' | 'discard';
  /** How fast, in words. */
  readonly duration: string;
  readonly run: (query: DeadLetterQuery, work: BulkOptions) => Promise<BulkView>;
}

/** Shows what would be done; does it when told to, by `--yes` or on the terminal. */
async function byQuery(context: CommandContext, core: Core, options: SettleOptions, bulk: Bulk): Promise<void> {
  const query = queryOf(options);
  if (Object.keys(query).length === 0 && options.all !== true)
    throw new TripwatchError(
      'permanent',
      'option-missing',
      `Which? Name letters (dead_…), narrow it (--stage, --code, --older-than, …), or say --all.`,
    );
  const work = { limit: options.limit, signal: context.signal };
  const would = await bulk.run(query, { ...work, dryRun: true });
  if (would.summary !== undefined) context.say(summaryText(would.summary, core.clock.now(), context.style));
  if (options.dryRun === true || would.matched === 0) {
    context.result(would);
    if (would.matched > 0) context.note(`This was a dry run (${queryText(query)}): nothing was done.`);
    return;
  }
  const many = Math.min(would.matched, options.limit);
  const what = `${bulk.verb} ${many === 1 ? 'this letter' : `${many} letters`}${bulk.duration}`;
  if (options.yes !== true && !(await agreed(what, context.signal))) {
    context.say('Nothing was done.');
    return;
  }
  let toldAt = core.clock.monotonic();
  const result = await bulk.run(query, {
    ...work,
    dryRun: false,
    onProgress: ({ tried, of, failedAgain }) => {
      if (core.clock.monotonic() - toldAt < 2000 * core.clock.speed) return;
      toldAt = core.clock.monotonic();
      context.note(`${tried} of ${of}${failedAgain === 0 ? '' : `, ${failedAgain} failed again`}`);
    },
  });
  context.result(result);
  tell(context, result, bulk.verb);
}

/** Errors: permanent `option-missing` where nobody can be asked. */
async function agreed(what: string, signal: AbortSignal): Promise<boolean> {
  const answer = await confirmed(`${what[0]!.toUpperCase()}${what.slice(1)}?`, signal);
  if (answer !== undefined) return answer;
  throw new TripwatchError(
    'permanent',
    'option-missing',
    `Nothing was done: add --yes to ${what}, or --dry-run to only look.`,
  );
}

function tell(context: CommandContext, result: BulkView, verb: 'replay' | 'discard'): void {
  context.say(
    `${result.done} of ${result.matched} ${verb === 'replay' ? 'replayed' : 'discarded'} (run ${result.run}).`,
  );
  for (const { id, why } of result.skipped) context.say(`skipped ${id}: ${why}`);
  const again = Object.entries(result.failedAgain).map(([code, times]) => `${times} × ${code}`);
  if (again.length > 0) context.say(`Failed again: ${again.join(', ')}.`);
  if (result.stopped !== undefined) {
    context.say(`Stopped: ${result.stopped}. What is left is open; the same command goes on.`);
    process.exitCode = 1;
  } else if (result.next !== undefined)
    context.say('The limit is reached. The rest is open; the same command goes on.');
}

function refuseBoth(options: SettleOptions): void {
  if (options.all !== true && Object.keys(queryOf(options)).length === 0) return;
  throw new TripwatchError('permanent', 'option-invalid', 'Name letters, or say which by options: not both.');
}
