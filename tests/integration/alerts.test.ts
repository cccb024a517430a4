import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { AnyEvent, AnyNewEvent, Event } from '../../src/contracts/event.ts';
import { ALERT_KINDS, type Alert, type AlertKind } from '../../src/domain/alerts/alert.ts';
import type { FactValue, Kind } from '../../src/domain/facts.ts';
import type { TravellerId } from '../../src/domain/ids.ts';
import type { Authority } from '../../src/domain/observation.ts';
import { isoInstant } from '../../src/ports/clock.ts';
import type { Handler } from '../../src/ports/handler.ts';
import type { Store } from '../../src/ports/store.ts';
import { createFanOutHandler } from '../../src/stages/fan-out/handler.ts';
import { createNotifyHandler } from '../../src/stages/notify/handler.ts';
import { createAlerter } from '../../src/stages/project/alerter.ts';
import { createProjectHandler } from '../../src/stages/project/handler.ts';
import { reconcileHandler } from '../../src/stages/reconcile/handler.ts';
import { ana, hook, quiet, stillClock } from '../contract/store/harness.ts';

/**
 * From a provider's answer to the body of the webhook, through the stages as they are: each kind of alert that an answer
 * or the clock brings about comes out once, and not again when the same is answered again. `certain` is as docs/alerts.md says: what is reckoned is not.
 */
type Values = Readonly<Record<string, FactValue>>;
type Things = 'flight' | 'onward' | 'hotel';

const THINGS: Readonly<Record<Things, { readonly kind: Kind; readonly key: string; readonly values: Values }>> = {
  flight: {
    kind: 'flight',
    key: 'leg:flight:lh400:2026-12-01:fra',
    values: {
      'carrier.code': 'LH',
      number: '400',
      'start.code': 'FRA',
      'end.code': 'JFK',
      'start.scheduled': '2026-12-01T13:55:00+01:00[Europe/Berlin]',
      'end.scheduled': '2026-12-01T16:40:00-05:00[America/New_York]',
      'start.terminal': '1',
      aircraft: 'B748',
      'passenger.rosa.name': 'Rosa Lind',
      'passenger.rosa.seat': '14A',
    },
  },
  onward: {
    kind: 'flight',
    key: 'leg:flight:dl12:2026-12-01:jfk',
    values: {
      'carrier.code': 'DL',
      number: '12',
      'start.code': 'JFK',
      'end.code': 'BOS',
      'start.scheduled': '2026-12-01T18:30:00-05:00[America/New_York]',
      'end.scheduled': '2026-12-01T19:50:00-05:00[America/New_York]',
    },
  },
  hotel: {
    kind: 'stay',
    key: 'leg:stay:thejane:2026-12-01',
    values: {
      name: 'The Jane',
      'start.zone': 'America/New_York',
      'start.locality': 'New York',
      'start.scheduled': '2026-12-01',
      'end.scheduled': '2026-12-03',
    },
  },
};

/** What is answered of a thing, by whom; nothing: only time passes. */
interface Step {
  readonly says?: Values;
  readonly of?: Things;
  readonly as?: Authority;
  readonly at?: string;
}
interface Case {
  readonly with?: readonly Things[];
  readonly steps: readonly Step[];
  readonly certain?: false;
}

const booking = (says: Values, of: Things = 'flight'): Step => ({ says, of, as: 'booking' });
const status = (says: Values): Step => ({ says, as: 'status' });

const CASES: readonly (readonly [kind: Exclude<AlertKind, 'unverified'>, told: Case])[] = [
  ['cancellation', { steps: [booking({ status: 'cancelled' })] }],
  ['cancellation', { with: ['hotel'], steps: [booking({ status: 'cancelled' }, 'hotel')] }],
  ['reinstated', { steps: [booking({ status: 'cancelled' }), booking({ status: 'confirmed' })] }],
  ['diversion', { steps: [status({ operation: 'diverted', 'diverted.code': 'BOS' })] }],
  ['early', { certain: false, steps: [status({ 'start.estimated': '2026-12-01T13:30:00+01:00[Europe/Berlin]' })] }],
  ['delay', { steps: [status({ 'start.estimated': '2026-12-01T14:55:00+01:00[Europe/Berlin]' })] }],
  ['schedule', { steps: [booking({ 'start.scheduled': '2026-12-01T14:25:00+01:00[Europe/Berlin]' })] }],
  ['altered', { steps: [booking({ 'end.code': 'EWR' })] }],
  ['altered', { with: ['hotel'], steps: [booking({ 'end.scheduled': '2026-12-02' }, 'hotel')] }],
  ['gate', { steps: [status({ 'start.gate': 'B22' })] }],
  ['terminal', { steps: [status({ 'start.terminal': '2' })] }],
  ['belt', { steps: [{ ...status({ 'end.belt': '7' }), at: '2026-12-01T21:00:00Z' }] }],
  ['aircraft', { steps: [status({ aircraft: 'A340' })] }],
  ['seat', { steps: [booking({ 'passenger.rosa.seat': '31F' })] }],
  ['check-in', { certain: false, steps: [{}] }],
  [
    'connection',
    {
      with: ['onward'],
      certain: false,
      steps: [status({ 'end.estimated': '2026-12-01T18:00:00-05:00[America/New_York]' })],
    },
  ],
  [
    'knock-on',
    {
      with: ['hotel'],
      certain: false,
      steps: [status({ 'end.estimated': '2026-12-01T23:30:00-05:00[America/New_York]' })],
    },
  ],
];

const STAGES: Readonly<Record<string, Handler<never>>> = {
  'subject.observed': createFanOutHandler() as Handler<never>,
  'observation.recorded': reconcileHandler() as Handler<never>,
  'reservation.changed': createProjectHandler() as Handler<never>,
  'itinerary.updated': createNotifyHandler() as Handler<never>,
};

const instant = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

/** A traveller with an endpoint, on a store of their own. */
async function openJourney() {
  const clock = stillClock(instant('2026-11-28T08:00:00Z'));
  const opened = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  const appended: AnyEvent[] = [];
  const store: Store = {
    ...opened,
    transact: (work, options) =>
      opened.transact(async (tx) => {
        const append: typeof tx.append = async (events, origin) => {
          const done = await tx.append(events, origin);
          appended.push(...done);
          return done;
        };
        return work({ ...tx, append });
      }, options),
  };
  await opened.transact(async (tx) => {
    await tx.accounts.ensureTenant(ana.tenant, 'one', 0);
    const { tenant, traveller: id } = ana;
    await tx.accounts.addTraveller({ id, tenant, name: 'Ana', zone: 'Europe/Berlin', locale: 'en', createdAt: 0 });
    const endpoint = {
      url: 'https://hook.example',
      sealedSecrets: ['s'],
      state: 'active',
      stateReason: undefined,
    } as const;
    await tx.accounts.addEndpoint({ ...endpoint, id: hook, tenant, traveller: undefined, createdAt: 0 });
  });
  const alerter = createAlerter({ store, clock, logger: quiet, vendorOf: (account) => account, accounts: [] });

  /** Every event goes through its stage, until nothing more comes. */
  async function drain(): Promise<void> {
    for (let event = appended.shift(); event !== undefined; event = appended.shift()) {
      const one = event;
      const context = { clock, logger: quiet, signal: new AbortController().signal, attempt: 1 };
      const outcome = await STAGES[one.topic]!(one as never, context);
      assert.equal(outcome.kind, 'ack');
      await store.transact(async (tx) => {
        const said = outcome.kind === 'ack' ? ((await outcome.commit?.(tx)) ?? []) : [];
        if (said.length > 0) await tx.append(said, { source: one.topic, cause: one, seed: one.id });
      });
    }
  }

  return {
    clock,
    close: () => opened.close(),
    look: async () => {
      await alerter.look();
      await drain();
    },
    /** A provider answers about a thing. */
    answers: async (thing: Things, values: Values, authority: Authority) => {
      const { kind, key } = THINGS[thing];
      const account = authority === 'status' ? 'aero' : 'duffel';
      const at = isoInstant(clock.now());
      const facts = Object.fromEntries(
        Object.entries(values).map(([path, value]) => [path, { value, evidence: { where: path } }]),
      );
      const subjectId = `sub_${account}_${thing}`;
      const answer = {
        authority,
        assertedAt: at,
        bookingKeys: authority === 'status' ? [] : [`id:${account}:${thing}`],
        facts: {},
        legs: [{ kind, keys: [key], facts }],
      };
      const only = { ...ana, traveller: ana.traveller as TravellerId, reservation: 'rsv_any' };
      const data = { subjectId, account, label: account, answer, fetchedAt: at, only };
      const event = { topic: 'subject.observed', tenant: ana.tenant, key: account, subject: subjectId, data };
      const seed = `${subjectId} ${at}`;
      await store.transact((tx) => tx.append([event as unknown as AnyNewEvent], { source: 'test', seed }));
      await drain();
    },
    /** The alerts in all bodies that were queued for the endpoint up to now. */
    told: async (): Promise<readonly Alert[]> => {
      const queued = await opened.read((tx) => tx.notifications.due(clock.now(), 1000, 1000));
      return queued.flatMap(
        ({ body }) => (JSON.parse(body) as Event<'itinerary.updated'>).data.alerts ?? [],
      ) as Alert[];
    },
  };
}

const missing = ALERT_KINDS.filter((kind) => !CASES.some(([one]) => one === kind));

test('every kind that an answer or the clock brings about is among the cases', () => {
  // An outage is no answer: tests/integration/track.test.ts and the tests of src/domain/alerts/outage.ts.
  assert.deepEqual(missing, ['unverified']);
});

for (const [kind, { with: beside = [], steps, certain = true }] of CASES) {
  const of = steps.at(-1)!.of ?? 'flight';
  test(`${kind} of the ${of}: from the answer to the webhook, once`, async () => {
    const journey = await openJourney();
    after(() => journey.close());
    for (const thing of ['flight', ...beside] as const) await journey.answers(thing, THINGS[thing].values, 'booking');
    assert.deepEqual(await journey.told(), [], 'what was booked is no news');
    journey.clock.advance(instant('2026-12-01T10:00:00Z') - journey.clock.now());
    const play = async ({ says, of: thing = 'flight', as = 'status', at }: Step): Promise<void> => {
      journey.clock.advance(at === undefined ? 60_000 : Math.max(60_000, instant(at) - journey.clock.now()));
      if (says === undefined) await journey.look();
      else await journey.answers(thing, as === 'status' ? says : { ...THINGS[thing].values, ...says }, as);
    };
    for (const step of steps) await play(step);
    const alerts = (await journey.told()).filter((one) => one.kind === kind);
    assert.equal(alerts.length, 1, JSON.stringify(await journey.told()));
    assert.equal(alerts[0]!.certain, certain, alerts[0]!.sentence);
    await play(steps.at(-1)!);
    assert.equal((await journey.told()).filter((one) => one.kind === kind).length, 1, 'said again, told once');
  });
}
