import type { Change, Field, Fields, Leg, Reservation, UnprovenClaim } from '../reservation.ts';
import { epochMsOf } from '../time/travel-time.ts';
import { byText, canonicalJson } from './canonical.ts';
import { changeTypeOf, PLACE_PARTS } from './change-types.ts';
import { known } from './fields.ts';

/** A state that has not been given a version yet. */
export type Unversioned = Omit<Reservation, 'version'>;

/**
 * What changed between two accepted states, each fact once:
 *  - the booking first, then its legs in order, then legs that are gone; inside, by path;
 *  - a leg that is cancelled because its booking is, is told by the booking's change;
 *  - estimated and actual time of one end of a leg are one `delay`, told in minutes against schedule;
 *  - `operation: delayed` beside a `delay`, or the parts of an address, are not told again.
 * Equal states (by digest) give no change, different ones at least one. `merged` are reservations that `next` swallows.
 */
export function diff(
  previous: Unversioned | undefined,
  next: Unversioned,
  merged: readonly Unversioned[] = [],
): Change[] {
  const changes: Change[] = merged.map((one) => ({ type: 'merged', from: one.id, to: next.id }));
  if (previous === undefined) {
    const by = anyAttribution(next);
    return [{ type: 'created', ...(by === undefined ? {} : { by }) }, ...changes];
  }
  if (previous.digest === next.digest) return changes;
  changes.push(...bookingChanges(previous, next));

  const before = new Map([...previous.legs, ...merged.flatMap((one) => one.legs)].map((leg) => [leg.id, leg]));
  for (const leg of next.legs) {
    const old = before.get(leg.id);
    if (old === undefined) changes.push(added(leg));
    else changes.push(...legChanges(old, leg, previous.fields, next.fields));
  }
  const kept = new Set(next.legs.map((leg) => leg.id));
  for (const leg of previous.legs) if (!kept.has(leg.id)) changes.push({ type: 'leg-removed', leg: leg.id });
  changes.push(...questionChanges(previous, next));
  return changes.length > 0 ? changes : [{ type: 'details' }];
}

/** One change for each mail that newly claims something, and one when claims are gone. */
function questionChanges(previous: Unversioned, next: Unversioned): Change[] {
  const text = ({ said }: UnprovenClaim) => canonicalJson(said);
  const before = new Set((previous.unproven ?? []).map(text));
  const claimed = (next.unproven ?? []).filter((one) => !before.has(text(one)));
  // Fewer than before, and nothing new: a source that is believed says so now, or something else.
  if (claimed.length === 0 && before.size > (next.unproven?.length ?? 0)) {
    return [{ type: 'details', path: 'unproven', to: null }];
  }
  return claimed.map(({ by, said }) => {
    const cancels = said.some(
      ({ path, value }) => (path === 'status' || path === 'operation') && value === 'cancelled',
    );
    return {
      type: 'details',
      path: 'unproven',
      to: cancels ? 'cancelled' : said.map(({ path }) => path).join(' '),
      by,
    };
  });
}

function added(leg: Leg): Change {
  const by = Object.values(leg.fields)[0]?.by;
  return { type: 'leg-added', leg: leg.id, ...(by === undefined ? {} : { by }) };
}

function anyAttribution(state: Unversioned) {
  return (Object.values(state.fields)[0] ?? Object.values(state.legs[0]?.fields ?? {})[0])?.by;
}

function bookingChanges(previous: Unversioned, next: Unversioned): Change[] {
  const changes: Change[] = [];
  const keys = next.bookingKeys.filter((key) => !previous.bookingKeys.includes(key));
  // A key goes when the mail that tied two bookings together is withheld from one of them.
  const gone = previous.bookingKeys.filter((key) => !next.bookingKeys.includes(key));
  if (keys.length + gone.length > 0) {
    changes.push({
      type: 'details',
      path: 'bookingKeys',
      ...(gone.length === 0 ? {} : { from: gone.join(' ') }),
      to: keys.length === 0 ? null : keys.join(' '),
    });
  }
  for (const path of changedPaths(previous.fields, next.fields)) {
    const [from, to] = [known(previous.fields, path), known(next.fields, path)];
    if (from !== to) changes.push(bookingChange(path, previous.fields, next.fields));
  }
  return [...changes, ...besideChanges(previous.fields, next.fields)];
}

function bookingChange(path: string, before: Fields, after: Fields): Change {
  const change = plain(path, before, after);
  if (path === 'removed') return { ...change, type: known(after, path) === true ? 'removed' : 'restored' };
  if (path !== 'status') return change;
  return { ...change, type: cancellationType(change.from === 'cancelled', change.to === 'cancelled') };
}

function cancellationType(was: boolean, is: boolean): Change['type'] {
  return was === is ? 'status' : is ? 'cancellation' : 'reinstated';
}

function legChanges(old: Leg, leg: Leg, bookingBefore: Fields, bookingAfter: Fields): Change[] {
  const paths = new Set(
    changedPaths(old.fields, leg.fields).filter((path) => known(old.fields, path) !== known(leg.fields, path)),
  );
  const rules = [statusChanges, scheduleChanges, timeChanges, diversionChanges, passengerChanges, placeChanges];
  const changes: Change[] = [];
  const context = { old, leg, paths, bookingBefore, bookingAfter };
  for (const rule of rules) changes.push(...rule(context));
  for (const path of [...paths].sort(byText)) changes.push(plain(path, old.fields, leg.fields));
  const told = besideChanges(old.fields, leg.fields).filter((change) => !toldByBooking(change, context));
  return [...changes, ...told].map((change) => ({ ...change, leg: leg.id }));
}

/** A rule takes the paths it explains out of `paths` and returns how they are told. */
interface LegDiff {
  readonly old: Leg;
  readonly leg: Leg;
  readonly paths: Set<string>;
  readonly bookingBefore: Fields;
  readonly bookingAfter: Fields;
}

function isCancelled(fields: Fields): boolean {
  return known(fields, 'status') === 'cancelled' || known(fields, 'operation') === 'cancelled';
}

function statusChanges({ old, leg, paths, bookingBefore, bookingAfter }: LegDiff): Change[] {
  const [was, is] = [isCancelled(old.fields), isCancelled(leg.fields)];
  const changes: Change[] = [];
  const changed = ['status', 'operation'].filter((path) => paths.delete(path));
  const turned = (path: string) => (known((was ? old : leg).fields, path) === 'cancelled' ? 0 : 1);
  if (was !== is) changed.sort((a, b) => turned(a) - turned(b));
  let toldTurn = was === is;
  for (const path of changed) {
    const change = plain(path, old.fields, leg.fields);
    const turns = !toldTurn && (change.from === 'cancelled' || change.to === 'cancelled');
    if (path === 'status' && inherits(bookingBefore, bookingAfter, leg.fields)) {
      if (turns) toldTurn = true;
      continue;
    }
    if (turns) {
      changes.push({ ...change, type: is ? 'cancellation' : 'reinstated' });
      toldTurn = true;
    } else if (path === 'operation' && change.to === 'diverted') {
      paths.add('operation');
    } else if (path === 'operation' && change.to === 'delayed' && delayTold(old, leg)) {
      // The minutes say it better.
    } else if (!(is && was !== is)) {
      changes.push({ ...change, type: 'status' });
    }
  }
  return changes;
}

/** The leg's status moved with its booking's, by the word of the same source: told once, on the booking. */
function inherits(before: Fields, after: Fields, leg: Fields): boolean {
  const [whole, own] = [after.status, leg.status];
  return (
    known(before, 'status') !== known(after, 'status') &&
    whole !== undefined &&
    own !== undefined &&
    whole.value === own.value &&
    whole.by.observation === own.by.observation
  );
}

function delayTold(old: Leg, leg: Leg): boolean {
  return (['start', 'end'] as const).some((end) => lateness(leg, end).value !== lateness(old, end).value);
}

function scheduleChanges({ old, leg, paths }: LegDiff): Change[] {
  return (['start', 'end'] as const).flatMap((end): Change[] => {
    const path = `${end}.scheduled`;
    if (!paths.delete(path)) return [];
    const change = plain(path, old.fields, leg.fields);
    const [from, to] = [instant(old, path), instant(leg, path)];
    const sameWall = String(change.from).slice(0, 16) === String(change.to).slice(0, 16);
    // The zone or the hour became known; nothing moved.
    if (change.from === undefined || sameWall || refines(change)) return [{ ...change, type: 'details' }];
    const minutes = from === undefined || to === undefined ? undefined : Math.round((to - from) / 60_000);
    return [{ ...change, type: 'schedule', ...(minutes === undefined ? {} : { minutes }) }];
  });
}

function refines({ from, to }: Change): boolean {
  return typeof from === 'string' && typeof to === 'string' && from.length === 10 && to.startsWith(from);
}

function timeChanges({ old, leg, paths }: LegDiff): Change[] {
  return (['start', 'end'] as const).flatMap((end): Change[] => {
    const moved = differs(old, leg, `${end}.scheduled`);
    const changed = [`${end}.actual`, `${end}.estimated`].filter((path) => paths.delete(path));
    if (changed.length === 0) return [];
    const [was, is] = [lateness(old, end), lateness(leg, end)];
    const said = leg.fields[is.path] ?? leg.fields[changed[0]!];
    const change: Change = {
      type: 'delay',
      path: is.value === undefined ? changed[0]! : is.path,
      ...(was.value === undefined ? {} : { from: was.value }),
      to: is.value ?? null,
      ...(is.minutes === undefined ? {} : { minutes: is.minutes }),
      ...(said === undefined ? {} : { by: said.by }),
    };
    if (is.minutes !== undefined) {
      if (is.minutes !== (was.minutes ?? 0)) return [change];
    } else if (is.value === undefined ? (was.minutes ?? 0) !== 0 : is.value !== was.value) {
      return [change];
    }
    // As late as before: the estimate moved with the schedule, or "departed" and "arrived" confirm it.
    const ran = is.path.endsWith('.actual') && differs(old, leg, 'operation');
    if (moved || ran) return [];
    const path = changed.includes(is.path) ? is.path : changed[0]!;
    return [{ ...plain(path, old.fields, leg.fields), type: 'details' }];
  });
}

function differs(old: Leg, leg: Leg, path: string): boolean {
  return known(old.fields, path) !== known(leg.fields, path);
}

/** The best known time of one end, other than the schedule, and how late it is against schedule. */
function lateness(leg: Leg, end: 'start' | 'end') {
  const path = known(leg.fields, `${end}.actual`) === undefined ? `${end}.estimated` : `${end}.actual`;
  const value = known(leg.fields, path);
  const [scheduled, best] = [instant(leg, `${end}.scheduled`), instant(leg, path)];
  const minutes = scheduled === undefined || best === undefined ? undefined : Math.round((best - scheduled) / 60_000);
  return { path, value, minutes };
}

/** Epoch ms; a time without a zone takes the zone of its place, or counts from UTC so that differences are right. */
function instant(leg: Leg, path: string): number | undefined {
  const zone = known(leg.fields, `${path.split('.')[0]}.zone`);
  return epochMsOf(known(leg.fields, path), typeof zone === 'string' ? zone : 'UTC');
}

function diversionChanges({ old, leg, paths }: LegDiff): Change[] {
  const [operation, airport] = [paths.has('operation'), paths.has('diverted.code')];
  if (!operation && !airport) return [];
  paths.delete('operation');
  paths.delete('diverted.code');
  const path = airport ? 'diverted.code' : 'operation';
  return [{ ...plain(path, old.fields, leg.fields), type: 'diversion' }];
}

/** A new name on the booking is told once, not per ticket number and class; its seat is told. */
function passengerChanges({ old, leg, paths }: LegDiff): Change[] {
  const people = new Map<string, string[]>();
  for (const path of paths) {
    const person = /^passenger\.(.*)\.[^.]*$/.exec(path)?.[1];
    if (person === undefined || changeTypeOf(path) !== 'passenger') continue;
    const held = people.get(person);
    if (held) held.push(path);
    else people.set(person, [path]);
  }
  return [...people]
    .sort(([a], [b]) => byText(a, b))
    .flatMap(([person, changed]): Change[] => {
      for (const path of changed) paths.delete(path);
      const name = `passenger.${person}.name`;
      const told = changed.includes(name) ? [name] : changed.sort(byText);
      return told.map((path) => plain(path, old.fields, leg.fields));
    });
}

/** One change for one end's place; parts that only became known are details. */
function placeChanges({ old, leg, paths }: LegDiff): Change[] {
  return (['start', 'end'] as const).flatMap((end): Change[] => {
    const changed = PLACE_PARTS.map((part) => `${end}.${part}`).filter((path) => paths.delete(path));
    const moved = changed.find((path) => known(old.fields, path) !== undefined);
    const path = moved ?? changed[0];
    if (path === undefined) return [];
    return [{ ...plain(path, old.fields, leg.fields), type: moved === undefined ? 'details' : 'place' }];
  });
}

function changedPaths(before: Fields, after: Fields): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byText);
}

function plain(path: string, before: Fields, after: Fields): Change {
  const [from, to] = [known(before, path), known(after, path)];
  const by = after[path]?.by ?? before[path]?.by;
  return {
    type: changeTypeOf(path),
    path,
    ...(from === undefined ? {} : { from }),
    to: to ?? null,
    ...(by === undefined ? {} : { by }),
  };
}

/** Values that now stand beside a field, or do no longer. */
function besideChanges(before: Fields, after: Fields): Change[] {
  return changedPaths(before, after).flatMap((path): Change[] => {
    const [was, is] = [before[path], after[path]];
    const field = is ?? was;
    if (was?.beside?.value === is?.beside?.value || field === undefined) return [];
    if (is?.beside !== undefined) return [besideChange(path, is, is.beside)];
    // The field itself changed, and that was told.
    if (was?.value !== is?.value) return [];
    return [{ type: 'details', path, from: was!.beside!.value, to: field.value, by: field.by }];
  });
}

/**
 * `to` is what the outside source says. Only where a person's value stands it is told by its own type: a "cancelled"
 * that a more believed source contradicts is a detail to look into, not a cancellation.
 */
function besideChange(path: string, field: Field, beside: NonNullable<Field['beside']>): Change {
  const person = field.by.authority === 'person';
  const type = path === 'status' && beside.value === 'cancelled' ? 'cancellation' : changeTypeOf(path);
  const { value: to, by } = beside;
  return { type: person ? type : 'details', path, from: field.value, to, besidePerson: true, by };
}

function toldByBooking(change: Change, { bookingBefore, bookingAfter }: LegDiff): boolean {
  if (change.path !== 'status') return false;
  const [was, is] = [bookingBefore.status?.beside, bookingAfter.status?.beside];
  return is !== undefined && is.value !== was?.value && is.by.observation === change.by?.observation;
}
