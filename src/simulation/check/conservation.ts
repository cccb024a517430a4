import { STAGES } from '../../stages/stages.ts';
import type { Tables } from '../tables.ts';
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

/** I10: no mail is left undecided; what was set aside says so on its receipt; what says `imported` brought something. */
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
  found.push(...checkWhatMailsBrought(tables));
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

/** I8: by the events alone, a mail brought something exactly where its receipt says `imported`. */
function checkWhatMailsBrought(tables: Tables): readonly Violation[] {
  const said = new Map<string, string>();
  const saying = new Set<string>();
  const brought = new Set<string>();
  for (const { event } of tables.log) {
    if (event.topic !== 'observation.recorded' || event.data.observation.source.kind !== 'mail') continue;
    said.set(event.id, event.data.observation.source.ref);
    saying.add(event.data.observation.source.ref);
  }
  for (const { event } of tables.log) {
    const mail = event.topic === 'reservation.changed' ? said.get(event.causationid ?? '') : undefined;
    if (mail !== undefined) brought.add(mail);
  }
  return tables.mails.flatMap(({ id, disposition }) => {
    if (disposition === 'imported' && !brought.has(id))
      return [violation('I8', `mail ${id} is imported and changed no reservation`)];
    const nothing = ['merged', 'duplicate', 'nothing-found', 'skipped', 'vanished'].includes(disposition);
    if (nothing && brought.has(id)) return [violation('I8', `mail ${id} is ${disposition} and changed a reservation`)];
    if (disposition === 'merged' && !saying.has(id))
      return [violation('I8', `mail ${id} is merged and recorded no observation`)];
    return [];
  });
}

/** I10: after a stop in good order, no consumer keeps a row for an event that is done. */
export const checkNothingParked: Checker = ({ tables }) =>
  tables.deliveries.map((one) => violation('I10', `${one.consumer} still has ${one.eventId} as ${one.state}`));
