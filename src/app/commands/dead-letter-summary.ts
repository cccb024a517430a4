import { type Command, Option } from 'commander';
import { deadLetterFilter } from '../../api/commands/dead-letter-query.ts';
import { deadLetterSummary } from '../../api/views/dead-letters.ts';
import type { DeadLetterQuery, DeadLetterSummary } from '../../contracts/http/dead-letters.ts';
import { DEAD_LETTER_STATES } from '../../ports/store/dead-letters.ts';
import { action } from '../command.ts';
import { age, printable, type Style, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';
import { type QueryOptions, queryOf, withQueryOptions } from './dead-letter-options.ts';
import { operatorDeps, operatorHere } from './operator.ts';

/** `--state`. */
export const stateOption = (standard: string) =>
  new Option('--state <state>', 'which').choices([...Object.keys(DEAD_LETTER_STATES), 'all']).default(standard);
export type WithState = QueryOptions & { readonly state: DeadLetterQuery['state'] };

export function summaryCommand(letters: Command): void {
  withQueryOptions(letters.command('summary', { isDefault: true }))
    .description('how many, by stage and error: look here first')
    .addOption(stateOption('open'))
    .action(
      action(async (context, options: WithState) => {
        await withCore(context, 'existing', async (core) => {
          const caller = operatorHere();
          const query = queryOf(options, options.state);
          const filter = await deadLetterFilter(operatorDeps(core), caller, query);
          const summary = await core.store.read((tx) => deadLetterSummary(tx, caller, filter));
          context.result(summary);
          context.say(summaryText(summary, core.clock.now(), context.style));
          if (summary.total > 0) context.note('One of them: tripwatch dead-letters show ID');
        });
      }),
    );
}

/** A line a group, the largest first, and the sum. */
export function summaryText(summary: DeadLetterSummary, now: number, style: Style): string {
  if (summary.total === 0) return 'No such dead letter.';
  const ago = (instant: string) => age(now - Temporal.Instant.from(instant).epochMilliseconds);
  const rows = summary.groups.map((group) => [
    String(group.count),
    group.stage,
    style.red(group.code),
    `${[...new Set([ago(group.oldestAt), ago(group.newestAt)])].join(' to ')} ago`,
    style.dim(group.example),
    style.dim(printable(group.message).slice(0, 70)),
  ]);
  const more = summary.truncated ? ', in more groups than are shown' : '';
  return `${table(rows)}\n${summary.total} in all${more}.`;
}
