/**
 * How long after a change is visible at its provider is it published, with one provider down and three at their limits?
 * The real tracker and store, five accounts on virtual time: one down, three that allow as many calls as their subjects
 * need and refuse every one beyond, one with room and signed pushes. Run: `node bench/freshness.ts [SUBJECTS] [HOURS]`;
 * prints JSON. Times are those of the virtual clock, so the machine does not matter; seeded, so always the same.
 */
import { openSqliteStore } from '../src/adapters/store/sqlite/store.ts';
import type { Event } from '../src/contracts/event.ts';
import { TripwatchError } from '../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../src/domain/ids.ts';
import type { Reservation } from '../src/domain/reservation.ts';
import { askIntervalMs } from '../src/domain/schedule/freshness.ts';
import { isoInstant } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { ProviderConnector, SubjectSpec } from '../src/ports/provider.ts';
import { type Rng, rng } from '../src/sandbox/random.ts';
import { createTrackHandler } from '../src/stages/track/handler.ts';
import { createPushDesk } from '../src/stages/track/push.ts';
import { createTracker } from '../src/stages/track/tracker.ts';
import { ManualClock, settle } from '../tests/contract/broker/manual-clock.ts';

export interface FreshnessFigures {
  readonly account: string;
  readonly subjects: number;
  readonly calls: number;
  /** Share of calls that the provider refused. */
  readonly refused: number;
  readonly changes: number;
  /** Changes that were published; the last ones may still be on their way. */
  readonly published: number;
  /** From visible to published, seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const FRESH_SECONDS = 300;
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const START_AT = Date.UTC(2026, 11, 1, 6);
const LATENCY_MS = 300;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

type Role = 'free' | 'pushed' | 'full' | 'down';

/** A provider whose subjects change now and then, and which counts what it lets through. */
class Provider implements ProviderConnector {
  readonly name = 'bench';
  readonly label = 'Bench';
  readonly capabilities;
  readonly account: string;
  readonly role: Role;
  readonly limit: { readonly max: number; readonly perSeconds: number };
  calls = 0;
  refused = 0;
  readonly #clock: ManualClock;
  /** When each subject changes, in order. */
  readonly changes: ReadonlyMap<string, readonly number[]>;
  /** Of calls that were let through, within the window of the limit. */
  #passed: number[] = [];

  constructor(
    account: string,
    options: { readonly role: Role; readonly subjects: number; readonly hours: number; readonly clock: ManualClock },
    draw: Rng,
  ) {
    const { role, subjects, hours, clock } = options;
    this.account = account;
    this.role = role;
    this.capabilities = {
      covers: ['booking' as const],
      readOne: true as const,
      ...(role === 'pushed' ? { push: 'signed' as const } : {}),
    };
    this.#clock = clock;
    // As many as the subjects need to be asked in time, in whole calls a minute.
    const perMinute = Math.ceil(subjects / (askIntervalMs({}, FRESH_SECONDS) / 60_000));
    this.limit = { max: role === 'full' ? perMinute : perMinute * 10, perSeconds: 60 };
    this.changes = new Map(
      Array.from({ length: subjects }, (_, index) => {
        const count = draw.int(1, hours * 2);
        const at = Array.from({ length: count }, () => START_AT + HOUR / 2 + draw.number() * (hours - 0.5) * HOUR);
        return [`${account}-${index}`, at.map(Math.floor).sort((a, b) => a - b)] as const;
      }),
    );
  }

  subjectsOf(one: Reservation): readonly SubjectSpec[] {
    return one.bookingKeys
      .filter((id) => this.changes.has(id))
      .map((id) => {
        const startAt = START_AT + 5 * HOUR;
        return { id, label: id, query: { id }, fromAt: startAt - 72 * HOUR, startAt, endAt: startAt + 12 * HOUR };
      });
  }

  async readOne(subject: SubjectSpec) {
    this.calls++;
    const from = this.#clock.now() - this.limit.perSeconds * SECOND;
    this.#passed = this.#passed.filter((at) => at > from);
    if (this.#passed.length >= this.limit.max) {
      this.refused++;
      throw new TripwatchError('rate-limited', 'provider-rate-limited', 'made for the bench');
    }
    this.#passed.push(this.#clock.now());
    if (this.role === 'down') throw new TripwatchError('transient', 'provider-unreachable', 'made for the bench');
    const version = this.#versionOf(subject.id);
    await this.#clock.sleep(LATENCY_MS, NEVER);
    const facts = { 'start.gate': { value: `V${version}`, evidence: { where: 'gate' } } };
    return {
      kind: 'found' as const,
      digest: `V${version}`,
      final: false,
      answer: {
        authority: 'status' as const,
        assertedAt: isoInstant(this.#clock.now()),
        bookingKeys: [],
        facts: {},
        legs: [{ kind: 'flight' as const, keys: [`leg:flight:${subject.id}:2026-12-01:fra`], facts }],
      },
    };
  }

  receivePush(request: { readonly body: Uint8Array }) {
    const id = Buffer.from(request.body).toString();
    return { kind: 'hint' as const, pushId: `${id}-${this.#clock.now()}`, wakes: [id] };
  }

  #versionOf(id: string): number {
    const now = this.#clock.now();
    return (this.changes.get(id) ?? []).filter((at) => at <= now).length;
  }
}

const NEVER = new AbortController().signal;
const STEP_MS = 500;

export async function benchFreshness(subjects: number, hours: number): Promise<readonly FreshnessFigures[]> {
  const clock = new ManualClock(START_AT);
  const roles: readonly Role[] = ['down', 'full', 'full', 'full', 'free', 'pushed'];
  const providers = roles.map(
    (role, index) => new Provider(`${role}${index}`, { role, subjects, hours, clock }, rng(index, 'freshness')),
  );
  const store = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  const draw = rng(1, 'tracker');
  const tracker = createTracker({
    store,
    clock,
    random: { number: () => draw.number(), bytes: (length) => new Uint8Array(length) },
    logger: quiet,
    accounts: providers.map((connector) => ({
      account: connector.account,
      connector,
      limits: [connector.limit],
      freshSeconds: FRESH_SECONDS,
    })),
  });
  await tracker.start();
  const handler = createTrackHandler({ tracker });
  for (const id of providers.flatMap((one) => [...one.changes.keys()])) {
    const event = { data: { reservation: bookingOf(id), changes: [] } } as unknown as Event<'reservation.changed'>;
    const outcome = await handler(event, { clock, logger: quiet, signal: NEVER, attempt: 1 });
    if (outcome.kind === 'ack' && outcome.commit !== undefined) await store.transact(outcome.commit);
  }
  const desk = createPushDesk({
    ...{ store, clock, logger: quiet, accounts: tracker.accounts },
    onWoken: (ids) => void tracker.look(ids),
  });
  const pushes = providers
    .filter(({ role }) => role === 'pushed')
    .flatMap((one) => [...one.changes].flatMap(([id, all]) => all.map((at) => ({ at, id, account: one.account }))))
    .sort((a, b) => a.at - b.at);
  const known = new Map<string, number>();
  const delays = new Map<string, number[]>(providers.map(({ account }) => [account, []]));
  let read = 0;
  for (let at = 0; at < hours * HOUR; at += STEP_MS) {
    await clock.advance(STEP_MS);
    await settle(2);
    for (; pushes[0] !== undefined && pushes[0].at <= clock.now(); pushes.shift()) {
      const { account, id } = pushes[0];
      await desk(account, { headers: {}, body: Buffer.from(id), receivedAt: clock.now() });
    }
    const rows = await store.read(({ db }) =>
      db.selectFrom('log').select(['seq', 'body']).where('seq', '>', read).orderBy('seq').execute(),
    );
    for (const { seq, body } of rows) {
      read = Math.max(read, Number(seq));
      const event = JSON.parse(body) as Event<'subject.observed'>;
      if (event.topic !== 'subject.observed') continue;
      const { account, answer } = event.data;
      const [leg] = answer.legs;
      const id = leg?.keys[0]?.split(':')[2] ?? '';
      const version = Number(String(leg?.facts['start.gate']?.value).slice(1));
      const before = known.get(id);
      known.set(id, version);
      const changes = providers.find((one) => one.account === account)?.changes.get(id) ?? [];
      // The first answer says where it stands.
      if (before === undefined) continue;
      const publishedAt = Temporal.Instant.from(event.time).epochMilliseconds;
      for (const changedAt of changes.slice(before, version)) delays.get(account)!.push(publishedAt - changedAt);
    }
  }
  await tracker.stop();
  await store.close();
  return providers.map(({ account, changes, calls, refused }) => {
    const all = delays.get(account)!.sort((a, b) => a - b);
    const quantile = (share: number) => Math.round((all[Math.floor(all.length * share)] ?? 0) / 100) / 10;
    return {
      account,
      subjects: changes.size,
      calls,
      refused: calls === 0 ? 0 : Math.round((refused / calls) * 10_000) / 10_000,
      changes: [...changes.values()].reduce((sum, one) => sum + one.length, 0),
      published: all.length,
      p50: quantile(0.5),
      p99: quantile(0.99),
      max: Math.round((all.at(-1) ?? 0) / 100) / 10,
    };
  });
}

function bookingOf(id: string): Reservation {
  return {
    id: `rsv_${id}`,
    tenant: DEFAULT_TENANT,
    traveller: `trv_${id}`,
    version: 1,
    bookingKeys: [id],
    fields: {},
    legs: [],
    observations: ['obs_bench'],
    digest: 'bench',
  };
}

if (import.meta.main) {
  const [subjects = 1000, hours = 3] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await benchFreshness(subjects, hours), null, 2));
}
