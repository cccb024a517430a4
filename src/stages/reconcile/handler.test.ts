import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyEvent, Event } from '../../contracts/event.ts';
import { TOPICS } from '../../contracts/topics.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { DEFAULT_TENANT, type ObservationId, type ReservationId } from '../../domain/ids.ts';
import type { Authority, Observation } from '../../domain/observation.ts';
import { indexKeys } from '../../domain/reconcile/claims.ts';
import type { Change, Reservation } from '../../domain/reservation.ts';
import type { HandlerContext } from '../../ports/handler.ts';
import type { MailEffect, ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';
import { reconcileFailed, reconcileHandler } from './handler.ts';

/** As much of a store as the handler uses. */
class Reservations {
  readonly observations = new Map<ObservationId, Observation>();
  readonly current = new Map<ReservationId, Reservation>();
  readonly merged = new Map<ReservationId, ReservationId>();
  readonly history: (readonly Change[])[] = [];

  async addObservation(one: Observation) {
    if (this.observations.has(one.id)) return { new: false };
    this.observations.set(one.id, one);
    return { new: true };
  }
  async closure(_tenant: string, _traveller: string, keys: readonly string[]) {
    const reached = new Set(keys);
    const found = new Set<Observation>();
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      for (const one of this.observations.values()) {
        const own = indexKeys(one);
        if (this.retired.has(one.id) || !own.some((key) => reached.has(key))) continue;
        found.add(one);
        for (const key of own) reached.add(key);
      }
    }
    return [...found];
  }
  readonly retired = new Set<ObservationId>();
  async retire(_tenant: string, _traveller: string, ids: readonly ObservationId[]) {
    for (const id of ids) this.retired.add(id);
  }
  async restingOn(_tenant: string, _traveller: string, ids: readonly ObservationId[]) {
    return [...this.current.values()].filter((one) => one.observations.some((id) => ids.includes(id)));
  }
  async putVersion(reservation: Reservation, changes: readonly Change[]) {
    if ((this.current.get(reservation.id)?.version ?? 0) !== reservation.version - 1) {
      throw new TripwatchError('stale', 'version-conflict', 'another worker was first');
    }
    this.current.set(reservation.id, reservation);
    this.history.push(changes);
  }
  readonly links = new Set<string>();
  async linkReservation(_tenant: string, mail: string, id: ReservationId) {
    this.links.add(`${mail} ${id}`);
  }
  /** What the mails said, and what that did. */
  readonly effects = new Map<string, MailEffect | undefined>();
  readonly receipts = new Map<string, ReceiptUpdate>();
  async noteEffect(_tenant: string, mail: string, id: ObservationId, effect: MailEffect) {
    if (!this.effects.has(`${mail} ${id}`)) return [];
    this.effects.set(`${mail} ${id}`, effect);
    return [...this.effects].filter(([key]) => key.startsWith(`${mail} `)).map(([, one]) => one);
  }
  async get(_tenant: string, mail: string) {
    const reservations = [...this.links]
      .filter((link) => link.startsWith(mail))
      .map((link) => link.slice(mail.length + 1));
    return { id: mail, disposition: 'collected', found: 'Found.', reservations };
  }
  async sameBefore() {
    return undefined;
  }
  async update(_tenant: string, mail: string, update: ReceiptUpdate) {
    this.receipts.set(mail, update);
    return true;
  }
  async merge(_tenant: string, id: ReservationId, into: ReservationId) {
    this.current.delete(id);
    this.merged.set(id, into);
  }
}

let now = Temporal.Instant.from('2026-11-01T10:00:00Z').epochMilliseconds;
const context = { clock: { now: () => ++now } } as unknown as HandlerContext;

async function deliver(reservations: Reservations, observation: Observation) {
  const event = { data: { observation } } as unknown as Event<'observation.recorded'>;
  const outcome = await reconcileHandler()(event, context);
  assert.equal(outcome.kind, 'ack');
  if (outcome.kind !== 'ack' || outcome.commit === undefined) throw new Error('nothing to commit');
  const events = await outcome.commit({ reservations, mails: reservations } as unknown as Tx);
  return events.map((one) => {
    assert.equal(one.topic, 'reservation.changed');
    return TOPICS['reservation.changed'].parse(one.data);
  });
}

function observation(id: string, authority: Authority, minute: number, said: Partial<Observation>): Observation {
  const at = `2026-11-01T09:${String(minute).padStart(2, '0')}:00.000Z`;
  const kind = authority === 'person' ? 'person' : authority.startsWith('mail') ? 'mail' : 'provider';
  return {
    id: `obs_${id}`,
    tenant: DEFAULT_TENANT,
    traveller: 'trv_one',
    source: { kind, ref: id, label: id },
    authority,
    assertedAt: at,
    observedAt: at,
    bookingKeys: [],
    facts: {},
    legs: [],
    ...said,
  };
}

const FLIGHT = 'leg:flight:lh400:2026-12-01:fra';
const booked = observation('mail', 'mail', 1, {
  bookingKeys: ['ref:air:abc123'],
  facts: { status: { value: 'confirmed' } },
  legs: [{ kind: 'flight', keys: [FLIGHT], facts: { number: { value: '400' }, 'start.code': { value: 'FRA' } } }],
});

test('a mail makes a reservation, a repeat makes nothing, a gate makes one change', async () => {
  const store = new Reservations();
  const [created] = await deliver(store, booked);
  assert.deepEqual(
    created?.changes.map((change) => change.type),
    ['created'],
  );
  assert.equal(created?.reservation.version, 1);
  assert.equal(created?.assertedAt, booked.assertedAt);
  assert.deepEqual(await deliver(store, booked), []);

  const gate = observation('status', 'status', 2, {
    legs: [{ kind: 'flight', keys: ['leg:flight:lh400:2026-12-01:'], facts: { 'start.gate': { value: 'A12' } } }],
  });
  const [changed, ...others] = await deliver(store, gate);
  assert.deepEqual(others, []);
  assert.equal(changed?.reservation.version, 2);
  assert.equal(changed?.reservation.id, created?.reservation.id);
  assert.deepEqual(
    changed?.changes.map(({ type, path, to }) => [type, path, to]),
    [['gate', 'start.gate', 'A12']],
  );
});

test('a hot flight stays cheap: superseded answers are retired, and late copies of them change nothing', async () => {
  const store = new Reservations();
  await deliver(store, booked);
  const answers = Array.from({ length: 50 }, (_, minute) =>
    observation(`status${String(minute).padStart(2, '0')}`, 'status', minute, {
      legs: [{ kind: 'flight', keys: [FLIGHT], facts: { 'start.gate': { value: `A${minute >> 3}` } } }],
    }),
  );
  let versions = 0;
  for (const answer of answers) versions += (await deliver(store, answer)).length;
  assert.equal(versions, 7);
  assert.ok(store.observations.size - store.retired.size <= 3, `${store.retired.size} retired`);
  for (const answer of answers) assert.deepEqual(await deliver(store, answer), []);
});

test("a flight's status alone is nobody's reservation, and is there when the mail comes", async () => {
  const store = new Reservations();
  const gate = observation('status', 'status', 2, {
    legs: [{ kind: 'flight', keys: [FLIGHT], facts: { 'start.gate': { value: 'A12' } } }],
  });
  assert.deepEqual(await deliver(store, gate), []);
  const [created] = await deliver(store, booked);
  assert.equal(created?.reservation.legs[0]?.fields['start.gate']?.value, 'A12');
});

test('the receipt of a mail names its reservation, also when the mail said nothing new', async () => {
  const store = new Reservations();
  const from = (mail: string) => ({ ...booked, id: `obs_${mail}` as const, source: { ...booked.source, ref: mail } });
  const [created] = await deliver(store, from('mail_1'));
  assert.deepEqual(await deliver(store, from('mail_2')), []);
  const id = created?.reservation.id;
  assert.deepEqual([...store.links], [`mail_1 ${id}`, `mail_2 ${id}`]);
});

test('a mail is settled with the last thing that it says: imported where any of it was new, else merged, with where to', async () => {
  const store = new Reservations();
  const says = (mail: string, n: number, said: Partial<Observation>): Observation => {
    const one = { ...booked, ...said, id: `obs_${n}` as const, source: { ...booked.source, ref: mail } };
    store.effects.set(`${mail} ${one.id}`, undefined);
    return one;
  };
  const first = says('mail_1', 1, {});
  const other = says('mail_1', 2, { bookingKeys: ['ref:air:xyz789'] });
  const again = says('mail_2', 3, {});
  await deliver(store, first);
  assert.equal(store.receipts.get('mail_1'), undefined, 'not all of it is joined');
  await deliver(store, again);
  const merged = store.receipts.get('mail_2');
  assert.deepEqual([merged?.disposition, merged?.reasonCode], ['merged', 'known-already']);
  assert.match(merged?.reason ?? '', new RegExp(String([...store.current.keys()][0])));
  const failed = { tenantid: DEFAULT_TENANT, time: '2026-11-01T10:00:00Z', data: { observation: other } };
  await reconcileFailed({ mails: store } as unknown as Tx, failed as unknown as AnyEvent);
  assert.match(store.receipts.get('mail_1')?.reason ?? '', /^Found\. One of them could not be recorded/);
  assert.equal(store.receipts.get('mail_1')?.disposition, 'imported');
  await deliver(store, other);
  assert.equal(store.receipts.get('mail_1')?.reason, 'Found.', 'the letter was worked off');
  for (const data of [undefined, {}, { observation: {} }, { observation: { id: 'obs_1', source: { kind: 'mail' } } }])
    await reconcileFailed({ mails: store } as unknown as Tx, { ...failed, data } as unknown as AnyEvent);
});

test('a swallowed reservation says goodbye, with the id that it lives on under', async () => {
  const store = new Reservations();
  const [first] = await deliver(store, observation('a', 'mail', 1, { bookingKeys: ['ref:air:aaaaaa'] }));
  const [second] = await deliver(store, observation('b', 'mail', 2, { bookingKeys: ['ref:air:bbbbbb'] }));
  const events = await deliver(
    store,
    observation('c', 'mail', 3, { bookingKeys: ['ref:air:aaaaaa', 'ref:air:bbbbbb'] }),
  );
  assert.deepEqual(
    events.map((one) => [one.reservation.id, one.mergedInto]),
    [
      [first?.reservation.id, undefined],
      [second?.reservation.id, first?.reservation.id],
    ],
  );
  assert.deepEqual([...store.merged], [[second?.reservation.id, first?.reservation.id]]);
});

test('losing against another worker is told as stale, for the runtime to try again', async () => {
  const store = new Reservations();
  await deliver(store, booked);
  store.restingOn = async () => [...store.current.values()].map((one) => ({ ...one, version: 0, digest: 'old' }));
  await assert.rejects(
    deliver(
      store,
      observation('late', 'mail', 3, { ...booked, id: 'obs_late', facts: { status: { value: 'cancelled' } } }),
    ),
    { kind: 'stale', code: 'version-conflict' },
  );
});
