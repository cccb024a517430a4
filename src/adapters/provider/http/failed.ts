import type { z } from 'zod';
import { TripwatchError } from '../../../domain/errors.ts';

/** The three ways in which an answer is none, in one wording for all connectors. */

/** JSON, but not of the documented form. `why` names the place, never a value. */
export function unreadable(why: string | z.ZodError): TripwatchError {
  const where = typeof why === 'string' ? why : why.issues[0]?.path.join('.') || 'the answer itself';
  return new TripwatchError(
    'transient',
    'provider-answered-unreadable',
    `The provider's answer has not the documented form (${where}) and was not used.`,
  );
}

/** About something else than was asked. */
export function answeredOther(what = 'booking'): TripwatchError {
  return new TripwatchError(
    'permanent',
    'provider-answered-other',
    `The provider answered with another ${what} than the one asked about; the answer was not used.`,
  );
}

/** A subject that this connector did not make. */
export function incomplete(subjectId: string): TripwatchError {
  return new TripwatchError('defect', 'subject-incomplete', `Subject ${subjectId} does not say what to ask.`);
}

/** The value as the schema has it. Errors: `provider-answered-unreadable`. */
export function readAs<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data;
}
