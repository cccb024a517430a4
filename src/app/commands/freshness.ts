import type { Command } from 'commander';
import { freshnessView } from '../../api/views/freshness.ts';
import { type FreshnessView, freshnessQuerySchema } from '../../contracts/http/freshness.ts';
import { momentOf } from '../../domain/time/moment.ts';
import { parseOptions } from '../checked.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch freshness`: how soon changes were published, and what is left of the error budget. */
export function freshnessCommand(program: Command): void {
  program
    .command('freshness')
    .description('how soon changes were published after they can have been visible at the provider')
    .option('--since <age>', '2h, 7d, or an instant', '24h')
    .action(
      action(async (context, options: { readonly since: string }) => {
        const { since } = parseOptions(freshnessQuerySchema, { since: options.since });
        await withCore(context, 'existing', async (core) => {
          const from = momentOf(since, core.clock.now())!;
          const view = await core.store.read((tx) => freshnessView(tx, { tenant: OPERATOR.tenant, from }));
          context.result(view);
          if (view.rows.length === 0) {
            context.say(`No provider has changed its word since ${view.since}.`);
            return;
          }
          const head = [
            'account',
            'journey',
            'changes',
            'in 5 min',
            'p50',
            'p99',
            'worst',
            'fetched to out p99',
            'budget left',
          ];
          const lines = view.rows.map((row) => [
            printable(row.account),
            row.urgency,
            String(row.changes),
            `${((100 * row.withinPromise) / row.changes).toFixed(row.withinPromise === row.changes ? 0 : 2)} %`,
            seconds(row.sincePossible.p50Seconds),
            seconds(row.sincePossible.p99Seconds),
            seconds(row.sincePossible.maxSeconds),
            seconds(row.sinceFetched.p99Seconds),
            row.budgetLeft === undefined ? '' : `${Math.round(row.budgetLeft * 100)} %`,
          ]);
          context.say(table([head, ...lines]));
          const shares = view.rows.map((row) => [
            printable(row.account),
            row.urgency,
            ...SPANS.map(([from, to]) => String(within(row.sincePossible.histogram, from, to))),
          ]);
          context.say('\nHow many changes took how long:');
          context.say(table([['account', 'journey', ...SPANS.map(([, , name]) => name)], ...shares]));
          const { delivered } = view;
          if (delivered.count > 0)
            context.say(
              `Webhooks: ${delivered.count} taken, p50 ${seconds(delivered.p50Seconds)}, p99 ${seconds(delivered.p99Seconds)} after publication.`,
            );
          if (!view.complete) context.note('Only the newest 50,000 changes were looked at; ask for a shorter time.');
        });
      }),
    );
}

/** Columns of the printed histogram: longer than, up to, in seconds. */
const SPANS = [
  [0, 1, '≤ 1 s'],
  [1, 10, '≤ 10 s'],
  [10, 60, '≤ 1 min'],
  [60, 180, '≤ 3 min'],
  [180, 300, '≤ 5 min'],
  [300, 1800, '≤ 30 min'],
  [1800, Number.POSITIVE_INFINITY, 'longer'],
] as const;

function within(histogram: FreshnessView['rows'][number]['sincePossible']['histogram'], from: number, to: number) {
  const inside = histogram.filter(
    ({ upToSeconds = Number.POSITIVE_INFINITY }) => upToSeconds > from && upToSeconds <= to,
  );
  return inside.reduce((sum, { count }) => sum + count, 0);
}

function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`;
}
