import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { type DeadLetterQuery, deadLetterQuerySchema } from '../../contracts/http/dead-letters.ts';
import { TOPICS } from '../../contracts/topics.ts';
import { ERROR_KINDS } from '../../domain/errors.ts';
import { parseOptions } from '../checked.ts';

/** The options that say which dead letters: the same for every command, and the same query as REST takes. */
export function withQueryOptions(command: Command): Command {
  return command
    .option('--stage <stage>', 'stage that gave the event up')
    .option('--code <code>', 'error code, or its beginning and a star: "provider-*"')
    .addOption(new Option('--kind <kind>', 'kind of the last error').choices(Object.keys(ERROR_KINDS)))
    .option('--provider <account>', 'provider account that it concerns')
    .addOption(new Option('--topic <topic>', 'topic of the event').choices(Object.keys(TOPICS)))
    .option('--older-than <age>', 'set aside before: 90s, 30m, 2h, 7d, or an instant')
    .option('--younger-than <age>', 'set aside since: the same')
    .option('--key <key>', 'partition key: traveller, mailbox or provider account')
    .option('--correlation <id>', 'mail, subject or command that it stems from');
}

export type QueryOptions = Omit<z.input<typeof deadLetterQuerySchema>, 'state'>;

/** The query of these options. Errors: `option-invalid`, naming each fault. */
export function queryOf(options: QueryOptions, state?: DeadLetterQuery['state']): DeadLetterQuery {
  const { stage, code, kind, provider, topic, olderThan, youngerThan, key, correlation } = options;
  const given = { state, stage, code, kind, provider, topic, olderThan, youngerThan, key, correlation };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parseOptions(deadLetterQuerySchema, named);
}
