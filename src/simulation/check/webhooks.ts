import { type Checker, countBy, type Violation, violation } from './violation.ts';

/** I22: each change is sent (or given up) once for each endpoint that wants it; every attempt has its id and its body. */
export const checkWebhooks: Checker = ({ tables, history }) => {
  const found: Violation[] = [];
  const rows = new Map(tables.notifications.map((one) => [`${one.endpoint} ${one.eventId}`, one]));
  for (const { event } of tables.log) {
    if (event.topic !== 'itinerary.updated') continue;
    for (const { id, traveller, state } of tables.endpoints)
      if (
        state === 'active' &&
        (traveller ?? event.travellerid) === event.travellerid &&
        !rows.has(`${id} ${event.id}`)
      )
        found.push(violation('I22', `${event.id} was never queued for ${id}`));
  }
  const urls = new Map(tables.endpoints.map((one) => [one.url, one.id]));
  const taken = new Set<string>();
  for (const post of history.posts) {
    const key = `${urls.get(post.url)} ${post.id}`;
    const row = rows.get(key);
    if (row === undefined) found.push(violation('I22', `a webhook with id ${post.id} belongs to nothing`));
    else if (row.body !== post.body) found.push(violation('I22', `${key} was sent with another body`));
    if (post.taken) taken.add(key);
  }
  const settled = countBy(
    tables.log.filter(({ event }) => event.topic === 'notification.sent'),
    ({ event }) => event.subject ?? '',
  );
  for (const [key, row] of rows) {
    if (row.state === 'pending') found.push(violation('I22', `${key} is still pending after ${row.attempts} attempts`));
    if (row.state === 'sent' && !taken.has(key)) found.push(violation('I22', `${key} is sent, and nobody took it`));
    if (row.state !== 'pending' && settled.get(row.id) !== 1)
      found.push(violation('I22', `the end of ${key} was told ${settled.get(row.id) ?? 0} times`));
  }
  return found;
};
