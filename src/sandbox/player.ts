import nodemailer from 'nodemailer';
import type { Clock } from '../ports/clock.ts';
import type { SandboxFolder } from './folder.ts';
import { composeMail } from './mail/compose.ts';
import type { WebhookDesk } from './providers/duffel-webhooks.ts';
import type { NoticeDesk } from './providers/notices.ts';
import { indexOf } from './scenario/state.ts';
import { eachOf, type ServiceClient } from './service-client.ts';
import { happenings, line, mailWords } from './words.ts';

/** Plays a day: enrols the travellers, then hands over mails, bookings and pushes at their sandbox time. */

export interface PlayContext {
  readonly folder: SandboxFolder;
  readonly service: ServiceClient;
  readonly smtp: { readonly host: string; readonly port: number };
  readonly desk: WebhookDesk;
  /** Of the further vendors that post. */
  readonly notices: readonly NoticeDesk[];
  /** One line of the live log. */
  readonly tell: (text: string) => void;
  /** Whether mails are told one by one: for small days. */
  readonly tellMails: boolean;
  readonly signal: AbortSignal;
}

/** Requests to the service at a time while enrolling, and mails on their way at a time. */
const ENROL_WIDTH = 12;
const MAIL_WIDTH = 4;
/** Real time before a mail that was not taken is tried again. */
const MAIL_RETRY_MS = 300;

/** Addresses by person; those of an earlier run stay. Errors: those of the service client. */
export async function enrol(
  context: PlayContext,
): Promise<ReadonlyMap<number, { traveller: string; address: string }>> {
  const { folder, service, signal } = context;
  const journal = folder.open('people');
  const known = new Map(journal.entries.map((one) => [one.index, one]));
  try {
    const missing = folder.scenario.people.filter((one) => !known.has(one.index));
    await eachOf(missing, ENROL_WIDTH, async (person) => {
      const body = { name: `${person.given} ${person.family}`, zone: person.zone, locale: person.locale };
      const traveller = await service.post<{ id: string }>('/v1/travellers', body, signal);
      const mailbox = await service.post<{ address?: string }>(
        `/v1/travellers/${traveller.id}/mailboxes`,
        { kind: 'forward', label: 'Sandbox' },
        signal,
      );
      const entry = { index: person.index, traveller: traveller.id, address: mailbox.address ?? '' };
      known.set(person.index, entry);
      journal.add(entry);
    });
  } finally {
    journal.close();
  }
  return known;
}

export async function playMails(context: PlayContext, people: ReadonlyMap<number, { address: string }>): Promise<void> {
  const { folder, signal, smtp } = context;
  const { clock, scenario } = folder;
  const journal = folder.open('mails');
  const done = new Set(journal.entries.map((one) => one.mail));
  const transport = nodemailer.createTransport({
    pool: true,
    host: smtp.host,
    port: smtp.port,
    secure: false,
    ignoreTLS: true,
    maxConnections: MAIL_WIDTH,
    maxMessages: 1000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const open = scenario.mails.filter((plan) => !done.has(plan.id));
    await atTheirTime(open, MAIL_WIDTH, clock, signal, async (plan) => {
      const mail = composeMail(scenario, plan);
      const envelope = { from: mail.from, to: [people.get(plan.to)!.address] };
      for (;;) {
        try {
          await transport.sendMail({ envelope, raw: mail.raw });
          journal.add({ mail: plan.id, at: clock.now() });
          break;
        } catch (error) {
          const { responseCode, message } = error as { responseCode?: number; message: string };
          if (responseCode !== undefined && responseCode >= 500) {
            journal.add({ mail: plan.id, at: clock.now(), refused: message.slice(0, 200) });
            context.tell(line(clock.now(), `${mailWords(scenario, plan)} was refused: ${message.slice(0, 120)}`));
            return;
          }
          signal.throwIfAborted();
          await new Promise((resolve) => setTimeout(resolve, MAIL_RETRY_MS));
        }
      }
      if (context.tellMails) context.tell(line(clock.now(), mailWords(scenario, plan)));
    });
  } finally {
    transport.close();
    journal.close();
  }
}

/** The agency tells Tripwatch about the bookings it made through Duffel. */
export async function playRegistrations(
  context: PlayContext,
  people: ReadonlyMap<number, { traveller: string }>,
): Promise<void> {
  const { folder, service, signal } = context;
  const { clock, scenario } = folder;
  const journal = folder.open('registered');
  const done = new Set(journal.entries.map((one) => `${one.booking}/${one.owner}`));
  const open = scenario.bookings
    .flatMap((booking) =>
      booking.registeredAt === undefined || booking.duffelId === undefined
        ? []
        : booking.owners.map((owner) => ({ at: booking.registeredAt!, booking, owner, id: booking.duffelId! })),
    )
    .filter((one) => !done.has(`${one.booking.id}/${one.owner}`))
    .sort((a, b) => a.at - b.at);
  try {
    await atTheirTime(open, MAIL_WIDTH, clock, signal, async ({ booking, owner, id }) => {
      const body = { traveller: people.get(owner)!.traveller, kind: booking.kind, provider: { account: 'duffel', id } };
      await service.post('/v1/reservations', body, signal, { 'idempotency-key': `sandbox-${booking.id}-${owner}` });
      journal.add({ booking: booking.id, owner, at: clock.now() });
      if (context.tellMails) context.tell(line(clock.now(), `the agency registers ${booking.reference}`));
    });
  } finally {
    journal.close();
  }
}

export async function playPushes(context: PlayContext): Promise<void> {
  const { folder, desk, signal } = context;
  const done = new Map<string, number>();
  for (const one of folder.witness().pushes) done.set(one.eventId, (done.get(one.eventId) ?? 0) + 1);
  const open = folder.scenario.pushes.filter((plan) => {
    const left = done.get(plan.eventId) ?? 0;
    done.set(plan.eventId, left - 1);
    return left <= 0;
  });
  await atTheirTime(open, Number.POSITIVE_INFINITY, folder.clock, signal, (plan) => desk.push(plan, signal));
}

/** The further vendors post as the truth changes; what an earlier run posted does not come again. */
export async function playNotices(context: Pick<PlayContext, 'folder' | 'notices' | 'signal'>): Promise<void> {
  const { folder, notices, signal } = context;
  const { clock } = folder;
  await Promise.all(
    notices.map(async (desk) => {
      for (;;) {
        await desk.deliver(signal);
        // Of all that are left: one can have come due while others were on their way.
        const next = desk.nextAt(0);
        if (next === undefined) return;
        await clock.sleep(Math.max(0, next - clock.now()), signal);
      }
    }),
  );
}

/** Tells what happens at the airports, as it happens. */
export async function tellHappenings(context: PlayContext): Promise<void> {
  const { clock, scenario } = context.folder;
  const now = clock.now();
  const coming = happenings(scenario).filter((one) => one.at >= now);
  const flown = new Set(
    scenario.bookings.flatMap((one) => (one.kind === 'flight' ? one.segments.map((s) => s.flight) : [])),
  );
  // A big day is told by the flights that people are on least of all: only its count.
  const told = context.tellMails ? coming.filter((one) => mattersTo(flown, context, one.text)) : coming;
  await atTheirTime(told, 1, clock, context.signal, async ({ at, text }) => context.tell(line(at, text)));
}

function mattersTo(flown: ReadonlySet<string>, context: PlayContext, text: string): boolean {
  const index = indexOf(context.folder.scenario);
  const number = /^([A-Z0-9]{2}) (\d+) /.exec(text);
  if (number === null) return true;
  const flights = index.flightsByNumber.get(`${number[1]}${number[2]}`) ?? [];
  return flights.some((flight) => flown.has(flight.id));
}

/**
 * Does each thing at its time, what is overdue at once; at most `width` under way. Stops early when aborted, after what
 * is under way: a mail that was taken while nobody noted it would be handed over again.
 */
async function atTheirTime<T extends { readonly at: number }>(
  items: readonly T[],
  width: number,
  clock: Clock,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  try {
    for (const item of items) {
      const wait = item.at - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
      signal.throwIfAborted();
      while (underWay.size >= width) await Promise.race(underWay);
      if (failure !== undefined) throw failure;
      const one = work(item)
        .catch((error) => {
          failure ??= error;
        })
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failure !== undefined) throw failure;
}
