import { CALL_LIMITS } from '../process.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** What the drift of a clock may take off a wait. */
const DRIFT_MS_MAX = 500;

/** I13: no call before the instant that this process was told to wait for. (A restart forgets: see docs/simulation.md.) */
export const checkRetryAfter: Checker = ({ history }) =>
  history.calls
    .filter((call) => call.toldToWaitTo !== undefined && call.at < call.toldToWaitTo - DRIFT_MS_MAX)
    .map((call) =>
      violation(
        'I13',
        `asked about ${call.about} ${Math.ceil((call.toldToWaitTo ?? 0) - call.at)} ms before Retry-After`,
      ),
    );

/** I13: in no window more calls than configured, within one life. */
export const checkCallWindows: Checker = ({ history }) => {
  const found: Violation[] = [];
  const lives = new Map<number, number[]>();
  for (const { life, at } of history.calls) lives.set(life, [...(lives.get(life) ?? []), Math.trunc(at)]);
  for (const [life, times] of lives)
    for (const { max, perSeconds } of CALL_LIMITS)
      times.forEach((at, index) => {
        const first = times[index - max];
        if (first !== undefined && at - first < perSeconds * 1000)
          found.push(violation('I13', `process ${life} made more than ${max} calls in ${perSeconds} s`));
      });
  return found;
};
