import { type Checker, violation } from './violation.ts';

/**
 * I16: the runtime's watchdog had nothing to say. It heals a lost wake-up after half a minute of real time; but nothing
 * that the plan does loses one, so each is a bug. (The bound after the last fault is checked by the run itself.)
 */
export const checkNoStall: Checker = ({ history }) =>
  history.runtime.flatMap(({ life, event }) =>
    event.type === 'stalled'
      ? [violation('I16', `process ${life}: ${event.waiting} events waited in ${event.stage} and nobody fetched them`)]
      : [],
  );
