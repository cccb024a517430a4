import { type Checker, countBy, type Violation, violation } from './violation.ts';

/** I7, I8: versions are 1, 2, 3 …, each with changes, and each told by exactly one event with the same changes. */
export const checkVersions: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const events = new Map<string, unknown[]>();
  for (const { event } of tables.log) {
    if (event.topic !== 'reservation.changed' || event.data.mergedInto !== undefined) continue;
    const key = `${event.data.reservation.id} ${event.data.reservation.version}`;
    events.set(key, [...(events.get(key) ?? []), event.data.changes]);
  }
  const rows = new Map<string, number[]>();
  for (const { reservation, version, changes } of tables.versions) {
    rows.set(reservation, [...(rows.get(reservation) ?? []), version]);
    if (changes.length === 0) found.push(violation('I7', `${reservation} ${version} has no changes`));
    const told = events.get(`${reservation} ${version}`) ?? [];
    events.delete(`${reservation} ${version}`);
    if (told.length !== 1) found.push(violation('I8', `${reservation} ${version} was told ${told.length} times`));
    else if (JSON.stringify(told[0]) !== JSON.stringify(changes))
      found.push(violation('I8', `${reservation} ${version} was told with other changes than were stored`));
  }
  for (const key of events.keys()) found.push(violation('I8', `${key} was told and is no stored version`));
  for (const { reservation } of tables.reservations) {
    const versions = rows.get(reservation.id) ?? [];
    if (versions.length !== reservation.version || versions.some((version, index) => version !== index + 1))
      found.push(violation('I7', `${reservation.id} is at ${reservation.version} and has versions ${versions.join()}`));
  }
  return found;
};

/** I8: every reservation.changed comes out once as itinerary.updated, in the log and in the feed, and lists are current. */
export const checkFeed: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const cause = ({ event }: { readonly event: { readonly causationid?: string | undefined } }) =>
    event.causationid ?? '';
  const updated = tables.log.filter(({ event }) => event.topic === 'itinerary.updated');
  const logged = countBy(updated, cause);
  const fed = countBy(tables.feed, cause);
  for (const { event } of tables.log) {
    if (event.topic !== 'reservation.changed') continue;
    const what = `${event.data.reservation.id} ${event.data.reservation.version}`;
    if (logged.get(event.id) !== 1)
      found.push(violation('I8', `${what} was published ${logged.get(event.id) ?? 0} times`));
    if (fed.get(event.id) !== 1) found.push(violation('I8', `${what} is in the feed ${fed.get(event.id) ?? 0} times`));
  }
  const rows = new Map(tables.itineraries.map((row) => [row.reservation, row]));
  for (const { reservation, mergedInto } of tables.reservations) {
    const row = rows.get(reservation.id);
    if (mergedInto === undefined && (row === undefined || row.gone || row.version !== reservation.version))
      found.push(violation('I8', `${reservation.id} is at ${reservation.version}, lists show ${row?.version}`));
    if (mergedInto !== undefined && row !== undefined && !row.gone)
      found.push(violation('I8', `${reservation.id} was joined into another and is still in lists`));
  }
  return found;
};
