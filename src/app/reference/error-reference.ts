import { PROBLEMS } from '../../api/problems.ts';
import { ERROR_CODES } from '../../domain/error-codes.ts';
import { ERROR_KINDS } from '../../domain/errors.ts';

/** docs/errors.md, from the catalogues of kinds, codes and problems. */
export function errorReference(): string {
  return [
    '# Errors',
    '',
    '<!-- generated from src/domain/errors.ts, src/domain/error-codes.ts and src/api/problems.ts by `npm run generate` -->',
    '',
    'Every error has a *kind*, which decides what happens next, and a *code*, which never changes its meaning.',
    '',
    '## Kinds',
    '',
    '| kind | what it means, and what is done |',
    '|---|---|',
    ...Object.entries(ERROR_KINDS).map(([kind, text]) => `| \`${kind}\` | ${text} |`),
    '',
    '## Codes',
    '',
    '| code | meaning | what to do |',
    '|---|---|---|',
    ...Object.entries(ERROR_CODES)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, [meaning, remedy]]) => `| \`${code}\` | ${meaning} | ${remedy} |`),
    '',
    '## Problems of the API (RFC 9457)',
    '',
    '`type` is `/problems/<code>`; `detail` names the value, the place and the remedy.',
    '',
    '| code | status | title |',
    '|---|---|---|',
    ...Object.entries(PROBLEMS).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`),
    '',
  ].join('\n');
}
