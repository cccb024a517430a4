import type { AnyEvent } from '../../contracts/event.ts';
import type { ExplainView } from '../../contracts/http/views.ts';
import type { Topic } from '../../contracts/topics.ts';
import type { EventId, MailId, ObservationId, ReservationId, SubjectId } from '../../domain/ids.ts';
import { speaksOf } from '../../domain/reconcile/claims.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { LogEntry } from '../../ports/store/log.ts';
import type { ReadTx } from '../../ports/store.ts';
import { type Caller, notFound } from '../auth.ts';
import { deliveryView, receiptView } from './accounts.ts';
import { attemptView, deadLetterView } from './dead-letters.ts';
import { reservationView, type ViewContext } from './reservation.ts';

/** Events shown of one story; what is beyond is said, not hidden. */
const EVENTS_MAX = 200;
/** Dead letters of one event: one a stage and replay. */
const DEAD_LETTERS_MAX = 50;
/** Sources of one reservation whose events are looked up. */
const OBSERVATIONS_MAX = 100;
const FOLLOWERS_MAX = 1000;

export interface ExplainContext extends ViewContext {
  readonly consumers: readonly { readonly name: string; readonly reads: Topic }[];
}

/**
 * The whole path of a mail, reservation, subject, observation or event: each event of its story with who processed it
 * and when, what it waits for, attempts, dead letters and deliveries. Errors: `not-found`.
 */
export async function explainView(
  tx: ReadTx,
  caller: Caller,
  id: string,
  context: ExplainContext,
): Promise<ExplainView> {
  const found = await storyOf(tx, caller, id);
  const visible = found.filter((event) => caller.traveller === undefined || event.travellerid === caller.traveller);
  const mails = new Set<string>(id.startsWith('mail_') ? [id] : []);
  const reservations = new Set<string>(id.startsWith('rsv_') ? [id] : []);
  for (const event of visible) {
    if (event.correlationid.startsWith('mail_')) mails.add(event.correlationid);
    if (event.topic === 'reservation.changed') reservations.add(event.data.reservation.id);
  }
  if (id.startsWith('sub_')) {
    const followers = await tx.subjects.followers(id as SubjectId, undefined, FOLLOWERS_MAX);
    for (const one of followers) if (one.tenant === caller.tenant) reservations.add(one.reservation);
  }
  const receipts: ExplainView['receipts'] = [];
  for (const mail of mails) {
    const receipt = await tx.mails.get(caller.tenant, mail as MailId);
    if (receipt === undefined || (caller.traveller !== undefined && receipt.traveller !== caller.traveller)) continue;
    receipts.push(receiptView(receipt));
    for (const reservation of receipt.reservations) reservations.add(reservation);
  }
  const shown: ExplainView['reservations'] = [];
  for (const reservation of [...reservations].slice(0, 20)) {
    const current = await tx.reservations.get(caller.tenant, reservation as ReservationId);
    if (current === undefined || (caller.traveller !== undefined && current.traveller !== caller.traveller)) continue;
    if (!shown.some((one) => one.id === current.id)) shown.push(await reservationView(tx, current, context));
  }
  if (visible.length === 0 && receipts.length === 0 && shown.length === 0) throw notFound(id);
  const events = await eventViews(tx, caller, visible.slice(0, EVENTS_MAX), context);
  return {
    id,
    ...(visible[0] === undefined ? {} : { correlation: visible[0].correlationid }),
    summary: summaryOf(events, receipts, shown),
    events,
    receipts,
    reservations: shown,
    truncated: visible.length > EVENTS_MAX,
  };
}

/** Events by id, by what they are about and by what they stem from, each once, oldest first. */
async function storyOf(tx: ReadTx, caller: Caller, id: string): Promise<readonly AnyEvent[]> {
  const limit = EVENTS_MAX + 1;
  const entries = new Map<number, AnyEvent>();
  const add = (list: readonly LogEntry[]) => {
    for (const { seq, event } of list) if (event.tenantid === caller.tenant) entries.set(seq, event);
  };
  if (id.startsWith('evt_')) {
    const entry = await tx.log.get(id as EventId);
    if (entry === undefined || entry.event.tenantid !== caller.tenant) return [];
    add([entry]);
    add(await tx.log.byCorrelation(caller.tenant, entry.event.correlationid, limit));
  } else {
    add(await tx.log.bySubject(caller.tenant, id, limit));
    add(await tx.log.byCorrelation(caller.tenant, id, limit));
    // A reservation stems from mails and answers whose stories are longer than its own: only what led to it belongs here.
    if (id.startsWith('rsv_')) {
      for (const one of await groundsOf(tx, caller, id as ReservationId))
        add(await tx.log.bySubject(caller.tenant, one, limit));
      await addCauses(tx, entries, add);
    }
  }
  return [...entries].sort(([a], [b]) => a - b).map(([, event]) => event);
}

/** What speaks of it: also what only confirmed it, and what came in before it was merged into another. */
async function groundsOf(tx: ReadTx, caller: Caller, id: ReservationId): Promise<readonly ObservationId[]> {
  const current = await tx.reservations.get(caller.tenant, id);
  if (current === undefined) return [];
  const keys = [...current.bookingKeys, ...current.legs.flatMap((leg) => leg.keys)];
  const known = await tx.reservations.closure(current.tenant, current.traveller, keys);
  const speaking = known.filter((one) => speaksOf(one, current)).map((one) => one.id);
  return [...new Set([...current.observations, ...speaking])].slice(-OBSERVATIONS_MAX);
}

/** What caused the events found so far, back to the roots. */
async function addCauses(
  tx: ReadTx,
  entries: ReadonlyMap<number, AnyEvent>,
  add: (list: readonly LogEntry[]) => void,
): Promise<void> {
  const known = new Set([...entries.values()].map((event) => event.id as string));
  const open = [...entries.values()].flatMap((event) => event.causationid ?? []);
  for (let cause = open.pop(); cause !== undefined && known.size <= EVENTS_MAX; cause = open.pop()) {
    if (known.has(cause)) continue;
    known.add(cause);
    const entry = await tx.log.get(cause as EventId);
    if (entry === undefined) continue;
    add([entry]);
    if (entry.event.causationid !== undefined) open.push(entry.event.causationid);
  }
}

async function eventViews(
  tx: ReadTx,
  caller: Caller,
  events: readonly AnyEvent[],
  context: ExplainContext,
): Promise<ExplainView['events']> {
  const views: ExplainView['events'] = [];
  for (const event of events) {
    const processed = await tx.log.processedBy(event.id);
    const parked = await tx.log.parked(event.id);
    const { letters: dead } = await tx.deadLetters.list(
      caller.tenant,
      { eventId: event.id },
      { limit: DEAD_LETTERS_MAX },
    );
    const done = new Set([...processed, ...dead].map((one) => one.consumer));
    views.push({
      id: event.id,
      topic: event.topic,
      subject: event.subject ?? '',
      time: event.time,
      source: event.source,
      ...(event.causationid === undefined ? {} : { causation: event.causationid }),
      ...(event.recipient === undefined ? {} : { recipient: event.recipient }),
      processed: processed.map(({ consumer, at, failed }) => ({
        consumer,
        at: isoInstant(at),
        ...(failed.length === 0 ? {} : { failed: failed.map(attemptView) }),
      })),
      waitingFor: context.consumers.filter((c) => awaits(c, event) && !done.has(c.name)).map((c) => c.name),
      parked: parked.map((one) => ({
        consumer: one.consumer,
        nextAt: isoInstant(one.nextAt),
        attempts: one.attempts.map(attemptView),
      })),
      deadLetters: dead.map(deadLetterView),
      notifications:
        event.topic === 'itinerary.updated'
          ? (await tx.notifications.list(caller.tenant, { eventId: event.id, limit: 200 })).map(deliveryView)
          : [],
      ...(event.topic === 'itinerary.updated' ? { sentences: event.data.sentences } : {}),
    });
  }
  return views;
}

function awaits({ name, reads }: ExplainContext['consumers'][number], event: AnyEvent): boolean {
  return reads === event.topic && (event.recipient === undefined || event.recipient === name);
}

function summaryOf(
  events: ExplainView['events'],
  receipts: ExplainView['receipts'],
  reservations: ExplainView['reservations'],
): string[] {
  const lines: string[] = [];
  for (const mail of receipts) {
    lines.push(
      `Mail ${mail.id} from ${mail.from} came ${mail.receivedAt} by ${mail.via}: ${mail.disposition}. ${mail.reason} ${mail.undo}`,
    );
  }
  for (const event of events) {
    for (const sentence of event.sentences ?? []) lines.push(`${event.time}: ${sentence}`);
    for (const one of event.parked)
      lines.push(`${event.topic} waits for ${one.consumer} until ${one.nextAt} after ${one.attempts.length} attempts.`);
    for (const one of event.deadLetters.filter((letter) => letter.state === 'open')) {
      lines.push(
        `${event.topic} was set aside by ${one.stage} (${one.code}): ${one.message} Replay or discard dead letter ${one.id}.`,
      );
    }
    if (event.waitingFor.length > 0 && event.parked.length === 0)
      lines.push(`${event.topic} is waiting for ${event.waitingFor.join(', ')}.`);
    const sent = event.notifications.filter((one) => one.state === 'sent').length;
    if (event.notifications.length > 0)
      lines.push(`${sent} of ${event.notifications.length} deliveries of ${event.id} arrived.`);
  }
  for (const one of reservations) {
    const checked = one.freshness.map((f) =>
      f.ageSeconds === undefined ? `${f.label}: ${f.state}` : `checked ${f.ageSeconds} s ago by ${f.label}`,
    );
    lines.push(
      `Reservation ${one.id} stands at version ${one.version}: ${one.title}, ${one.status}${checked.length === 0 ? '' : ` (${checked.join('; ')})`}.`,
    );
  }
  return lines;
}
