import { TripwatchError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';
import { STAGES, type StageName } from '../stages/stages.ts';

/** What a process may do: take mails in, run a stage (with what belongs to it), answer people and programs. */
export type Role = 'watch' | StageName | 'api';
export const ROLES: readonly Role[] = ['watch', ...STAGES.map((stage) => stage.name), 'api'];

/** `collect,extract`; `all`, or nothing: every role. Errors: permanent `option-invalid`. */
export function parseRoles(text: string | undefined): readonly Role[] {
  const words = (text ?? 'all').split(',').map((word) => word.trim());
  if (words.length === 1 && words[0] === 'all') return ROLES;
  const unknown = words.find((word) => !(ROLES as readonly string[]).includes(word));
  if (unknown !== undefined)
    throw new TripwatchError(
      'permanent',
      'option-invalid',
      `--stages: ${JSON.stringify(unknown)} is none.${nearest(unknown, ROLES)} There are: ${ROLES.join(', ')}.`,
    );
  return ROLES.filter((role) => words.includes(role));
}
