import type { z } from 'zod';
import { TripwatchError } from '../domain/errors.ts';

/** Checks what was typed against the schema that REST uses too. Errors: permanent `option-invalid`, naming each fault. */
export function parseOptions<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  throw new TripwatchError('permanent', 'option-invalid', faults.join('; '));
}
