import { createHash } from 'node:crypto';
import { cancelledBy, flightAt, indexOf } from '../scenario/state.ts';
import { localTimeOf } from '../scenario/time.ts';
import type { AirBooking, Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * An airline that sells by IATA NDC 21.3: orders retrieved by posting XML, errors inside status 200, prefixes that change
 * from answer to answer, segments in the list of the newer or of the older schemas; and order change notices, of which
 * older partners get those of 17.2 and all say little: read the order to know.
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

function view(scenario: Scenario, call: Call, id: string, booking: AirBooking, owner: string): string {
  const index = indexOf(scenario);
  const cancelled = cancelledBy(booking, call.at);
  const older = call.noise.chance(0.4);
  const segments = booking.segments.map((segment, i) => {
    const flight = index.flight(segment.flight);
    const now = flightAt(flight, call.at);
    const end = (name: string, code: string, at: number, zone: string, terminal = '') =>
      `<c:${name}>${older ? `<c:AircraftScheduledDateTime TimeZoneCode="x">${localTimeOf(at, zone)}</c:AircraftScheduledDateTime>` : `<c:AircraftScheduledDateTime>${localTimeOf(at, zone)}</c:AircraftScheduledDateTime>`}<c:IATA_LocationCode>${code}</c:IATA_LocationCode>${terminal === '' ? '' : `<c:TerminalName>${terminal}</c:TerminalName>`}</c:${name}>`;
    const ends =
      end('Dep', flight.from, now.departureScheduled, flight.fromZone, now.departureTerminal) +
      end('Arrival', flight.to, now.arrivalScheduled, flight.toZone);
    const number = `<c:CarrierDesigCode>${segment.carrier}</c:CarrierDesigCode><c:MarketingCarrierFlightNumberText>${segment.number}</c:MarketingCarrierFlightNumberText>`;
    if (older)
      return `<c:PaxSegment><c:PaxSegmentID>SEG${i}</c:PaxSegmentID>${ends}<c:MarketingCarrierInfo>${number}</c:MarketingCarrierInfo></c:PaxSegment>`;
    return `<c:DatedMarketingSegment>${ends}${number}<c:DatedMarketingSegmentId>DMS${i}</c:DatedMarketingSegmentId></c:DatedMarketingSegment>`;
  });
  const lists = older
    ? `<c:PaxSegmentList>${segments.join('')}</c:PaxSegmentList>`
    : `<c:DatedMarketingSegmentList>${segments.join('')}</c:DatedMarketingSegmentList><c:PaxSegmentList><c:PaxSegment><c:DatedMarketingSegmentRefId>DMS0</c:DatedMarketingSegmentRefId></c:PaxSegment></c:PaxSegmentList>`;
  const people = booking.passengers.map(
    ({ given, family }, i) =>
      `<c:Pax><c:Individual><c:GivenName>${given}</c:GivenName><c:Surname>${family}</c:Surname></c:Individual><c:PaxID>PAX${i}</c:PaxID></c:Pax>`,
  );
  const items = booking.passengers.map(
    (_, i) =>
      `<c:OrderItem><c:OrderItemID>${i}</c:OrderItemID><c:Price><c:TotalAmount CurCode="EUR">99.00</c:TotalAmount></c:Price><c:Service><c:BookingRef><c:BookingID>${booking.reference.toUpperCase()}</c:BookingID></c:BookingRef></c:Service><c:StatusCode>${cancelled ? 'CANCELLED' : 'ACTIVE'}</c:StatusCode></c:OrderItem>`,
  );
  const news = call.noise.chance(0.2)
    ? '<c:AugmentationPoint><x:New xmlns:x="urn:x">&lt;3</x:New></c:AugmentationPoint>'
    : '';
  const body = `<m:Response><c:DataLists>${lists}<c:PaxList>${people.join('')}</c:PaxList></c:DataLists><c:Order><c:OrderID>${id}</c:OrderID>${items.join('')}<c:OwnerCode>${owner}</c:OwnerCode><c:StatusCode>OPEN</c:StatusCode></c:Order></m:Response>${news}`;
  const text = `<m:IATA_OrderViewRS xmlns:m="${MESSAGE}" xmlns:c="${COMMON}">${body}</m:IATA_OrderViewRS>`;
  return call.noise.chance(0.3)
    ? soap(text)
    : call.noise.chance(0.3)
      ? text.replaceAll('<c:', '<ns2:').replaceAll('</c:', '</ns2:').replace('xmlns:c', 'xmlns:ns2')
      : text;
}

/** What the airline posts when an order has changed: of 21.3, of 17.2, or the latter in an envelope. */
export function orderChangeNotice(
  id: string,
  owner: string,
  booking: AirBooking,
  form: '21.3' | '17.2' | 'soap',
): string {
  const declared = '<?xml version="1.0" encoding="UTF-8"?>';
  if (form === '21.3')
    return `${declared}<easd:IATA_OrderChangeNotifRQ xmlns:easd="${MESSAGE}" xmlns:cns="${COMMON}"><easd:Request><cns:ChangeOperationGroup><cns:ChangeTypeCode>SCHEDULE</cns:ChangeTypeCode><cns:ReasonCode>INVOL</cns:ReasonCode><cns:CurrentOrder><cns:OrderID>${id}</cns:OrderID><cns:OwnerCode>${owner}</cns:OwnerCode></cns:CurrentOrder></cns:ChangeOperationGroup></easd:Request></easd:IATA_OrderChangeNotifRQ>`;
  const older = `<OrderChangeNotif xmlns="http://www.iata.org/IATA/EDIST/2017.2" Version="17.2"><Document/><Party><Sender><ORA_Sender><AirlineID>${owner}</AirlineID></ORA_Sender></Sender></Party><Query><Order OrderID="${id}" Owner="${owner}"><BookingReferences><BookingReference><ID>${booking.reference.toUpperCase()}</ID><AirlineID>${owner}</AirlineID></BookingReference></BookingReferences></Order><Amendments><Amendment><ActionType Context="2">Update</ActionType></Amendment></Amendments></Query></OrderChangeNotif>`;
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
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body>${body.startsWith('<faultcode>') ? `<s:Fault>${body}</s:Fault>` : body}</s:Body></s:Envelope>`;
}
