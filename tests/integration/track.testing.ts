import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { AnyEvent, AnyNewEvent, Event } from '../../src/contracts/event.ts';
import { completeEvents } from '../../src/contracts/event.ts';
import type { Answer, Topic } from '../../src/contracts/topics.ts';
import { canonicalJson } from '../../src/domain/reconcile/canonical.ts';
import type { Reservation } from '../../src/domain/reservation.ts';
import { isoInstant } from '../../src/ports/clock.ts';
import type { Handler } from '../../src/ports/handler.ts';
import type {
  ProviderCapabilities,
  ProviderConnector,
  PushRequest,
  ReadResult,
  SubjectSpec,
} from '../../src/ports/provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { createFanOutHandler } from '../../src/stages/fan-out/handler.ts';
import { createTrackHandler } from '../../src/stages/track/handler.ts';
import { createPushDesk, type PushAnswer } from '../../src/stages/track/push.ts';
import {
  createTracker,
  type TrackedAccount,
  type Tracker,
  type TrackerOptions,
} from '../../src/stages/track/tracker.ts';
import { ManualClock, settle } from '../contract/broker/manual-clock.ts';
import { reservation } from '../contract/provider/cases.ts';
import { quiet } from '../contract/store/harness.ts';

export const NOW = Date.UTC(2026, 11, 1, 6);
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

/** A provider whose bookings are called by their reference: what it says about each, and when it was asked. */
export class FakeProvider implements ProviderConnector {
  readonly name = 'fake';
  readonly label = 'Fake';
  readonly capabilities: ProviderCapabilities = { covers: ['booking'], readOne: true, push: 'signed' };
  readonly calls: { readonly id: string; readonly at: number }[] = [];
  readonly #clock: ManualClock;
  /** What it says: gate by subject; `cancelled`, or anything else. */
  says: (id: string) => string | Error | 'absent' = () => 'A1';
  saidAt: (id: string) => number = () => this.#clock.now();
  final: (id: string) => boolean = () => false;
  /** Hours from the start of the test until the subject's start. */
  startsIn: (id: string) => number = () => 3;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  subjectsOf(one: Reservation): readonly SubjectSpec[] {
    return one.bookingKeys.map((id) => {
      const startAt = NOW + this.startsIn(id) * HOUR;
      return { id, label: id, query: { id }, fromAt: startAt - 72 * HOUR, startAt, endAt: startAt + 6 * HOUR };
    });
  }

  async readOne(subject: SubjectSpec): Promise<ReadResult> {
    this.calls.push({ id: subject.id, at: this.#clock.now() });
    return this.answerOn(subject);
  }

  /** What it says about one, without a call. Errors: what `says` wants. */
  answerOn(subject: SubjectSpec): ReadResult {
    const said = this.says(subject.id);
    if (said instanceof Error) throw said;
    if (said === 'absent') return { kind: 'absent' };
    const fact = (value: string) => ({ value, evidence: { where: 'gate' } });
    const facts: Answer['facts'] = said === 'cancelled' ? { status: fact(said) } : { 'start.gate': fact(said) };
    const answer: Answer = {
      authority: 'status',
      assertedAt: isoInstant(this.saidAt(subject.id)),
      bookingKeys: [],
      facts: {},
      legs: [{ kind: 'flight', keys: [`leg:flight:${subject.id}:2026-12-01:fra`], facts }],
    };
    return { kind: 'found', digest: said, answer, final: this.final(subject.id) };
  }

  receivePush(request: PushRequest) {
    const [pushId = '', ...wakes] = Buffer.from(request.body).toString().split(' ');
    return pushId === ''
      ? ({ kind: 'refused', code: 'signature-wrong', message: 'no' } as const)
      : ({ kind: 'hint', pushId, wakes } as const);
  }

  callsFor(id: string): number[] {
    return this.calls.filter((call) => call.id === id).map((call) => call.at);
  }
}

export interface TrackRig {
  readonly clock: ManualClock;
  readonly provider: FakeProvider;
  readonly store: Store;
  readonly tracker: Tracker;
  /** A traveller's reservation is new or changed: follows these subjects from now on. */
  changed(
    traveller: string,
    subjects: readonly string[],
    change?: Partial<Reservation>,
    data?: object,
  ): Promise<readonly AnyEvent[]>;
  /** Everything on a topic, in order. */
  events<T extends Topic>(topic: T): Promise<readonly Event<T>[]>;
  /** Runs fan-out on an event and on what it says, until nothing more comes. */
  fanOut(event: Event<'subject.observed'>): Promise<readonly Event<'observation.recorded'>[]>;
  /** A provider pushes this text to an account: `pushId spec-id …`. */
  push(text: string, account?: string): Promise<PushAnswer | undefined>;
  /** Like a crash and a new start: another tracker on the same store. */
  restart(): Promise<Tracker>;
  close(): Promise<void>;
  /** Moves time in steps, and lets questions and commits end between them: a commit takes no time here, but turns. */
  advance(ms: number, stepMs?: number): Promise<void>;
}

const STEP_MS = 2000;

export async function openTrackRig(
  change: Partial<TrackedAccount> = {},
  options: Pick<TrackerOptions, 'paused' | 'isOurs'> = {},
  make: (clock: ManualClock) => FakeProvider = (clock) => new FakeProvider(clock),
  others: (clock: ManualClock) => readonly TrackedAccount[] = () => [],
): Promise<TrackRig> {
  const clock = new ManualClock(NOW);
  const provider = make(clock);
  const store = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  const account = {
    account: 'fake',
    connector: provider,
    limits: [{ max: 100, perSeconds: 1 }],
    freshSeconds: 300,
    ...change,
  };
  const accounts = [account, ...others(clock)];
  const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const open = () => createTracker({ store, clock, random, logger: quiet, accounts, ...options });
  let tracker = open();
  let serial = 0;
  const desk = createPushDesk({
    store,
    clock,
    logger: quiet,
    accounts,
    onWoken: (ids) => void tracker.look(ids),
  });

  async function run<T extends Topic>(handler: Handler<T>, event: Event<T>): Promise<readonly AnyEvent[]> {
    const context = { clock, logger: quiet, signal: new AbortController().signal, attempt: 1 };
    const outcome = await handler(event, context);
    if (outcome.kind !== 'ack' || outcome.commit === undefined) return [];
    const { commit } = outcome;
    const origin = { source: event.topic, cause: event, seed: event.id };
    return store.transact(async (tx) => tx.append(await commit(tx), origin));
  }

  const rig: TrackRig = {
    clock,
    provider,
    store,
    get tracker() {
      return tracker;
    },
    changed: async (traveller, subjects, change = {}, data = {}) => {
      const one = reservation([], {
        id: `rsv_${traveller}`,
        traveller: `trv_${traveller}`,
        bookingKeys: subjects,
        ...change,
      });
      const event = {
        topic: 'reservation.changed',
        tenant: one.tenant,
        traveller: one.traveller,
        key: one.traveller,
        subject: one.id,
        data: { reservation: one, changes: [], changedAt: isoInstant(clock.now()), ...data },
      } as unknown as AnyNewEvent;
      const [made] = completeEvents([event], { source: 'test', seed: String(serial++) }, isoInstant(clock.now()));
      const said = await run(createTrackHandler({ tracker }), made as Event<'reservation.changed'>);
      await rig.advance(100);
      return said;
    },
    events: async <T extends Topic>(topic: T) => {
      const subjects = await store.read((tx) => tx.subjects.listActive());
      const all = await Promise.all(
        subjects.map((one) => store.read((tx) => tx.log.bySubject('tnt_default', one.id, 10_000))),
      );
      return all
        .flat()
        .sort((a, b) => a.seq - b.seq)
        .map((entry) => entry.event)
        .filter((event): event is Event<T> & AnyEvent => event.topic === topic);
    },
    fanOut: async (event) => {
      const found: Event<'observation.recorded'>[] = [];
      for (let next: Event<'subject.observed'> | undefined = event; next !== undefined; ) {
        const said: readonly AnyEvent[] = await run(createFanOutHandler(), next);
        next = undefined;
        for (const one of said) {
          if (one.topic === 'subject.observed') next = one;
          if (one.topic === 'observation.recorded') found.push(one);
        }
      }
      return found;
    },
    push: (text, name = 'fake') => desk(name, { headers: {}, body: Buffer.from(text), receivedAt: clock.now() }),
    restart: async () => {
      await tracker.stop();
      tracker = open();
      await tracker.start();
      await settle();
      return tracker;
    },
    advance: async (ms, stepMs = STEP_MS) => {
      for (let left = ms; left > 0; left -= stepMs) {
        await clock.advance(Math.min(stepMs, left));
        while (tracker.status().some((one) => one.inFlight > 0)) await settle(5);
      }
    },
    close: async () => {
      await tracker.stop();
      await store.close();
    },
  };
  await tracker.start();
  return rig;
}

/** A string as the store knows it: to compare answers. */
export const textOf = (value: unknown): string => canonicalJson(value);
