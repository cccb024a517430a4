import { STAGES } from '../../stages/stages.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** I10: every event has been worked on by every stage that reads its topic. */
export const checkEverythingDone: Checker = ({ tables }) => {
  const marks = new Set(tables.processed.map((one) => `${one.consumer} ${one.eventId}`));
  return STAGES.flatMap(({ name, reads }) =>
    tables.log
      .filter(({ event }) => event.topic === reads && !marks.has(`${name} ${event.id}`))
      .map(({ event }) => violation('I10', `${name} never did ${event.topic} ${event.id}`)),
  );
};

/** I10: no mail is left undecided; what was set aside says so on its receipt; what says `imported` has its observations. */
export const checkMails: Checker = ({ tables }) => {
  const found: Violation[] = [];
  for (const mail of tables.mails)
    if (mail.disposition === 'seen' || mail.disposition === 'collected')
      found.push(violation('I10', `mail ${mail.id} is still ${mail.disposition}`));
  const dispositions = new Map(tables.mails.map((mail) => [mail.id, mail.disposition]));
  const events = new Map(tables.log.map(({ event }) => [event.id as string, event]));
  for (const letter of tables.deadLetters) {
    if (letter.state !== 'open' || letter.code === '' || letter.attempts === 0)
      found.push(violation('I11', `the dead letter of ${letter.consumer} for ${letter.eventId} is not visible`));
    const event = events.get(letter.eventId);
    if (event?.topic !== 'mail.seen' && event?.topic !== 'mail.collected') continue;
    const disposition = dispositions.get(event.data.mailId);
    if (disposition !== 'failed')
      found.push(violation('I10', `mail ${event.data.mailId} was set aside and its receipt says ${disposition}`));
  }
  const causes = new Set(
    tables.log.flatMap(({ event }) => (event.topic === 'observation.recorded' ? [event.correlationid] : [])),
  );
  for (const mail of tables.mails)
    if (mail.disposition === 'imported' && !causes.has(mail.id))
      found.push(violation('I8', `mail ${mail.id} is imported and recorded no observation`));
  const letters = new Set(tables.deadLetters.map((one) => `${one.consumer} ${one.eventId}`));
  const stored = new Set<string>(tables.observations.map((one) => one.id));
  for (const { event } of tables.log)
    if (
      event.topic === 'observation.recorded' &&
      !stored.has(event.data.observation.id) &&
      !letters.has(`reconcile ${event.id}`)
    )
      found.push(violation('I10', `observation ${event.data.observation.id} was recorded and never stored`));
  return found;
};

/** I10: after a stop in good order, no consumer keeps a row for an event that is done. */
export const checkNothingParked: Checker = ({ tables }) =>
  tables.deliveries.map((one) => violation('I10', `${one.consumer} still has ${one.eventId} as ${one.state}`));
