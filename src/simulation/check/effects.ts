import { type Checker, countBy, type Violation, violation } from './violation.ts';

/** I1: whatever a sender was told to be accepted has a receipt. */
export const checkNoAckedLoss: Checker = ({ tables, history }) => {
  const known = new Set(tables.mails.map((mail) => mail.id));
  return history.accepted
    .filter(({ mailId }) => !known.has(mailId))
    .map(({ mailId }) => violation('I1', `mail ${mailId} was accepted and has no receipt`));
};

/** I2: every mark, letter, observation and answer to the world goes back to an event in the log. */
export const checkNoPhantom: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const events = new Set(tables.log.map(({ event }) => event.id as string));
  const said = new Set(
    tables.log.flatMap(({ event }) => (event.topic === 'observation.recorded' ? [event.data.observation.id] : [])),
  );
  for (const { consumer, eventId } of [...tables.processed, ...tables.deadLetters])
    if (!events.has(eventId)) found.push(violation('I2', `${consumer} worked on ${eventId}, which is not in the log`));
  for (const { id } of tables.observations)
    if (!said.has(id)) found.push(violation('I2', `observation ${id} was stored and never recorded`));
  for (const { event } of tables.log)
    if (event.causationid !== undefined && !events.has(event.causationid))
      found.push(violation('I2', `${event.topic} ${event.id} was caused by ${event.causationid}, which is not there`));
  return found;
};

/** I3: the runtime saw the effect of an event happen at most once for each stage, in all lives together. */
export const checkEffectsOnce: Checker = ({ history, tables }) => {
  const found: Violation[] = [];
  const effects = history.runtime.flatMap(({ event }) =>
    (event.type === 'processed' && !event.repeat) || event.type === 'dead' ? [`${event.stage} ${event.eventId}`] : [],
  );
  for (const [key, times] of countBy(effects, (one) => one))
    if (times > 1) found.push(violation('I3', `${key} had its effect ${times} times`));
  for (const [key, times] of countBy(tables.processed, (one) => `${one.consumer} ${one.eventId}`))
    if (times > 1) found.push(violation('I3', `${key} has ${times} marks`));
  for (const [key, times] of countBy(tables.log, ({ event }) => event.id))
    if (times > 1) found.push(violation('I3', `event ${key} is in the log ${times} times`));
  return found;
};
