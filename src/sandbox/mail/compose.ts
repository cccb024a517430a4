import { createHash } from 'node:crypto';
import { type Rng, rng } from '../random.ts';
import { flightAt, type Index, indexOf } from '../scenario/state.ts';
import { clockOf, localDayOf } from '../scenario/time.ts';
import type { Booking, MailPlan, Person, Scenario } from '../scenario/types.ts';
import { jsonLdBlock, microdataBlock, page } from './html.ts';
import { calendar } from './ics.ts';
import { asEntity, asPlain, encodeText, headerText, leaf, message, multipart, type Part } from './mime.ts';
import { reservationNodes } from './nodes.ts';
import { signMail } from './sign.ts';

export interface ComposedMail {
  readonly raw: Buffer;
  /** Envelope sender. */
  readonly from: string;
  readonly subject: string;
}

/** The mail of a plan, byte for byte the same each time it is asked for. */
export function composeMail(scenario: Scenario, plan: MailPlan): ComposedMail {
  const original = plan.sameAs === undefined ? plan : (scenario.mails.find((one) => one.id === plan.sameAs) ?? plan);
  const draw = rng(scenario.options.seed, 'looks', original.id);
  const person = scenario.people[plan.to]!;
  return original.purpose === 'promo'
    ? composePromo(original, person, draw)
    : composeTravel(indexOf(scenario), original, person, draw);
}

function composeTravel(index: Index, plan: MailPlan, person: Person, draw: Rng): ComposedMail {
  const booking = index.booking(plan.booking!);
  const title = titleOf(booking, plan);
  const nodes = reservationNodes(index, booking, plan.purpose, plan.saidAt, draw);
  const ascii = plan.charset !== 'utf-8';
  const markup =
    plan.format === 'microdata'
      ? microdataBlock(nodes)
      : plan.format === 'ics'
        ? ''
        : jsonLdBlock(nodes, draw.pick(['array', 'graph', 'single']), {
            ascii,
            oneLine: plan.encoding !== '8bit' && draw.chance(0.5),
          });
  const cancels = plan.purpose === 'cancellation';
  const file = plan.format.includes('ics') ? calendar(index, booking, plan.saidAt, cancels) : undefined;
  return assemble(plan, person, draw, {
    from: senderOf(booking),
    title,
    rows: rowsOf(index, booking, plan),
    markup,
    ...(file === undefined ? {} : { calendar: file, method: cancels ? 'CANCEL' : 'PUBLISH' }),
  });
}

const PROMOS = [
  'Weekend offers from 29 €',
  'Your points are waiting – double miles in December',
  'Travel insurance: 20 % off until Sunday',
  'Your flight to savings leaves now',
  'How was your stay? Tell us for a chance to win',
];

function composePromo(plan: MailPlan, person: Person, draw: Rng): ComposedMail {
  const title = draw.pick(PROMOS);
  const rows = Array.from(
    { length: draw.int(2, 6) },
    () => [draw.pick(['Lisbon', 'Kyōto', 'Reykjavík', 'Perth']), `from ${draw.int(19, 399)} €`] as const,
  );
  // Shops mark up offers and themselves, too; none of that is a reservation.
  const markup = draw.chance(0.5)
    ? jsonLdBlock([{ '@type': 'Offer', name: title, price: '29', priceCurrency: 'EUR' }], 'single', {
        ascii: true,
        oneLine: false,
      })
    : '';
  return assemble(plan, person, draw, { from: ['Holiday Club', 'news@holiday-club.example'], title, rows, markup });
}

interface Content {
  readonly from: readonly [string, string];
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
  readonly markup: string;
  readonly calendar?: string;
  readonly method?: string;
}

function assemble(plan: MailPlan, person: Person, draw: Rng, content: Content): ComposedMail {
  const { charset, encoding } = plan;
  const plain = `${content.title}\n\n${content.rows.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`;
  const parts: Part[] = [
    leaf(`text/plain; charset=${charset}`, encodeText(plain, charset, asPlain), encoding),
    leaf(
      `text/html; charset=${charset}`,
      encodeText(page(content.title, content.rows, content.markup), charset, asEntity),
      encoding,
    ),
  ];
  const boundary = (name: string): string => `=_${name}_${digest(plan.id).slice(0, 20)}`;
  const body = draw.chance(0.2) ? parts[1]! : multipart('alternative', boundary('alt'), parts);
  const whole =
    content.calendar === undefined
      ? body
      : multipart('mixed', boundary('mix'), [
          body,
          leaf(
            `text/calendar; charset=utf-8; method=${content.method}; name="booking.ics"`,
            Buffer.from(content.calendar, 'utf8'),
            'base64',
            ['Content-Disposition: attachment; filename="booking.ics"'],
          ),
        ]);
  const form = draw.pick(['B', 'Q'] as const);
  const name = `${person.given} ${person.family}`;
  const address = addressOf(person);
  const head = (
    from: readonly [string, string],
    to: readonly [string, string],
    subject: string,
    at: number,
    id: string,
  ): string[] => [
    `From: ${headerText(from[0], form)} <${from[1]}>`,
    `To: ${headerText(to[0], form)} <${to[1]}>`,
    `Subject: ${headerText(subject, form)}`,
    `Date: ${mailDate(at)}`,
    `Message-ID: <${digest(id).slice(0, 24)}@${from[1].split('@')[1]}>`,
  ];
  const inner = signMail(
    message(head(content.from, [name, address], content.title, plan.saidAt, plan.id), whole),
    content.from[1].slice(content.from[1].indexOf('@') + 1),
  );
  if (plan.attached === undefined) return { raw: inner, from: content.from[1], subject: content.title };
  const subject = `Fwd: ${content.title}`;
  const outer = multipart('mixed', boundary('fwd'), [
    leaf('text/plain; charset=utf-8', Buffer.from('For my trips.\n'), '8bit'),
    { headers: ['Content-Type: message/rfc822', 'Content-Disposition: attachment; filename="mail.eml"'], body: inner },
  ]);
  const raw = message(
    head([name, address], ['Trips', 'trips@mail.example'], subject, plan.at, `fwd-${plan.id}`),
    outer,
  );
  return { raw, from: address, subject };
}

function titleOf(booking: Booking, plan: MailPlan): string {
  const what = { flight: 'flight booking', stay: 'hotel reservation', rental: 'car rental' }[booking.kind];
  switch (plan.purpose) {
    case 'change':
      return `Your ${what} ${booking.reference} has changed`;
    case 'cancellation':
    case 'bare-cancellation':
    case 'lie':
      return `Your ${what} ${booking.reference} is cancelled`;
    default:
      return `Confirmation of your ${what} ${booking.reference}`;
  }
}

function senderOf(booking: Booking): readonly [string, string] {
  if (booking.kind !== 'flight') return [booking.company, `booking@${slug(booking.company)}.example`];
  const { carrierName } = booking.segments[0]!;
  return [carrierName, `noreply@${slug(carrierName)}.example`];
}

function rowsOf(index: Index, booking: Booking, plan: MailPlan): readonly (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [['Booking reference', booking.reference]];
  for (const one of booking.passengers) rows.push(['Name', `${one.given} ${one.family}`]);
  if (booking.kind !== 'flight') return [...rows, ['Place', booking.place.name], ['Total', '€ 240.00 – paid']];
  for (const segment of booking.segments) {
    const flight = index.flight(segment.flight);
    const { departureScheduled } = flightAt(flight, plan.saidAt);
    rows.push([
      `${segment.carrier} ${segment.number}`,
      `${flight.from} – ${flight.to}, ${localDayOf(departureScheduled, flight.fromZone)} ${clockOf(departureScheduled, flight.fromZone)}`,
    ]);
  }
  return rows;
}

export function addressOf(person: Person): string {
  return `${slug(person.given)}.${slug(person.family)}.${person.index}@mail.example`;
}

function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/ß/g, 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 5322 date, in UTC. */
function mailDate(at: number): string {
  const time = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC');
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${DAYS[time.dayOfWeek - 1]}, ${time.day} ${MONTHS[time.month - 1]} ${time.year} ${two(time.hour)}:${two(time.minute)}:${two(time.second)} +0000`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
