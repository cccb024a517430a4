/**
 * What stands on one board (an airport's departures of half a day) can be read in one call, or one by one. Whatever costs
 * fewer calls is done. Pure.
 */
export interface BoardChoice {
  /** How often each of those on the board is asked, ms: the one that is due now, and the others that are asked now. */
  readonly intervalMs: number;
  readonly othersMs: Iterable<number>;
  /** What one question and one board cost, in the same unit; nothing where there is no limit. */
  readonly costOne: number;
  readonly costBoard: number;
}

/**
 * True: reading the board costs less than the questions it saves. One that is asked less often than the one that is due
 * saves only its share of a question.
 */
export function isBoardCheaper({ intervalMs, othersMs, costOne, costBoard }: BoardChoice): boolean {
  let questions = 1;
  for (const otherMs of othersMs) questions += Math.min(1, intervalMs / Math.max(1, otherMs));
  // Shares are no exact numbers.
  return questions * costOne > costBoard * (1 + 1e-9);
}

/** Calls that asking about `perBoard` things on each board takes at the least in one round, where a board costs so many. */
export function idealCalls(perBoard: Iterable<number>, boardCalls: number): number {
  let calls = 0;
  for (const count of perBoard) calls += Math.min(count, boardCalls);
  return calls;
}
