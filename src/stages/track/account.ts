import type { SubjectId } from '../../domain/ids.ts';
import type { CallLimit, Cost } from '../../domain/schedule/call-budget.ts';
import { createEngine, type Engine } from '../../domain/schedule/engine.ts';
import { askIntervalMs, isImminent, listedIntervalMs, needMs } from '../../domain/schedule/freshness.ts';
import { firstDue } from '../../domain/schedule/phase.ts';
import { TIERS } from '../../domain/schedule/ready-queue.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProviderConnector } from '../../ports/provider.ts';
import type { Subject, WakeReason } from '../../ports/store/subjects.ts';
import type { Store } from '../../ports/store.ts';
import { type AccountStatus, statusOf } from './account-status.ts';
import { Answers } from './answers.ts';
import { RETRY } from './blame.ts';
import { ChangeList } from './change-list.ts';
import { type Chore, Chores } from './chores.ts';
import { AccountHealth } from './health.ts';
import { type Item, itemOf } from './item.ts';
import type { Marks } from './marks.ts';
import { type KeptState, keepState } from './provider-state.ts';
import { Questions } from './questions.ts';
import { ALONE, costsOf, type Reading, Readings } from './readings.ts';
import { Standby } from './standby.ts';
import { subjectIdOf } from './subject.ts';

/** One account at a provider: what to ask there, when, and how much of it. A bulkhead: nothing here is shared. */
export interface TrackedAccount {
  readonly account: string;
  readonly connector: ProviderConnector;
  readonly limits: readonly CallLimit[];
  /** How old an answer may get, where the calls allow it. */
  readonly freshSeconds: number;
  /** What an operation costs, by unit of the limits; absent: one of each. */
  readonly costs?: Readonly<Record<string, Cost>>;
  readonly inFlightMax?: number;
  /** Accounts that answer the same and are asked first: this one asks where they do not answer. */
  readonly behind?: readonly string[];
  /** Where its provider is to push to, as others reach us; absent: nobody does. */
  readonly pushUrl?: string;
  /** All others that answer the same, in the order in which they are asked for a second opinion. */
  readonly beside?: readonly string[];
}

/** It looks again at least so often, in real time, should the clock be moved. */
const REST_MS_MAX = 60_000;
/** Real time between two looks whether the store has said whose the account is. */
const UNSURE_MS = 100;
/** Verified pushes say which subjects have changed, as long as they come: then polling is the second line. */
const PUSH_COVERS_MS = 24 * 3_600_000;
/** Whoever knows an address can send a hint that nobody signed: it asks no more often than this about one subject. */
const HINT_MS_MIN = 30_000;

export interface AccountParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly marks: Marks;
  /** An operator wants nothing asked of the account for now. */
  readonly isPaused?: (account: string) => boolean;
  /** Whether this process is sure to be the one that asks; see `WorkGroup.take`. Absent: it is. */
  readonly isOurs?: (() => boolean) | undefined;
  /** Asks another account about these now, whichever process does it. */
  readonly askElsewhere?: (account: string, specIds: readonly string[]) => void;
}

export class AccountRunner {
  readonly tracked: TrackedAccount;
  readonly #parts: AccountParts;
  readonly #logger: Logger;
  readonly #items = new Map<SubjectId, Item>();
  readonly #slots: (Item | Chore | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #engine: Engine;
  readonly #health: AccountHealth;
  readonly #readings: Readings;
  readonly #answers: Answers;
  readonly #questions: Questions;
  readonly #standby: Standby | undefined;
  readonly #list: ChangeList | undefined;
  readonly #chores: Chores;
  readonly #state: KeptState;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #reading: Reading = ALONE;
  #alarm: AbortController | undefined;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(tracked: TrackedAccount, parts: AccountParts) {
    this.tracked = tracked;
    this.#parts = parts;
    const { account, connector, limits, freshSeconds, inFlightMax, behind = [] } = tracked;
    const { clock, store, random } = parts;
    this.#logger = parts.logger.child({ account });
    const now = clock.now();
    const intervalOf = (item: Item): number => this.#interval(item);
    const costs = costsOf(connector, tracked.costs);
    this.#health = new AccountHealth({ limits, costs, inFlightMax, random, now });
    if (connector.listChanged !== undefined)
      this.#list = new ChangeList(connector, (id) => this.#wakeSpec(id, 'named'));
    this.#state = keepState(account, this.#health, parts, this.#logger, this.#list);
    this.#readings = new Readings({
      connector,
      intervalOf,
      priceOf: (operation) => this.#health.price(operation),
      isAdmitted: (operation, at) => this.#health.isAdmitted(operation, at),
    });
    this.#engine = this.#createEngine(now);
    const schedule = (item: Item, at: number): void => this.#schedule(item, at);
    const shared = { clock, random, store, logger: this.#logger, marks: parts.marks, readings: this.#readings };
    this.#answers = new Answers({
      ...shared,
      account,
      label: connector.label,
      freshSeconds,
      size: () => this.#items.size,
      intervalOf,
      schedule,
      enqueue: (item) => this.#enqueue(item),
      drop: (item) => this.drop(item.id),
      end: (item) => this.#end(item, true),
      onGrave: (item) => this.#wantOpinion(item),
    });
    this.#questions = new Questions({
      ...shared,
      connector,
      health: this.#health,
      engine: this.#engine,
      answers: this.#answers,
      items: this.#items,
      itemAt: (slot) => this.#itemAt(slot),
      intervalOf,
      schedule,
      onAsked: (item) => this.#list?.asked(item.spec.id),
      onDone: (items) => this.#done(items),
    });
    if (behind.length > 0) {
      const isPaused = (other: string): boolean => parts.isPaused?.(other) === true;
      this.#standby = new Standby({ account, behind, store, clock, isPaused, intervalOf });
    }
    this.#chores = new Chores({
      connector,
      freshSeconds,
      clock,
      random,
      list: this.#list,
      pushUrl: tracked.pushUrl,
      logger: this.#logger,
      engine: this.#engine,
      questions: () => this.#questions,
      take: (make) => this.#slots.push(make(this.#slots.length)),
      save: () => this.#state.save(),
      onListLost: () => this.#askInRounds(),
    });
  }

  #createEngine(now: number): Engine {
    const gate = (slot: number, at: number) => this.#health.gate(this.#operationOf(slot, at));
    const plain = this.#health.gate(ALONE.operation);
    return createEngine({
      now,
      gate: {
        room: (at) => (this.#readings.isPlain && !this.#chores.isAny ? plain.room(at) : 0),
        enter: (at, tier, slot) => !this.#isShut && gate(slot, at).enter(at, tier),
        entersAt: (at, tier, slot) => gate(slot, at).entersAt(at, tier),
      },
      hooks: {
        due: (slot, at) => this.#isAsked(this.#slots[slot]!, at),
        ask: (slot, at) => this.#ask(this.#slots[slot]!, at),
        agedFrom: (slot) => this.#agedFrom(this.#slots[slot]!),
        needMs: (slot, at) => this.#need(this.#slots[slot]!, at),
        tier: (slot, at) => this.#tier(this.#slots[slot]!, at),
      },
    });
  }

  get subjectIds(): IterableIterator<SubjectId> {
    return this.#items.keys();
  }

  /**
   * Takes up a subject as stored, or what changed about it. `spread`: one of many (after a start), so that what is
   * overdue must not come back at once.
   */
  put(subject: Subject, spread = false): void {
    const held = this.#items.get(subject.id);
    if (held === undefined) this.#add(subject, spread);
    else this.#change(held, subject);
    this.#hear(subject);
  }

  /** Somebody, in whatever process, has stored that it is to be asked now, and nobody has asked since. */
  #hear({ id, wake }: Subject): void {
    const item = this.#items.get(id);
    if (item === undefined || wake === undefined || wake.at <= item.wakeAt) return;
    item.wakeAt = wake.at;
    this.wake(id, wake.why);
  }

  #change(held: Item, { spec }: Subject): void {
    if (JSON.stringify(held.spec) === JSON.stringify(spec)) return;
    held.spec = spec;
    this.#readings.put(held);
    this.#readings.keepToken(held, undefined, this.#parts.clock.now());
    if (this.#engine.has(held.slot)) this.#schedule(held, Math.min(held.dueAt, this.#first(held)));
    this.#ring();
  }

  #add(subject: Subject, spread: boolean): void {
    const now = this.#parts.clock.now();
    const slot = this.#free.pop() ?? this.#slots.length;
    const item = itemOf(subject, slot, now);
    this.#slots[slot] = item;
    this.#items.set(item.id, item);
    this.#readings.put(item);
    const due = this.#first(item);
    const overdue = item.checkedAt !== undefined && item.checkedAt + this.#interval(item) < now;
    this.#schedule(item, overdue && !spread ? Math.max(now, item.spec.fromAt) : due);
    this.#ring();
  }

  /** Nobody asks about it any more. */
  drop(id: SubjectId): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    item.gone = true;
    this.#items.delete(id);
    this.#engine.drop(item.slot);
    this.#readings.drop(item);
    this.#answers.guard.cleared(item.slot);
    // A slot that is being asked is given back when its answer is in.
    if (!item.asking) this.#release(item);
  }

  /** Asks at once, before everything that is merely due. False: no such subject, or its time has not come. */
  wake(id: SubjectId, why: WakeReason = 'doubt'): boolean {
    const item = this.#items.get(id);
    const now = this.#parts.clock.now();
    if (why === 'push') this.pushedAt(now);
    if (item === undefined || item.spec.fromAt > now) return false;
    const hintAt = this.#agedFrom(item) + HINT_MS_MIN;
    if (why === 'related' || (why === 'hint' && hintAt > now)) {
      if (why === 'hint') item.woken = why;
      if (item.asking) item.again = why;
      else if (this.#engine.has(item.slot)) this.#schedule(item, Math.min(item.dueAt, Math.max(now, hintAt)));
      this.#ring();
    } else if (item.asking) item.again = why;
    else {
      item.dueAt = now;
      item.woken = why;
      item.resting = false;
      this.#engine.enqueue(item.slot, now, why === 'hint' ? TIERS.imminent : TIERS.urgent);
      this.#ring();
    }
    return true;
  }

  /** The provider has pushed something that it signed, to whatever process. */
  pushedAt(at: number): void {
    this.#pushedAt = Math.max(this.#pushedAt, at);
  }

  /** Asks until the signal aborts; resolves when what was under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const { clock } = this.#parts;
    const keeping = this.#state.run(signal);
    this.#questions.beginSlowly(clock.now());
    this.#list?.wakeAgain();
    while (!signal.aborted) {
      const now = clock.now();
      this.#engine.turn(now);
      await this.#rest(now);
    }
    await this.#questions.ended();
    await keeping;
  }

  /** Takes up what the one before has learned. Errors: those of the store. */
  restore(): Promise<void> {
    return this.#state.restore();
  }

  /** Something was paused or resumed, perhaps this account: what is due is asked when it may be. */
  pausesChanged(): void {
    this.#ring();
  }

  /** Nothing may be asked for now. */
  get #isShut(): boolean {
    return this.#parts.isPaused?.(this.tracked.account) === true || this.#isUnsure;
  }

  get #isUnsure(): boolean {
    return this.#parts.isOurs?.() === false;
  }

  #first(item: Item): number {
    const { phase, checkedAt, spec } = item;
    const intervalMs = this.#interval(item);
    return firstDue({ phase, intervalMs, fromAt: spec.fromAt, checkedAt, now: this.#parts.clock.now() });
  }

  #interval({ spec }: Item): number {
    const { freshSeconds } = this.tracked;
    const now = this.#parts.clock.now();
    const isListed = this.#list !== undefined && this.#chores.isListed(now);
    return isListed ? listedIntervalMs(spec, freshSeconds, now) : askIntervalMs(spec, freshSeconds);
  }

  #need(one: Item | Chore, now: number): number {
    if (!('spec' in one)) return one.everyMs;
    const { connector, freshSeconds } = this.tracked;
    const isHeard = now - this.#pushedAt < PUSH_COVERS_MS || this.#chores.isSubscribed(now);
    const isPushed = connector.capabilities.push === 'signed' && this.#chores.push?.kind !== 'missing' && isHeard;
    return needMs(one.spec, freshSeconds, now, isPushed || this.#chores.isListed(now));
  }

  #agedFrom(one: Item | Chore): number {
    if (!('spec' in one)) return one.ranAt ?? one.addedAt - one.everyMs;
    return one.checkedAt ?? one.addedAt - this.#interval(one);
  }

  /** One look at a list tells of many, so it goes before those that can wait. */
  #tier(one: Item | Chore, now: number) {
    return !('spec' in one) || isImminent(one.spec, now) ? TIERS.imminent : TIERS.other;
  }

  /** How what is due would be asked now. */
  #operationOf(slot: number, now: number): string {
    const one = this.#slots[slot]!;
    if (!('spec' in one)) return one.operation;
    this.#reading = this.#readings.choose(one, now);
    return this.#reading.operation;
  }

  /** An end is met in time, too. */
  #schedule(item: Item, at: number): void {
    if (item.gone) return;
    item.dueAt = Math.min(at, item.spec.endAt);
    this.#engine.schedule(item.slot, item.dueAt);
  }

  #enqueue(item: Item): void {
    if (!item.gone) this.#engine.enqueue(item.slot, this.#parts.clock.now());
  }

  #isAsked(one: Item | Chore, now: number): boolean {
    if (!('spec' in one)) return true;
    if (now >= one.spec.endAt) {
      void this.#end(one, false);
      return false;
    }
    if (this.#standby === undefined || one.woken !== undefined) return true;
    void this.#lookFirst(one, this.#standby);
    return false;
  }

  /** Stands behind another account: asks where that one does not answer. */
  async #lookFirst(item: Item, standby: Standby): Promise<void> {
    const { clock } = this.#parts;
    try {
      const { role, lookAt } = await standby.turnOf(item);
      // Woken, moved or ended meanwhile.
      if (item.gone || item.asking || this.#engine.has(item.slot) || this.#engine.isWaiting(item.slot)) return;
      item.resting = role === 'rest';
      if (item.resting) {
        // Whoever is asked first was woken, too.
        this.#answers.heard(item, item.wakeAt);
        this.#schedule(item, lookAt);
      } else this.#enqueue(item);
    } catch (error) {
      this.#logger.warn({ subject: item.id, error: String(error) }, 'other accounts could not be looked at');
      if (!this.#engine.has(item.slot)) this.#schedule(item, clock.now() + RETRY.firstDelayMs);
    }
    this.#ring();
  }

  /** Grave news is told as certain when another account says it too: it is asked now. */
  #wantOpinion(item: Item): void {
    const { askElsewhere, isPaused } = this.#parts;
    const other = this.tracked.beside?.find((account) => isPaused?.(account) !== true);
    if (other !== undefined) askElsewhere?.(other, [item.spec.id]);
  }

  /** Sleeps until the next thing may happen; anything that changes that rings. */
  async #rest(now: number): Promise<void> {
    const { clock } = this.#parts;
    const next = this.#engine.nextAt(now, this.#isShut) ?? Number.POSITIVE_INFINITY;
    // At least a real millisecond, so that a wrong guess is no busy loop; at most a minute, should the clock be moved.
    const most = (this.#isUnsure ? UNSURE_MS : REST_MS_MAX) * clock.speed;
    const wait = Math.max(clock.speed, Math.min(most, next - now));
    const alarm = new AbortController();
    this.#alarm = alarm;
    await clock.sleep(wait, AbortSignal.any([alarm.signal, this.#signal])).catch(() => {});
  }

  #ring(): void {
    this.#alarm?.abort();
  }

  #ask(one: Item | Chore, now: number): void {
    if (!('spec' in one)) void this.#chores.do(one, now, this.#signal);
    else void this.#questions.ask(one, this.#reading, this.#signal);
  }

  /** Without its list everything is asked in its rounds again. */
  #askInRounds(): void {
    for (const item of this.#items.values())
      if (this.#engine.has(item.slot)) this.#schedule(item, Math.min(item.dueAt, this.#first(item)));
  }

  #wakeSpec(specId: string, why: WakeReason): boolean {
    return this.wake(subjectIdOf(this.tracked.account, specId), why);
  }

  #itemAt(slot: number): Item | undefined {
    const one = this.#slots[slot];
    return one !== undefined && 'spec' in one ? one : undefined;
  }

  /** Questions have ended. */
  #done(items: readonly Item[]): void {
    for (const item of items) {
      item.asking = false;
      if (item.gone) this.#release(item);
      else if (item.again !== undefined) this.wake(item.id, item.again);
    }
    this.#ring();
  }

  /** Its time is over, or nothing more will be known. */
  async #end(item: Item, final: boolean): Promise<void> {
    const { store, clock } = this.#parts;
    try {
      const ended = await store.transact(async (tx) => {
        const stored = await tx.subjects.get(item.id);
        // Its end was moved meanwhile.
        if (!final && stored?.state === 'active' && stored.spec.endAt > clock.now()) return stored;
        await tx.subjects.end(item.id);
        return undefined;
      });
      if (ended === undefined) this.drop(item.id);
      else {
        item.spec = ended.spec;
        this.#readings.put(item);
        this.#schedule(item, clock.now());
      }
    } catch (error) {
      this.#logger.warn({ subject: item.id, error: String(error) }, 'subject could not be ended; tried again');
      if (!item.gone) this.#engine.schedule(item.slot, clock.now() + RETRY.firstDelayMs);
    }
    this.#ring();
  }

  #release(item: Item): void {
    if (this.#slots[item.slot] !== item) return;
    this.#slots[item.slot] = undefined;
    this.#free.push(item.slot);
  }

  status(): AccountStatus {
    return statusOf({
      now: this.#parts.clock.now(),
      tracked: this.tracked,
      items: this.#items.values(),
      intervalOf: (item) => this.#interval(item),
      subjects: this.#items.size,
      due: this.#engine.waiting,
      held: this.#answers.guard.held,
      health: this.#health,
      push: this.#chores.push,
      pushSeenAt: this.#chores.pushSeenAt,
    });
  }
}
