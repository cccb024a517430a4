import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAnyAgencyConnector } from '../../src/adapters/provider/any-agency/connector.ts';
import { readDescription } from '../../src/adapters/provider/any-agency/description.ts';
import { createExpediaConnector } from '../../src/adapters/provider/expedia/connector.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { WakeReason } from '../../src/ports/store/subjects.ts';
import type { Store, Tx } from '../../src/ports/store.ts';
import { signRapid } from '../../src/sandbox/providers/expedia.ts';
import { orderChangeNotice } from '../../src/sandbox/providers/ndc-airline.ts';
import type { AirBooking } from '../../src/sandbox/scenario/types.ts';
import { createPushDesk, type PushDeskParts } from '../../src/stages/track/push.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import { DAY } from '../contract/provider/truth.ts';
import { quiet, stillClock } from '../contract/store/harness.ts';
import { startApi } from './api.testing.ts';

/** Notices of vendors through the whole of the webhook intake: their content types, their headers, their refusals. */
const file = fileURLToPath(new URL('../../docs/connectors/ndc-airline.json', import.meta.url));
const description = readDescription(file);
const clock = stillClock();
const rapid = { key: 'rapid-key', secret: 'rapid-secret' };
const airline = createAnyAgencyConnector({ account: 'air', description, key: 'k', webhookSecret: 'password', clock });
const hotels = createExpediaConnector({
  account: 'hotels',
  ...rapid,
  customerIp: '127.0.0.1',
  pushes: 'signed',
  names: false,
  clock,
});
const woken: string[] = [];
const accounts = [
  { account: 'air', connector: airline },
  { account: 'hotels', connector: hotels },
] as unknown as PushDeskParts['accounts'];
/** A store in which whatever is asked about is followed, and that says what is woken. */
const inner = openSqliteStore({ file: ':memory:', clock, logger: quiet });
const watched = (tx: Tx): Tx => ({
  ...tx,
  subjects: {
    ...tx.subjects,
    some: async (ids) => ids.map((id) => ({ id, state: 'active', spec: {} }) as never),
    wake: async (ids: readonly string[], why: WakeReason) => {
      if (ids.length > 0) woken.push(`${ids.join(' ')} ${why}`);
    },
  },
});
const store: Store = { ...inner, transact: (work, options) => inner.transact((tx) => work(watched(tx)), options) };
const patient = { ...clock, sleep: () => new Promise<void>(() => {}) };
const desk = createPushDesk({ store, clock: patient, logger: quiet, accounts, onWoken: () => {} });
const ids = (account: string, ...specs: string[]) => specs.map((id) => subjectIdOf(account, id)).join(' ');
const service = await startApi({ push: desk });
after(async () => {
  await service.close();
  await Promise.all([airline.close!(), hotels.close!(), inner.close()]);
});

const post = async (account: string, body: string, headers: Record<string, string>) =>
  (await fetch(`${service.url}/push/${account}`, { method: 'POST', body, headers })).status;
const basic = (password: string) => `Basic ${Buffer.from(`example-air:${password}`).toString('base64')}`;
const booking = DAY.bookings.find((one): one is AirBooking => one.kind === 'flight')!;

test('an airline posts XML of any kind with name and password; nobody else wakes anything', async () => {
  const notice = orderChangeNotice('XA0123456789', 'XA', booking, 'soap');
  const forged = { 'content-type': 'text/xml', authorization: basic('guessed') };
  assert.equal(await post('air', notice, { 'content-type': 'text/xml; charset=utf-8' }), 401);
  assert.equal(await post('air', notice, forged), 401);
  assert.deepEqual(woken, []);
  const authorization = basic('password');
  assert.equal(await post('air', notice, { 'content-type': 'text/xml; charset=utf-8', authorization }), 202);
  assert.equal(await post('air', notice, { 'content-type': 'application/soap+xml', authorization }), 202);
  assert.deepEqual(woken.splice(0), [
    `${ids('air', 'booking:XA0123456789', `booking:${booking.reference.toUpperCase()}`)} hint`,
  ]);
});

test('Expedia posts JSON signed as our calls are', async () => {
  const notice = JSON.stringify({
    event_id: 'e1',
    event_type: 'itinerary.agent.change',
    itinerary_id: '8001002003004',
  });
  const headers = (authorization: string) => ({ 'content-type': 'application/json', authorization });
  assert.equal(await post('hotels', notice, headers(signRapid({ ...rapid, secret: 'x' }, Date.now()))), 401);
  assert.equal(await post('hotels', notice, headers(signRapid(rapid, Date.now()))), 202);
  assert.equal(await post('hotels', notice, headers(signRapid(rapid, Date.now()))), 202, 'twice is once');
  assert.deepEqual(woken.splice(0), [`${ids('hotels', 'booking:8001002003004')} hint`]);
});
