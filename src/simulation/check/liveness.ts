import { STALL_MS } from '../../domain/limits.ts';
import { type Checker, violation } from './violation.ts';

/**
 * I16: the runtime's watchdog had nothing to say. It heals a lost wake-up after half a minute of real time; but nothing
 * that the plan does loses one, so each is a bug. A process that stood still does not know how long it did, and may take
 * its own silence for a stall. (The bound after the last fault is checked by the run itself.)
 */
export const checkNoStall: Checker = ({ history, plan }) =>
  history.runtime.flatMap(({ life, at, awakeSince, event }) =>
    event.type === 'stalled' && at - awakeSince > STALL_MS * plan.speed
      ? [violation('I16', `process ${life}: ${event.waiting} events waited in ${event.stage} and nobody fetched them`)]
      : [],
  );
