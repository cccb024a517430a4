import { createHash } from 'node:crypto';
import { cancelledBy, flightAt, indexOf } from '../scenario/state.ts';
import { localTimeOf } from '../scenario/time.ts';
import type { AirBooking, Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * An airline that sells by IATA NDC 21.3: orders retrieved by posting XML, errors inside status 200, prefixes that
 * change from answer to answer, segments in the list of the newer or of the older schemas; and order change notices, of
 * which older partners get those of 17.2 and all say little: read the order to know.
 */
export interface NdcOptions {
  readonly key: string;
  readonly owner: string;
}

const MESSAGE = 'http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersMessage';
const COMMON = 'http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersCommonTypes';

export function ndcAirline(scenario: Scenario, options: NdcOptions): Vendor {
  const orders = new Map(
    scenario.bookings.flatMap((one) => (one.kind === 'flight' ? [[orderIdOf(one, options.owner), one] as const] : [])),
  );

  function retrieve(call: Call, id: string): Reply {
    const booking = orders.get(id);
    if (booking === undefined || booking.bookedAt > call.at) return error('ORDER_NOT_FOUND', 'No such order');
    return document(view(scenario, call, id, booking, options.owner));
  }

  function route(call: Call): Route | undefined {
    if (call.method !== 'POST' || call.path.join('/') !== 'OrderRetrieve') return undefined;
    const id = /<(?:\w+:)?OrderID>([^<]*)</.exec(call.text)?.[1] ?? '';
    const isAsked = call.text.includes('IATA_OrderRetrieveRQ') && call.text.includes(MESSAGE) && id !== '';
    return {
      endpoint: 'OrderRetrieve',
      identifier: id,
      answer: () => (isAsked ? retrieve(call, id) : error('INVALID_MESSAGE', 'The message does not fit the schema')),
      other: () => retrieve(call, [...orders.keys()].find((one) => one !== id)!),
    };
  }

  return {
    name: 'ndc-airline',
    refuse: (call) =>
      call.headers['ocp-apim-subscription-key'] === options.key
        ? undefined
        : { status: 401, body: { statusCode: 401, message: 'Access denied due to invalid subscription key.' } },
    route,
    notFound: () => ({ status: 404, body: { statusCode: 404, message: 'Resource not found' } }),
    tooMany: (call, freeAt) =>
      call.noise.chance(0.5)
        ? error('TOO_MANY_REQUESTS', 'Slow down')
        : {
            status: 429,
            headers: { 'retry-after': String(Math.max(1, Math.ceil((freeAt - call.at) / 1000))) },
            body: {},
          },
    failing: (call) =>
      call.noise.pick([
        error('SYSTEM_UNAVAILABLE', 'Try later'),
        { status: 500, text: { type: 'text/xml', body: soap('<faultcode>soap:Server</faultcode>') } },
      ]),
    headers: () => ({}),
  };
}

/** `XA` and ten more, as the ready description follows them. */
export function orderIdOf({ id, reference }: AirBooking, owner: string): string {
  const digest = createHash('sha256').update(`${id} ${reference}`).digest('hex').toUpperCase();
  return `${owner}${digest.slice(0, 10)}`;
}

/** An element of the common types. */
const el = (name: string, ...inner: readonly string[]): string => `<c:${name}>${inner.join('')}</c:${name}>`;

function view(scenario: Scenario, call: Call, id: string, booking: AirBooking, owner: string): string {
  const { noise } = call;
  const older = noise.chance(0.4);
  const status = el('StatusCode', cancelledBy(booking, call.at) ? 'CANCELLED' : 'ACTIVE');
  const service = el('Service', el('BookingRef', el('BookingID', booking.reference.toUpperCase())));
  const price = el('Price', '<c:TotalAmount CurCode="EUR">99.00</c:TotalAmount>');
  const items = booking.passengers.map((_, i) => el('OrderItem', el('OrderItemID', String(i)), price, service, status));
  const people = booking.passengers.map(({ given, family }, i) => {
    const individual = el('Individual', el('GivenName', given), el('Surname', family));
    return el('Pax', individual, el('PaxID', `PAX${i}`));
  });
  const lists = el('DataLists', segments(scenario, call.at, booking, older), el('PaxList', ...people));
  const order = el('Order', el('OrderID', id), ...items, el('OwnerCode', owner), el('StatusCode', 'OPEN'));
  const news = el('AugmentationPoint', '<x:New xmlns:x="urn:x">&lt;3</x:New>');
  const body = `<m:Response>${lists}${order}</m:Response>${noise.chance(0.2) ? news : ''}`;
  const text = `<m:IATA_OrderViewRS xmlns:m="${MESSAGE}" xmlns:c="${COMMON}">${body}</m:IATA_OrderViewRS>`;
  if (noise.chance(0.3)) return soap(text);
  return noise.chance(0.3)
    ? text.replaceAll('<c:', '<ns2:').replaceAll('</c:', '</ns2:').replace('s:c=', 's:ns2=')
    : text;
}

/** As the newer schemas list them, or the older ones, which write zones beside times. */
function segments(scenario: Scenario, at: number, booking: AirBooking, older: boolean): string {
  const end = (name: string, code: string, time: string, terminal = '') =>
    el(
      name,
      `<c:AircraftScheduledDateTime${older ? ' TimeZoneCode="x"' : ''}>${time}</c:AircraftScheduledDateTime>`,
      el('IATA_LocationCode', code),
      terminal === '' ? '' : el('TerminalName', terminal),
    );
  const listed = booking.segments.map((segment, i) => {
    const flight = indexOf(scenario).flight(segment.flight);
    const now = flightAt(flight, at);
    const leaves = localTimeOf(now.departureScheduled, flight.fromZone);
    const lands = localTimeOf(now.arrivalScheduled, flight.toZone);
    const ends = end('Dep', flight.from, leaves, now.departureTerminal) + end('Arrival', flight.to, lands);
    const number = el('CarrierDesigCode', segment.carrier) + el('MarketingCarrierFlightNumberText', segment.number);
    return older
      ? el('PaxSegment', el('PaxSegmentID', `SEG${i}`), ends, el('MarketingCarrierInfo', number))
      : el('DatedMarketingSegment', ends, number, el('DatedMarketingSegmentId', `DMS${i}`));
  });
  if (older) return el('PaxSegmentList', ...listed);
  const refs = el('PaxSegmentList', el('PaxSegment', el('DatedMarketingSegmentRefId', 'DMS0')));
  return el('DatedMarketingSegmentList', ...listed) + refs;
}

/** What the airline posts when an order has changed: of 21.3, of 17.2, or the latter in an envelope. */
export function orderChangeNotice(
  id: string,
  owner: string,
  booking: AirBooking,
  form: '21.3' | '17.2' | 'soap',
): string {
  const declared = '<?xml version="1.0" encoding="UTF-8"?>';
  if (form === '21.3') {
    const current = el('CurrentOrder', el('OrderID', id), el('OwnerCode', owner));
    const group = el('ChangeOperationGroup', el('ChangeTypeCode', 'SCHEDULE'), el('ReasonCode', 'INVOL'), current);
    const request = `<easd:Request>${group}</easd:Request>`;
    const spaces = `xmlns:easd="${MESSAGE}" xmlns:c="${COMMON}"`;
    return `${declared}<easd:IATA_OrderChangeNotifRQ ${spaces}>${request}</easd:IATA_OrderChangeNotifRQ>`;
  }
  const sender = `<Sender><ORA_Sender><AirlineID>${owner}</AirlineID></ORA_Sender></Sender>`;
  const printed = `<ID>${booking.reference.toUpperCase()}</ID><AirlineID>${owner}</AirlineID>`;
  const references = `<BookingReferences><BookingReference>${printed}</BookingReference></BookingReferences>`;
  const order = `<Order OrderID="${id}" Owner="${owner}">${references}</Order>`;
  const amended = '<Amendments><Amendment><ActionType Context="2">Update</ActionType></Amendment></Amendments>';
  const inner = `<Document/><Party>${sender}</Party><Query>${order}${amended}</Query>`;
  const spaces17 = 'xmlns="http://www.iata.org/IATA/EDIST/2017.2" Version="17.2"';
  const older = `<OrderChangeNotif ${spaces17}>${inner}</OrderChangeNotif>`;
  return form === 'soap' ? soap(older) : `${declared}${older}`;
}

function document(text: string): Reply {
  return { status: 200, text: { type: 'application/xml; charset=utf-8', body: text } };
}

function error(code: string, words: string): Reply {
  const inner = `<c:Code>${code}</c:Code><c:DescText>${words}</c:DescText>`;
  return document(
    `<IATA_OrderViewRS xmlns="${MESSAGE}" xmlns:c="${COMMON}"><Error>${inner}</Error></IATA_OrderViewRS>`,
  );
}

function soap(body: string): string {
  const inner = body.startsWith('<faultcode>') ? `<s:Fault>${body}</s:Fault>` : body;
  const space = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"';
  return `<s:Envelope ${space}><s:Header/><s:Body>${inner}</s:Body></s:Envelope>`;
}
