import type { DeadLetterQuery } from '../../contracts/http/dead-letters.ts';
import { ERROR_CODES } from '../../domain/error-codes.ts';
import { nearest } from '../../domain/nearest.ts';
import { momentOf } from '../../domain/time/moment.ts';
import type { DeadLetterFilter } from '../../ports/store/dead-letters.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';

/** Names listed in an error at most. */
const NAMED_MAX = 20;

/**
 * What a query asks the store for. A name that no letter can have is a typing mistake, and said: an empty list would be
 * taken for good news. Errors: `query-invalid`.
 */
export async function deadLetterFilter(
  deps: Pick<CommandDeps, 'store' | 'clock' | 'config' | 'stages'>,
  caller: Caller,
  query: DeadLetterQuery,
): Promise<DeadLetterFilter> {
  const { state, stage, code, kind, provider, topic, olderThan, youngerThan, key, correlation } = query;
  const { stages } = deps;
  if (stage !== undefined && stages !== undefined && !stages.includes(stage))
    throw mistyped('stage', stage, stages, 'There are');
  if (code !== undefined || provider !== undefined) {
    const known = await deps.store.read((tx) => tx.deadLetters.known(caller.tenant));
    if (code !== undefined) checkCode(code, [...known.codes, ...Object.keys(ERROR_CODES)], known.codes);
    const accounts = [...new Set([...known.providers, ...deps.config.providers.map((one) => one.account)])];
    if (provider !== undefined && !accounts.includes(provider))
      throw mistyped('provider', provider, accounts, 'Known are');
  }
  const now = deps.clock.now();
  const to = olderThan === undefined ? undefined : momentOf(olderThan, now);
  const from = youngerThan === undefined ? undefined : momentOf(youngerThan, now);
  if (to !== undefined && from !== undefined && from >= to)
    throw new Problem(
      'query-invalid',
      `Nothing is both older than ${olderThan} and younger than ${youngerThan}: exchange the two.`,
    );
  const prefix = code?.endsWith('*') === true ? code.slice(0, -1) : undefined;
  return {
    ...(state === undefined || state === 'all' ? {} : { state }),
    ...(stage === undefined ? {} : { consumer: stage }),
    ...(code === undefined ? {} : prefix === undefined ? { code } : { codePrefix: prefix }),
    ...(kind === undefined ? {} : { kind }),
    ...(provider === undefined ? {} : { provider }),
    ...(topic === undefined ? {} : { topic }),
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
    ...(key === undefined ? {} : { key }),
    ...(correlation === undefined ? {} : { correlation }),
  };
}

/** The query in one line, for people and the audit trail: `stage=extract code=parse-*`. */
export function queryText(query: DeadLetterQuery): string {
  const words = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? 'all' : words.join(' ');
}

function checkCode(code: string, all: readonly string[], used: readonly string[]): void {
  const prefix = code.endsWith('*') ? code.slice(0, -1) : undefined;
  if (prefix === undefined ? all.includes(code) : all.some((one) => one.startsWith(prefix))) return;
  throw mistyped('code', code, prefix === undefined ? all : [], 'Letters have', used);
}

function mistyped(
  field: string,
  value: string,
  known: readonly string[],
  listed: string,
  list: readonly string[] = known,
): Problem {
  const names = list.slice(0, NAMED_MAX).join(', ');
  const rest = list.length > NAMED_MAX ? ', …' : '';
  const hint = `${nearest(value, known)}${names === '' ? '' : ` ${listed} ${names}${rest}.`}`;
  return new Problem('query-invalid', `${field}: there is no ${field} "${value}".${hint}`, [
    { path: field, message: `not known; got "${value}"` },
  ]);
}
