import type { Command } from 'commander';
import { auditView } from '../../api/views/dead-letters.ts';
import { auditQuerySchema } from '../../contracts/http/dead-letters.ts';
import { momentOf } from '../../domain/time/moment.ts';
import { parseOptions } from '../checked.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';

interface AuditOptions {
  readonly action?: string;
  readonly target?: string;
  readonly by?: string;
  readonly since?: string;
  readonly before?: string;
  readonly limit: number;
}

/** `tripwatch audit list`: what operators did, by command line and API. */
export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('what operators did: list')
    .command('list')
    .description('newest first')
    .option('--action <action>', 'dead-letter.replay, or its beginning up to a dot: dead-letter')
    .option('--target <target>', 'id, stage or query that it was done to')
    .option('--by <who>', 'token id, or cli:NAME')
    .option('--since <age>', '90s, 30m, 2h, 7d, or an instant')
    .option('--limit <n>', 'how many', count('--limit', 1, 500), 50)
    .option('--before <cursor>', 'go on from there: printed at the end of the page before')
    .action(
      action(async (context, { action, target, by, since, before, limit }: AuditOptions) => {
        const query = parseOptions(auditQuerySchema, { action, target, by, since, before, limit });
        await withCore(context, 'existing', async (core) => {
          const from = query.since === undefined ? undefined : momentOf(query.since, core.clock.now());
          const { entries, ...rest } = await core.store.read((tx) =>
            tx.audit.list(OPERATOR.tenant, { ...query, from }),
          );
          const items = entries.map(auditView);
          context.result({ items, ...rest });
          context.say(
            items.length === 0
              ? 'Nothing on record.'
              : table(
                  items.map((one) => [
                    one.at,
                    printable(one.by),
                    one.action,
                    printable(one.target),
                    context.style.dim(printable(JSON.stringify(one.details)).slice(0, 160)),
                  ]),
                ),
          );
          if (rest.nextBefore !== undefined) context.note(`Older ones: --before ${rest.nextBefore}`);
        });
      }),
    );
}
