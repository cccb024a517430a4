import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyEvent, Event } from '../../contracts/event.ts';
import { TOPICS } from '../../contracts/topics.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { extractDocument } from '../../domain/extract/document.ts';
import type { BlobStore } from '../../ports/blobs.ts';
import type { Extractor } from '../../ports/extractor.ts';
import type { HandlerContext } from '../../ports/handler.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';
import { createExtractHandler, extractFailed } from './handler.ts';

const event = {
  topic: 'mail.collected',
  tenantid: 'tnt_default',
  travellerid: 'trv_1',
  time: '2026-11-22T12:00:01.000Z',
  data: {
    mailId: 'mail_1',
    mailboxId: 'mbx_1',
    head: { fromAddress: 'booking@air.example', subject: 'Your booking', date: '2026-11-02T08:15:00.000Z' },
    size: 10,
    receivedAt: '2026-11-22T12:00:00.000Z',
    via: 'smtp',
    raw: 'sha256:00',
    reason: 'no-rule',
  },
} as unknown as Event<'mail.collected'>;

const context = {
  clock: { now: () => 1_795_348_800_000 },
  logger: { debug: () => {} },
  signal: new AbortController().signal,
  attempt: 1,
} as unknown as HandlerContext;

const inline: Extractor = { extract: async (input) => extractDocument(input) };

/** Opens a mail; returns its receipt and what was recorded. */
async function open(mail: string, extractor: Extractor = inline) {
  const blobs: BlobStore = { put: async () => 'sha256:00', get: async () => Buffer.from(mail) };
  const outcome = await createExtractHandler({ blobs, extractor })(event, context);
  assert.ok(outcome.kind === 'ack' && outcome.commit);
  const receipts: ReceiptUpdate[] = [];
  const events = await outcome.commit(txInto(receipts));
  return { receipt: receipts[0], events, receipts };
}

function txInto(receipts: ReceiptUpdate[]): Tx {
  return {
    mails: {
      update: async (_tenant: string, _id: string, update: ReceiptUpdate) => void receipts.push(update),
      get: async () => undefined,
      expectEffects: async (_tenant: string, _id: string, observations: readonly string[]) =>
        observations.map(() => undefined),
    },
  } as unknown as Tx;
}

const mail = (json: string) => `Content-Type: text/html\n\n<script type="application/ld+json">${json}</script>`;
const booking = (reference: string) =>
  `{"@type":"FlightReservation","reservationNumber":"${reference}","reservationFor":{"flightNumber":"LH400","departureAirport":{"iataCode":"FRA"},"departureTime":"2026-12-01T10:05:00"}}`;

test('each booking becomes an observation of the mail, and the receipt counts them', async () => {
  const { receipt, events } = await open(mail(`[${booking('ABC123')},${booking('XYZ789').replace('LH400', 'LH402')}]`));
  assert.deepEqual([receipt?.disposition, receipt?.reasonCode], ['collected', 'reservations-found']);
  assert.match(receipt?.found ?? '', /2 reservations/);
  assert.match(receipt?.reason ?? '', /being joined/);
  assert.equal(events.length, 2);
  for (const one of events) {
    assert.ok(one.topic === 'observation.recorded');
    TOPICS['observation.recorded'].parse(one.data);
    const { observation } = one.data;
    assert.equal(one.key, 'trv_1');
    assert.equal(observation.authority, 'mail');
    assert.deepEqual(observation.source, {
      kind: 'mail',
      ref: 'mail_1',
      label: 'mail from booking@air.example of 2 Nov 2026',
      extractor: 'json-ld/1',
    });
  }
});

test('a mail that was forwarded by quoting it speaks with the date and sender of the original, and says who sent it on', async () => {
  const { events } = await open(
    `From: ada@home.example\nDate: Tue, 3 Nov 2026 08:00:00 +0100\nSubject: Fwd: Your booking\nContent-Type: text/html\n\n` +
      '<p>---------- Forwarded message ---------<br>From: Nordlicht &lt;booking@nordlicht.example&gt;<br>' +
      'Date: Sun, Nov 1, 2026 at 10:03 AM<br>Subject: Your booking<br>To: ada@home.example</p>' +
      `<script type="application/ld+json">${booking('FWD123')}</script>`,
  );
  const [one] = events;
  assert.ok(one?.topic === 'observation.recorded');
  const { observation } = one.data;
  assert.equal(observation.assertedAt, '2026-11-01T09:03:00.000Z');
  assert.match(
    observation.source.label,
    /^mail from booking@nordlicht\.example of 1 Nov 2026, forwarded by booking@air\.example$/,
  );
  assert.equal(observation.authority, 'mail');
});

test('the same mail opened again records the same observations', async () => {
  const ids = async () => (await open(mail(booking('ABC123')))).events.map((one) => one.subject);
  assert.deepEqual(await ids(), await ids());
});

test('a mail without travel, and one whose data cannot be read, say so', async () => {
  const none = await open('Content-Type: text/html\n\n<p>Sale</p>');
  assert.deepEqual(
    [none.receipt?.disposition, none.receipt?.reasonCode, none.events.length],
    ['nothing-found', 'no-reservation', 0],
  );
  const cut = await open(mail(booking('ABC123').slice(0, 60)));
  assert.deepEqual([cut.receipt?.disposition, cut.receipt?.reasonCode], ['nothing-found', 'json-ld-cut']);
  assert.match(cut.receipt?.reason ?? '', /Forward the original/);
});

test('what a reader should know beside what was found stands on the receipt, with what to do', async () => {
  const reason = async (json: string) => (await open(mail(json))).receipt?.found ?? '';
  assert.equal(await reason(booking('ABC123')), 'One reservation was found in it.');
  assert.match(await reason(booking('ABC123').replaceAll('2026', '2019')), /It was over on 2019-12-01.*not watched/);
  assert.match(
    await reason(booking('ABC123').replace('FRA', 'QQQ')),
    /The time zone at QQQ is not known.*set start\.zone by hand/,
  );
  assert.match(
    await reason(`${booking('ABC123')}</script><script type="application/ld+json">${booking('XYZ789').slice(0, 60)}`),
    /^One reservation was found in it\. Some of its data breaks off.*forward the original/,
  );
});

test('errors of the parser pass through with their kind', async () => {
  const failing: Extractor = {
    extract: () => Promise.reject(new TripwatchError('poison', 'parse-timeout', 'too long')),
  };
  await assert.rejects(
    open('x', failing),
    (error: unknown) => error instanceof TripwatchError && error.kind === 'poison',
  );
});

test('a mail that is set aside says why on its receipt', async () => {
  const receipts: ReceiptUpdate[] = [];
  await extractFailed(txInto(receipts), event as AnyEvent, new TripwatchError('poison', 'mime-too-deep', 'deep'));
  await extractFailed(txInto(receipts), event as AnyEvent, new TripwatchError('poison', 'never-heard-of', 'odd'));
  assert.deepEqual(
    receipts.map((one) => [one.disposition, one.reasonCode]),
    [
      ['failed', 'mime-too-deep'],
      ['failed', 'never-heard-of'],
    ],
  );
  assert.match(receipts[0]?.reason ?? '', /nested too deeply/);
});
