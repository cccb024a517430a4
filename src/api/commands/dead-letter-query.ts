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
  if (code !== undefined) await checkCode(deps, caller, code);
  if (provider !== undefined) await checkProvider(deps, caller, provider);
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

/** One of ours, or one that a letter has: codes of other versions and of other programs are known by their letters only. */
async function checkCode({ store }: Pick<CommandDeps, 'store'>, caller: Caller, code: string): Promise<void> {
  const ours = Object.keys(ERROR_CODES);
  const prefix = code.endsWith('*') ? code.slice(0, -1) : undefined;
  if (prefix === undefined ? ours.includes(code) : ours.some((one) => one.startsWith(prefix))) return;
  const filter = prefix === undefined ? { code } : { codePrefix: prefix };
  await store.read(async (tx) => {
    const { letters } = await tx.deadLetters.list(caller.tenant, filter, { limit: 1 });
    if (letters.length > 0) return;
    const { codes } = await tx.deadLetters.known(caller.tenant);
    throw mistyped('code', code, prefix === undefined ? [...codes, ...ours] : [], 'Letters have', codes);
  });
}

async function checkProvider(
  { store, config }: Pick<CommandDeps, 'store' | 'config'>,
  caller: Caller,
  provider: string,
): Promise<void> {
  const configured = config.providers.map((one) => one.account);
  if (configured.includes(provider)) return;
  await store.read(async (tx) => {
    const { letters } = await tx.deadLetters.list(caller.tenant, { provider }, { limit: 1 });
    if (letters.length > 0) return;
    const { providers } = await tx.deadLetters.known(caller.tenant);
    throw mistyped('provider', provider, [...new Set([...configured, ...providers])], 'Known are');
  });
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
