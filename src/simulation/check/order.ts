import { type Checker, type Violation, violation } from './violation.ts';

/**
 * I4: the effects of one key's events were committed in the order of the log, by one process at a time: none was begun
 * (handed out) before the one ahead of it was committed. Effects in the same log position are the same event.
 */
export const checkKeyOrder: Checker = ({ history, tables }) => {
  const found: Violation[] = [];
  const events = new Map(tables.log.map(({ seq, event }) => [event.id as string, { seq, key: event.partitionkey }]));
  const last = new Map<string, { readonly seq: number; readonly at: number; readonly eventId: string }>();
  for (const { consumer, eventId, at, deliveredAt, life } of history.effects) {
    const event = events.get(eventId);
    if (event === undefined) continue;
    const line = `${consumer} ${event.key}`;
    const before = last.get(line);
    if (before !== undefined && event.seq < before.seq)
      found.push(violation('I4', `${consumer} did ${eventId} (${event.seq}) after ${before.eventId} (${before.seq})`));
    if (before !== undefined && deliveredAt !== undefined && deliveredAt < before.at)
      found.push(
        violation(
          'I4',
          `process ${life}: ${consumer} began ${eventId} before ${before.eventId}, of the same key, was done`,
        ),
      );
    last.set(line, { seq: event.seq, at, eventId });
  }
  return found;
};
