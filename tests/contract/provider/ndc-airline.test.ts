import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { createAnyAgencyConnector } from '../../../src/adapters/provider/any-agency/connector.ts';
import { descriptionSchema, readDescription } from '../../../src/adapters/provider/any-agency/description.ts';
import { createMapper } from '../../../src/adapters/provider/any-agency/mapping.ts';
import { checkPush } from '../../../src/adapters/provider/any-agency/push.ts';
import { requestOf } from '../../../src/adapters/provider/any-agency/request.ts';
import { xmlValue } from '../../../src/adapters/provider/any-agency/xml-value.ts';
import { connectorEntry } from '../../../src/adapters/provider/registry.ts';
import { loadConfig } from '../../../src/app/config.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { PushRequest } from '../../../src/ports/provider.ts';
import { ndcAirline, orderChangeNotice, orderIdOf } from '../../../src/sandbox/providers/ndc-airline.ts';
import { indexOf } from '../../../src/sandbox/scenario/state.ts';
import type { AirBooking } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { airAgrees, DAY, HOURS, withFake } from './truth.ts';
import { type Behaviour, json, startVendor } from './vendor-server.ts';

/** docs/connectors/ndc.md: its file, its configuration and its notice are those used here. */
const docs = new URL('../../../docs/connectors/', import.meta.url);
const page = readFileSync(new URL('ndc.md', docs), 'utf8');
const block = (mark: string): string => {
  const found = new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  assert.ok(found, `the page has a block "${mark}"`);
  return found;
};
const folder = mkdtempSync(join(tmpdir(), 'ndc-'));
after(() => rmSync(folder, { recursive: true }));
copyFileSync(new URL('ndc-airline.json', docs), join(folder, 'ndc-airline.json'));
writeFileSync(join(folder, 'tripwatch.config.json'), block('file: tripwatch.config.json'));

const description = readDescription(join(folder, 'ndc-airline.json'));
const PASSWORD = 'a-long-random-password';
/** A busy machine must not make it fail. */
const mapper = createMapper({ msMax: 20_000 });
after(() => mapper.close());
const make = (options: object = {}) =>
  createAnyAgencyConnector({
    account: 'example-air',
    description,
    key: KEY,
    clock: stillClock(NOW),
    mapper,
    ...options,
  });
const registered = (id: string) => reservation([], { bookingKeys: [`id:example-air:${id}`] });
const ID = 'XA0123456789';
const subject = make().subjectsOf(registered(ID))[0]!;

interface Said {
  readonly id?: string;
  readonly prefix?: string;
  readonly items?: readonly string[];
  readonly more?: string;
}
/** An element, `p` before its name. */
const el = (p: string) => (name: string, inner: string) => `<${p}${name}>${inner}</${p}${name}>`;
function segment(p: string): string {
  const e = el(p);
  const end = (name: string, time: string, code: string) =>
    e(name, e('AircraftScheduledDateTime', time) + e('IATA_LocationCode', code));
  const ends = end('Dep', '2026-12-03T10:05:00', 'FRA') + end('Arrival', '2026-12-03T12:50:00', 'JFK');
  const number = e('CarrierDesigCode', 'XA') + e('MarketingCarrierFlightNumberText', '400');
  return e('DatedMarketingSegment', ends + number);
}
function order({ id = ID, prefix: p = '', items = ['ACTIVE'], more = '' }: Said = {}) {
  const e = el(p);
  const service = e('Service', e('BookingRef', e('BookingID', 'QQ77ZZ')));
  const list = items.map((status) => e('OrderItem', service + e('StatusCode', status))).join('');
  const rosa = e('Individual', e('GivenName', 'Rosa') + e('Surname', 'Lind'));
  const people = e('PaxList', e('Pax', rosa + e('PaxID', 'P1')));
  const lists = e('DataLists', e('DatedMarketingSegmentList', segment(p)) + people);
  const body = lists + e('Order', e('OrderID', id) + list + e('OwnerCode', 'XA')) + more;
  const ns = p === '' ? 'xmlns="urn:x"' : `xmlns:${p.slice(0, -1)}="urn:x"`;
  return { xml: `<${p}IATA_OrderViewRS ${ns}>${e('Response', body)}</${p}IATA_OrderViewRS>` };
}
const error = (code: string) => ({ xml: `<IATA_OrderViewRS><Error><Code>${code}</Code></Error></IATA_OrderViewRS>` });

/** The suite speaks JSON: `{xml}` is sent as the document in it. */
const around =
  (behave: Behaviour): Behaviour =>
  (request, response) => {
    const end = response.end.bind(response);
    response.end = ((text?: unknown, ...rest: never[]) => {
      const said = typeof text === 'string' && text.startsWith('{"xml"') ? JSON.parse(text).xml : text;
      return end(said as string, ...rest);
    }) as typeof response.end;
    behave(request, response);
  };

providerContract({
  name: 'NDC airline',
  create: make,
  subject,
  around,
  good: () => order(),
  noisy: () => order({ prefix: 'c:', items: ['ACTIVE', 'FROZEN'], more: '<c:New a="1"/><!-- words -->' }),
  cancelled: () => order({ items: ['CANCELLED'] }),
  other: () => order({ id: 'XA9999999999' }),
  absent: { status: 200, body: error('ORDER_NOT_FOUND') },
  strange: [
    { xml: '<a/>' },
    { xml: '<a></a><b></b>' },
    { xml: '<a'.repeat(3) },
    { xml: '<IATA_OrderViewRS><Response/></IATA_OrderViewRS>' },
    { xml: order().xml.replace('<IATA', '<!DOCTYPE x [<!ENTITY e "e">]><IATA') },
  ],
});

test('what a reference holds stays a text of the document', () => {
  const { body, headers, method } = requestOf(
    description,
    'https://x.example',
    { reference: 'A</OrderID><X a="&' },
    { headers: {} },
  );
  assert.ok(body!.includes('<c:OrderID>A&#60;/OrderID&#62;&#60;X a=&#34;&#38;</c:OrderID>'));
  assert.equal(headers['content-type'], 'text/xml; charset=utf-8');
  assert.equal(method, 'POST');
});

test('documents as values: texts, lists, attributes, names of any kind; no document type, no end of depth', () => {
  const value = (xml: string) => JSON.stringify(xmlValue(xml));
  assert.equal(value('<a>x</a>'), '{"a":"x"}');
  assert.equal(
    value('<n:a xmlns:n="u" xmlns="v"><n:b>1</n:b><b>2</b><c k="v">3</c></n:a>'),
    '{"a":{"b":["1","2"],"c":{"text":"3","k":"v"}}}',
  );
  assert.equal(value('<s:Envelope><s:Header/><s:Body><a>x</a></s:Body></s:Envelope>'), '{"a":"x"}');
  assert.equal(value('<a>&lt;&#65;<![CDATA[<b>]]></a>'), '{"a":"<A<b>"}');
  const odd = xmlValue('<a><__proto__><polluted>1</polluted></__proto__><constructor>2</constructor></a>');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.ok(Object.hasOwn(odd.a as object, '__proto__'));
  for (const hostile of [
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    `<!DOCTYPE a [${'<!ENTITY a "aaaa">'}]><a>&a;</a>`,
    '<a>'.repeat(5000),
    `<a>${'<b/>'.repeat(60_000)}</a>`,
  ])
    assert.throws(() => xmlValue(hostile), { code: 'provider-answered-unreadable' });
  assert.throws(() => xmlValue('{"a": 1}'), { code: 'provider-answered-garbage' });
});

test('whatever is posted as XML, it becomes a value or a refusal of ours, and names no property of its own', () => {
  const word = fc.constantFrom('a', 'Envelope', 'Body', 'OrderID', '__proto__', 'text', 'c:OrderID', 'xmlns:c');
  const piece = fc.oneof(
    word.map((name) => `<${name}>`),
    word.map((name) => `</${name}>`),
    word.map((name) => `<${name} OrderID="XA1"/>`),
    fc.constantFrom('<![CDATA[', ']]>', '<!--', '-->', '&amp;', '&b;', '<?x', '?>', '<!DOCTYPE x>', 'XA1', '\0', '<'),
    fc.string(),
  );
  const receive = make({ webhookSecret: PASSWORD }).receivePush!;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const verdict = receive(posted(text));
      assert.ok(verdict.kind === 'hint' || verdict.code === 'body-unreadable');
      try {
        assert.equal(Object.getPrototypeOf(xmlValue(text)), Object.prototype);
      } catch (thrown) {
        assert.ok(thrown instanceof TripwatchError, String(thrown));
      }
    }),
  );
});

test('a description that asks for XML says how; pushes need somebody who vouches for them', () => {
  const faults = (change: object) =>
    descriptionSchema.safeParse({ ...description, ...change }).error?.issues.map((one) => one.path.join('.'));
  assert.equal(faults({}), undefined);
  assert.deepEqual(faults({ read: { ...description.read, method: 'GET' } }), ['read.xml']);
  assert.deepEqual(faults({ read: { ...description.read, body: {} } }), ['read.xml']);
  assert.deepEqual(faults({ read: { ...description.read, xml: '<a>{nobody}</a>' } }), ['read.xml']);
  assert.deepEqual(faults({ push: { as: 'xml', reference: '**.OrderID' } }), ['push']);
  assert.deepEqual(faults({ push: { ...description.push, signature: { header: 'X-Sign' } } }), ['push']);
  assert.deepEqual(faults({ push: { ...description.push, reference: ['a b'] } }), ['push.reference.0']);
});

const signedIn = (password = PASSWORD) => ({
  authorization: `Basic ${Buffer.from(`example-air:${password}`).toString('base64')}`,
});
const posted = (body: string, headers: Record<string, string> = signedIn(), receivedAt = NOW): PushRequest => ({
  headers,
  body: Buffer.from(body),
  receivedAt,
});

test('a notice wakes the orders it names, in any form; it says nothing that is believed', () => {
  const connector = make({ webhookSecret: PASSWORD });
  assert.equal(connector.capabilities.push, 'hint');
  const wakes = (body: string) => {
    const verdict = connector.receivePush!(posted(body));
    assert.ok(verdict.kind === 'hint', JSON.stringify(verdict));
    return verdict.wakes;
  };
  assert.deepEqual(wakes(block('notice')), [subject.id, 'booking:QQ77ZZ']);
  const booking = DAY.bookings.find((one): one is AirBooking => one.kind === 'flight')!;
  assert.deepEqual(wakes(orderChangeNotice(ID, 'XA', booking, '21.3')), [subject.id]);
  assert.deepEqual(wakes(orderChangeNotice(ID, 'XA', booking, 'soap'))[0], subject.id);
  assert.deepEqual(wakes('<a/>'), []);
  assert.deepEqual(wakes('<a><OrderID>../x</OrderID></a>'), [], 'what is no number is not taken for one');
  const many = Array.from({ length: 500 }, (_, i) => `<OrderID>XA${i}</OrderID>`).join('');
  assert.equal(wakes(`<a>${many}</a>`).length, 50);
});

test('equal notices within a minute are one, later ones are news', () => {
  const receive = make({ webhookSecret: PASSWORD }).receivePush!;
  const id = (request: PushRequest) => {
    const verdict = receive(request);
    return verdict.kind === 'hint' ? verdict.pushId : assert.fail(verdict.code);
  };
  const first = id(posted(block('notice')));
  assert.equal(id(posted(block('notice'), signedIn(), NOW + 30_000)), first);
  assert.notEqual(id(posted(block('notice'), signedIn(), NOW + 60_000)), first);
  assert.notEqual(id(posted(`${block('notice')} `)), first);
});

test('forged and hostile notices are refused, before they are read', () => {
  const receive = make({ webhookSecret: PASSWORD }).receivePush!;
  const code = (request: PushRequest) => {
    const verdict = receive(request);
    return verdict.kind === 'refused' ? verdict.code : verdict.kind;
  };
  assert.equal(code(posted(block('notice'), {})), 'signature-missing');
  for (const wrong of [signedIn('guessed'), { authorization: 'Bearer x' }, { authorization: '' }])
    assert.equal(code(posted(block('notice'), wrong)), 'signature-wrong');
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x><OrderID>&b;</OrderID></x>`;
  for (const body of ['', 'no xml', '{"OrderID": "x"}', bomb, '<a>'.repeat(200)])
    assert.equal(code(posted(body)), 'body-unreadable');
  assert.equal(make().receivePush, undefined, 'without a password nothing is taken');
  const unsigned = { as: 'json', reference: 'n' } as const;
  assert.equal(checkPush(unsigned, PASSWORD, posted('{"n":"1"}')).kind, 'refused', 'nobody vouches');
});

test('the page: the configuration is taken, and the account is made from it', async () => {
  const [account] = loadConfig({ data: folder }).providers;
  const made = connectorEntry(account!.connector)!.create({
    account: account!.account,
    label: account!.label!,
    clock: stillClock(),
    secrets: { key: KEY, webhookSecret: PASSWORD },
    options: account!.options,
    folder,
  });
  assert.equal(made.label, 'Example Air');
  assert.deepEqual(made.limits, [{ max: 60, perSeconds: 60 }]);
  await made.close!();
});

test('the answer: key and reference, legs at the hours of their airports, people and tickets', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  const ticket =
    '<TicketDocInfo><PaxRefID>P1</PaxRefID><Ticket><TicketNumber>9990000000001</TicketNumber></Ticket></TicketDocInfo>';
  vendor.behave = json(200, order({ more: ticket }));
  const connector = make({ url: vendor.url });
  const read = async () => {
    const result = await connector.readOne(subject, new AbortController().signal);
    return result.kind === 'found' ? result.answer : assert.fail(result.kind);
  };
  const { bookingKeys, facts, legs } = await read();
  assert.deepEqual(bookingKeys, [`id:example-air:${ID}`, 'ref:air:qq77zz']);
  assert.equal(facts.status?.value, 'confirmed');
  assert.deepEqual(legs[0]!.keys, ['leg:flight:xa400:2026-12-03:fra']);
  assert.equal(legs[0]!.facts['start.scheduled']?.value, '2026-12-03T10:05:00+01:00[Europe/Berlin]');
  assert.equal(legs[0]!.facts['passenger.lindrosa.ticket']?.value, '9990000000001');
  // Neither a word that nobody knows nor one of two parts is a cancellation of the whole.
  vendor.behave = json(200, order({ items: ['SUSPENDED'] }));
  assert.equal((await read()).facts.status, undefined);
  vendor.behave = json(200, order({ items: ['CANCELLED', 'ACTIVE'] }));
  assert.equal((await read()).facts.status?.value, 'confirmed');
  vendor.behave = json(200, error('SYSTEM_UNAVAILABLE'));
  await assert.rejects(read(), { code: 'provider-failed', kind: 'transient' });
  vendor.behave = json(200, error('TOO_MANY_REQUESTS'));
  await assert.rejects(read(), { code: 'provider-rate-limited' });
  await connector.close!();
  await vendor.close();
});

test('the day: every order by its id, in whatever form the airline answers', () =>
  withFake(
    { vendor: () => ndcAirline(DAY, { key: KEY, owner: 'XA' }), connector: (options) => make(options) },
    async ({ connector, at, signal }) => {
      const bookings = DAY.bookings.filter((one): one is AirBooking => one.kind === 'flight');
      const index = indexOf(DAY);
      for (const time of HOURS) {
        at(time);
        const ask = async (one: AirBooking): Promise<void> => {
          const [spec] = connector.subjectsOf(registered(orderIdOf(one, 'XA')));
          const result = await connector.readOne(spec!, signal);
          assert.equal(result.kind, one.bookedAt > time ? 'absent' : 'found');
          const flights = one.segments.map(({ flight }) => index.flight(flight));
          if (result.kind === 'found') airAgrees(result.answer, one, flights, time);
        };
        await Promise.all(bookings.map(ask));
      }
      await connector.close!();
    },
  ));
