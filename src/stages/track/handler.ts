import type { AnyNewEvent, Event } from '../../contracts/event.ts';
import type { SubjectId } from '../../domain/ids.ts';
import type { Fields, Reservation } from '../../domain/reservation.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { SubjectSpec } from '../../ports/provider.ts';
import type { Follower, Subject } from '../../ports/store/subjects.ts';
import type { Tx } from '../../ports/store.ts';
import { observedEvent } from './publish.ts';
import { subjectIdOf } from './subject.ts';
import type { Tracker } from './tracker.ts';

/** An ended subject is taken up again only if its end moved by more than this: late corrections are not worth it. */
const REVIVE_MS = 3_600_000;

/** Subjects to read again, with the spec to be found there (undefined: ended). See Tracker.refresh. */
type Touched = Map<SubjectId, string | undefined>;

/**
 * Keeps the watch list: which subjects each reservation follows at each configured account. Whoever begins to follow a
 * subject that has been answered gets that answer at once, as an event for it alone.
 */
export function createTrackHandler(parts: {
  readonly tracker: Pick<Tracker, 'accounts' | 'refresh' | 'wake'>;
}): Handler<'reservation.changed'> {
  const { tracker } = parts;
  return async (event, context) => {
    const reservation = event.data.reservation as Reservation;
    const now = context.clock.now();
    const wanted = followable(event) ? wantedSubjects(tracker, reservation, now) : [];
    return ack(async (tx) => {
      const touched: Touched = new Map();
      const events = await keepFollowing(tx, reservation, wanted, touched);
      if (touched.size > 0) tracker.refresh(touched);
      if (doubted(event)) {
        const asked = wanted.filter(({ spec }) => spec.everyMs === undefined);
        const elsewhere = asked.filter(({ account, spec }) => tracker.wake(account, [spec.id]) === 0);
        await tx.subjects.wake(
          elsewhere.map(({ id }) => id),
          'doubt',
        );
      }
      return events;
    });
  };
}

interface Wanted {
  readonly account: string;
  readonly label: string;
  readonly spec: SubjectSpec;
  readonly id: SubjectId;
}

function followable(event: Event<'reservation.changed'>): boolean {
  const { reservation, mergedInto } = event.data;
  return mergedInto === undefined && reservation.fields.removed?.value !== true;
}

function wantedSubjects(tracker: Pick<Tracker, 'accounts'>, reservation: Reservation, now: number): readonly Wanted[] {
  return tracker.accounts.flatMap(({ account, connector }) =>
    connector
      .subjectsOf(reservation)
      .filter((spec) => spec.endAt > now)
      .map((spec) => ({ account, label: connector.label, spec, id: subjectIdOf(account, spec.id) })),
  );
}

async function keepFollowing(
  tx: Tx,
  reservation: Reservation,
  wanted: readonly Wanted[],
  touched: Touched,
): Promise<readonly AnyNewEvent[]> {
  const { tenant, traveller, id } = reservation;
  const follower: Follower = { tenant, traveller, reservation: id };
  const events: AnyNewEvent[] = [];
  const ids = new Set(wanted.map((one) => one.id));
  for (const followed of await tx.subjects.followedBy(tenant, id)) {
    // What has ended by itself stays on the list: it says until when the reservation was verified.
    if (ids.has(followed.id) || (followed.state === 'ended' && wanted.length > 0)) continue;
    const { left } = await tx.subjects.unfollow(followed.id, tenant, id);
    if (left > 0) continue;
    await tx.subjects.end(followed.id);
    touched.set(followed.id, undefined);
  }
  for (const one of wanted) {
    const stored = await tx.subjects.get(one.id);
    const spec = shared(stored, one.spec);
    if (await isNew(tx, stored, spec)) {
      await tx.subjects.put(one.id, one.account, spec);
      touched.set(one.id, JSON.stringify(spec));
    }
    const { new: began } = await tx.subjects.follow(one.id, follower);
    if (began && stored?.answer !== undefined) events.push(answerFor(one, stored, follower));
  }
  return events;
}

/** What all followers know together: one knows the destination, another the later end. */
function shared(stored: Subject | undefined, spec: SubjectSpec): SubjectSpec {
  if (stored === undefined) return spec;
  return {
    ...spec,
    query: { ...stored.spec.query, ...spec.query },
    fromAt: Math.min(stored.spec.fromAt, spec.fromAt),
    endAt: Math.max(stored.state === 'active' ? stored.spec.endAt : 0, spec.endAt),
  };
}

/** To be stored and asked (again)? */
async function isNew(tx: Tx, stored: Subject | undefined, spec: SubjectSpec): Promise<boolean> {
  if (stored === undefined) return true;
  if (stored.state === 'active') return JSON.stringify(stored.spec) !== JSON.stringify(spec);
  // It ended because its last follower left, or because nothing more was to be known: only then it has followers still.
  const [someone] = await tx.subjects.followers(stored.id, undefined, 1);
  return someone === undefined || spec.endAt > stored.spec.endAt + REVIVE_MS;
}

function answerFor(one: Wanted, stored: Subject, follower: Follower): AnyNewEvent {
  const event = observedEvent({
    id: one.id,
    account: one.account,
    label: one.label,
    answer: stored.answer!,
    fetchedAt: stored.changedAt ?? stored.checkedAt ?? 0,
  });
  return { ...event, data: { ...event.data, only: follower } };
}

/**
 * A less believed source newly says "cancelled" against what stands, or an unproven mail says anything else about it: ask
 * whoever holds the booking now, not at the next round.
 */
function doubted(event: Event<'reservation.changed'>): boolean {
  if (event.data.changes.some((change) => change.path === 'unproven' && change.to !== null)) return true;
  const cancelled = (fields: Fields) => fields.status?.beside?.value === 'cancelled';
  const { reservation, changes } = event.data as unknown as {
    readonly reservation: Reservation;
    readonly changes: readonly { readonly path?: string; readonly to?: unknown; readonly besidePerson?: boolean }[];
  };
  const stands = cancelled(reservation.fields) || reservation.legs.some((leg) => cancelled(leg.fields));
  return stands && changes.some((change) => change.path === 'status' && change.besidePerson === true);
}
