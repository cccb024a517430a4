import type { TripwatchError } from '../../domain/errors.ts';
import type { AttemptRecord } from '../../ports/store/log.ts';

/** What a failed attempt leaves behind; the message is cut, for it is kept with every waiting event. */
export function recordOf(error: TripwatchError, at: number): AttemptRecord {
  return { at, kind: error.kind, code: error.code, message: error.message.slice(0, 300) };
}
