import { FAILURES, type Failure } from '../http/failures.ts';
import type { TravelportProblem, TravelportResult } from './schema.ts';

/**
 * What stands in `Result` of an answer, sometimes with HTTP 200. The gravest decides; warnings mean that a part of the
 * answer is missing, which says nothing about that part.
 */
export type Verdict = Failure | 'absent' | 'partial' | 'whole';

const BY_CODE: Readonly<Record<number, Failure | 'absent'>> = {
  400: FAILURES.refused,
  401: FAILURES.unauthorised,
  // Inside an answer: this reservation is another agency's; the account is in order.
  403: FAILURES.refused,
  404: 'absent',
  422: FAILURES.refused,
  429: FAILURES.limited,
};

export function verdictOf(results: readonly TravelportResult[]): Verdict {
  const errors = results.flatMap((one) => one?.Error ?? []);
  const verdicts = errors.map(verdictOfOne);
  const failure = verdicts.find((one) => one !== 'absent');
  if (failure !== undefined) return failure;
  if (verdicts.length > 0) return 'absent';
  return results.some((one) => (one?.Warning ?? []).length > 0 || one?.status === 'Incomplete') ? 'partial' : 'whole';
}

function verdictOfOne({ StatusCode, Message }: TravelportProblem): Failure | 'absent' {
  // Hosts say so in words, under various codes.
  if (/\b(locator|reservation|booking)\b.*\bnot found\b/i.test(Message ?? '') && (StatusCode ?? 404) < 500)
    return 'absent';
  return BY_CODE[StatusCode ?? 500] ?? FAILURES.failed;
}
