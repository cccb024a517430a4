import { backoffDelayMs } from '../../domain/backoff.ts';
import { DueHeap } from '../../domain/due-heap.ts';
import { describeError, TripwatchError } from '../../domain/errors.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MailboxHint, MailboxKind, MailboxSession } from '../../ports/mailbox.ts';
import type { WatchGone, WatchOfShard, WatchRef, WatchStanding } from '../../ports/store/watches.ts';
import type { Store } from '../../ports/store.ts';
import { BackfillTurns } from './backfill.ts';
import { type LaneParts, lookLive, subscribe } from './lanes.ts';
import { standAndTell } from './notice.ts';
import { failureOf, RETRY, standingOf, sweepMs } from './schedule.ts';
import type { MailboxSessions } from './sessions.ts';
import { keyOf, type Watched, watchedOf } from './watched.ts';

export interface WatcherOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sessions: MailboxSessions;
  /** Mailboxes that operators have paused, by themselves or with their tenant. */
  readonly paused?: {
    mailbox(tenant: string, mailbox: string): { readonly reason: string } | undefined;
    onChange(listener: () => void): () => void;
  };
  /** Too much waits already: nothing old is brought in. */
  readonly overloaded?: () => boolean;
}

/** Watches the mailboxes of the shards that are leased to this process. */
export interface Watcher {
  /** What watches one shard, from `start` to `stop`, writing through the store given. */
  shard(resource: string, store: Store): { start(): Promise<void>; stop(): Promise<void> };
  /** These should be looked at now, whoever watches them: "check now". Errors: those of the store. */
  wake(refs: readonly WatchRef[]): Promise<void>;
  /** A pushed hint: wakes what it means, whoever watches that. How many mailboxes that are. Errors: those of the store. */
  pushed(kind: MailboxKind, hint: MailboxHint): Promise<number>;
  status(): WatcherStatus;
  /** After all shards have stopped. */
  stop(): Promise<void>;
}

export interface WatcherStatus {
  readonly mailboxes: number;
  /** That tell by themselves when something comes. */
  readonly listening: number;
  readonly looking: number;
  readonly backfilling: number;
  readonly sessions: number;
}

/** Mailboxes looked at side by side; of these, at one server; and beside them, ones that failed last time. */
const LIVE_MAX = 128;
const PER_HOST_MAX = 64;
const SUSPECTS_MAX = 64;
/** Real time: what others changed is read, and marks are stored. */
const LOOK_MS = 1000;
const LOOK_BACK_MS = 15_000;
const MARK_MS = 5000;
/** Between two tries of what was refused, where its owner asks for one. */
const ASKED_AGAIN_MS = 60_000;
/** Real time: however fast the clock runs, a mailbox is not swept more often. */
const SWEEP_REAL_MS_MIN = 5000;

/** Made once: an abort without a reason makes one each time, with a stack. */
const AWAKE = new Error('woken');
const shardNumber = (resource: string): number => Number(resource.slice(resource.indexOf('/') + 1));

type Lane = 'live' | 'backfill';

export function createWatcher(options: WatcherOptions): Watcher {
  return new MailboxWatcher(options);
}

/**
 * One loop for all mailboxes: it starts what is due, up to its bounds, and sleeps until the next. Push decides how soon a
 * mail is found, the sweep decides that it is. New mails go before older ones; the older ones of all mailboxes take turns.
 */
class MailboxWatcher implements Watcher {
  readonly #options: WatcherOptions;
  readonly #logger: Logger;
  readonly #shards = new Map<number, Store>();
  readonly #mailboxes = new Map<string, Watched>();
  readonly #due = new DueHeap<{ readonly one: Watched; readonly lane: Lane; readonly at: number }>();
  /** Due, and no place for them yet: of a busy server, suspects. */
  readonly #ready: Watched[] = [];
  readonly #backfill: BackfillTurns;
  readonly #perHost = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #forgetPauses: (() => void) | undefined;
  #suspects = 0;
  #live = 0;
  #nap = new AbortController();
  #loop: Promise<void> | undefined;
  #seen = { since: Number.MAX_SAFE_INTEGER };
  #lookedAt = Number.NEGATIVE_INFINITY;
  #markedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: 'watcher' });
    const { store, clock, overloaded } = options;
    this.#backfill = new BackfillTurns({
      ...{ store, clock, overloaded, parts: this.#parts },
      rests: (one) => this.#rests(one),
      again: (one, at) => this.#schedule(one, 'backfill', at),
      stand: (one, standing) => this.#stand(one, standing),
      failed: (one, error) => this.#failed(one, error, 'backfill'),
    });
    this.#forgetPauses = options.paused?.onChange(() => {
      for (const one of this.#mailboxes.values()) this.#rest(one);
    });
  }

  shard(resource: string, store: Store): { start(): Promise<void>; stop(): Promise<void> } {
    const shard = shardNumber(resource);
    return {
      start: async () => {
        const rows = await this.#options.store.read((tx) => tx.watches.listShard(shard));
        this.#shards.set(shard, store);
        for (const row of rows) this.#add(row, store);
        this.#loop ??= this.#run();
      },
      stop: async () => {
        this.#shards.delete(shard);
        const mine = [...this.#mailboxes.values()].filter((one) => one.shard === shard);
        await Promise.all(mine.map((one) => this.#remove(one)));
        await this.#mark(mine, store).catch(() => undefined);
      },
    };
  }

  async wake(refs: readonly WatchRef[]): Promise<void> {
    const elsewhere = refs.filter((ref) => {
      const one = this.#mailboxes.get(keyOf(ref));
      if (one !== undefined) this.#wakeNow(one);
      return one === undefined;
    });
    if (elsewhere.length > 0) await this.#options.store.transact((tx) => tx.watches.wake(elsewhere));
  }

  async pushed(kind: MailboxKind, { accounts, mailboxes = [], renew = [] }: MailboxHint): Promise<number> {
    const { store } = this.#options;
    // Where the push proves which of ours it means, names say nothing more.
    const hint = mailboxes.length > 0 ? { mailboxes } : { names: accounts };
    const refs = await store.read((tx) => tx.watches.findPushed(kind, hint));
    const anew = refs.filter(({ mailbox }) => renew.includes(mailbox));
    // Through the store in any case: whoever holds the mailbox by then must know.
    if (anew.length > 0) {
      await store.transact((tx) => tx.watches.wake(anew, { renew: true }));
      for (const ref of anew) this.#renew(this.#mailboxes.get(keyOf(ref)));
    }
    await this.wake(refs.filter((ref) => !anew.includes(ref)));
    return refs.length;
  }

  /** Its subscription has ended or is about to: subscribed at the next look, which is now. */
  #renew(one: Watched | undefined): void {
    if (one === undefined) return;
    one.watch = { ...one.watch, renewAt: 0 };
    this.#wakeNow(one);
  }

  status(): WatcherStatus {
    let listening = 0;
    for (const one of this.#mailboxes.values()) if (one.listening !== undefined) listening++;
    return {
      mailboxes: this.#mailboxes.size,
      listening,
      looking: this.#live + this.#suspects,
      backfilling: this.#backfill.reading,
      sessions: this.#options.sessions.size,
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#nap.abort(AWAKE);
    this.#forgetPauses?.();
    await this.#loop;
    await this.#options.sessions.close();
  }

  // --- What is watched ------------------------------------------------------------------------------------------------

  #add(row: WatchOfShard, store: Store): void {
    if (this.#mailboxes.has(keyOf(row))) return;
    const one = watchedOf(row, store, this.#options.clock.now());
    this.#mailboxes.set(one.key, one);
    this.#rest(one);
    if (one.liveAt !== undefined) this.#schedule(one, 'live', one.liveAt);
  }

  async #remove(one: Watched): Promise<void> {
    this.#mailboxes.delete(one.key);
    one.liveAt = one.backfillAt = undefined;
    one.stopping.abort();
    this.#stopListening(one);
    this.#options.sessions.forget(one.watch);
    await Promise.allSettled([one.looking, one.filling]);
    // What was under way may have opened another meanwhile.
    this.#options.sessions.forget(one.watch);
  }

  /** Makes a mailbox rest, or go on, as its owner and the operators say. */
  #rest(one: Watched): void {
    const pause = this.#options.paused?.mailbox(one.watch.tenant, one.watch.mailbox);
    if (pause === undefined && !one.resting) {
      if (one.liveAt === undefined && one.looking === undefined) this.#wakeNow(one);
      return;
    }
    one.liveAt = one.backfillAt = undefined;
    this.#stopListening(one);
    this.#options.sessions.forget(one.watch);
    const reason = pause === undefined ? 'Rests until you resume it.' : `Paused by an operator: ${pause.reason}`;
    void this.#stand(one, { state: 'paused', reasonCode: 'paused', reason });
  }

  #rests(one: Watched): boolean {
    return one.resting || this.#options.paused?.mailbox(one.watch.tenant, one.watch.mailbox) !== undefined;
  }

  /** What owners changed, in whatever process. */
  async #look(): Promise<void> {
    const { store, clock } = this.#options;
    const { now, watches, gone } = await store.read((tx) => tx.watches.touchedSince(this.#seen.since));
    this.#seen = { since: now - LOOK_BACK_MS * clock.speed };
    for (const row of watches) this.#changed(row);
    for (const { shard, ...ref } of gone as readonly WatchGone[]) {
      const one = this.#mailboxes.get(keyOf(ref));
      if (one !== undefined) void this.#remove(one);
    }
  }

  #changed(row: WatchOfShard): void {
    const one = this.#mailboxes.get(keyOf(row));
    if (one === undefined) {
      const store = this.#shards.get(row.shard);
      if (store !== undefined) this.#add(row, store);
      return;
    }
    const { watch } = one;
    const { settings, sealedCredentials, since } = row;
    const other = JSON.stringify(settings) !== JSON.stringify(watch.settings);
    const anew = other || sealedCredentials !== watch.sealedCredentials;
    // Cursors and counts of ours may be newer than what was just read.
    one.watch = { ...watch, settings, sealedCredentials, since };
    if (since < watch.since) one.watch = { ...one.watch, backfillDone: false, backfillCursor: undefined };
    if (anew) {
      this.#stopListening(one);
      this.#options.sessions.forget(watch);
      one.failures = 0;
      one.watch = { ...one.watch, state: row.state, reasonCode: row.reasonCode, reason: row.reason };
    }
    if (row.renewAt === 0 && (watch.renewAt ?? 0) > 0) one.watch = { ...one.watch, renewAt: 0 };
    const rested = one.resting;
    one.resting = row.resting;
    if (rested !== row.resting) this.#rest(one);
    if (anew || since < watch.since || row.wakeAt > one.wokenAt) this.#wakeNow(one);
    one.wokenAt = Math.max(one.wokenAt, row.wakeAt);
  }

  // --- When ----------------------------------------------------------------------------------------------------------

  #wakeNow(one: Watched): void {
    if (one.stopping.signal.aborted || this.#rests(one)) return;
    if (one.looking !== undefined) one.again = true;
    else this.#schedule(one, 'live', this.#soonest(one));
  }

  /** Now, but for what was refused a moment ago: however often somebody asks, nothing is offered again and again. */
  #soonest(one: Watched): number {
    const now = this.#options.clock.now();
    return one.watch.state === 'needs-you' ? Math.max(now, one.refusedAt + ASKED_AGAIN_MS) : now;
  }

  #schedule(one: Watched, lane: Lane, at: number): void {
    if (one.stopping.signal.aborted || this.#rests(one)) return;
    if (lane === 'live') one.liveAt = at;
    else one.backfillAt = at;
    const first = this.#due.firstAt();
    this.#due.push(at, { one, lane, at });
    if (first === undefined || at < first) this.#nap.abort(AWAKE);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopping.signal.aborted) {
      this.#nap = new AbortController();
      if (clock.monotonic() - this.#lookedAt >= LOOK_MS * clock.speed) {
        await this.#look().catch((error: unknown) =>
          this.#logger.warn({ ...describeError(error) }, 'changes of mailboxes could not be read; trying again'),
        );
        this.#lookedAt = clock.monotonic();
      }
      if (clock.monotonic() - this.#markedAt >= MARK_MS * clock.speed) {
        this.#markedAt = clock.monotonic();
        await this.#markAll();
      }
      this.#startDue(clock.now());
      if (this.#stopping.signal.aborted) return;
      const next = this.#due.firstAt() ?? Number.POSITIVE_INFINITY;
      const wait = Math.min(LOOK_MS * clock.speed, next - clock.now());
      if (wait > 0) await clock.sleep(wait, this.#nap.signal).catch(() => undefined);
    }
  }

  #startDue(now: number): void {
    for (let due = this.#due.popDue(now); due !== undefined; due = this.#due.popDue(now)) {
      const { one, lane, at } = due;
      // Only the last word on when counts.
      if (lane === 'live' && one.liveAt === at) {
        one.liveAt = undefined;
        this.#ready.push(one);
      } else if (lane === 'backfill' && one.backfillAt === at) {
        one.backfillAt = undefined;
        this.#backfill.queue(one);
      }
    }
    this.#startReady();
  }

  /** Starts what there is a place for. The rest waits in its order. */
  #startReady(): void {
    const waiting = this.#ready.splice(0);
    for (const one of waiting) {
      if (one.stopping.signal.aborted || this.#rests(one)) continue;
      if (one.looking !== undefined) {
        one.again = true;
        continue;
      }
      const suspect = one.failures > 0;
      const host = this.#perHost.get(one.host) ?? 0;
      const room = suspect ? this.#suspects < SUSPECTS_MAX : this.#live < LIVE_MAX && host < PER_HOST_MAX;
      if (!room) {
        this.#ready.push(one);
        continue;
      }
      if (suspect) this.#suspects++;
      else this.#live++;
      if (!suspect) this.#perHost.set(one.host, host + 1);
      one.again = false;
      one.looking = this.#check(one).then((at) => {
        one.looking = undefined;
        if (suspect) this.#suspects--;
        else this.#live--;
        if (!suspect) this.#freeHost(one.host);
        if (one.again) this.#wakeNow(one);
        else if (at !== undefined) this.#schedule(one, 'live', at);
        if (this.#ready.length > 0) this.#startReady();
      });
    }
    this.#backfill.start();
  }

  #freeHost(host: string): void {
    const left = (this.#perHost.get(host) ?? 1) - 1;
    if (left > 0) this.#perHost.set(host, left);
    else this.#perHost.delete(host);
  }

  // --- Looking -------------------------------------------------------------------------------------------------------

  /** Returns when it is to be looked at next. Never rejects. */
  async #check(one: Watched): Promise<number | undefined> {
    const { sessions, clock, random } = this.#options;
    try {
      // Who is looked at in spite of a refusal is so because hours have passed, or something was changed.
      const session = await sessions.pin(one.watch, one.stopping.signal, one.watch.state === 'needs-you');
      // Before the look: what comes after it is told.
      this.#listen(one, session);
      await subscribe(one, session, { ...this.#parts, random });
      const whole = await lookLive(one, session, this.#parts);
      if (one.stopping.signal.aborted || this.#rests(one)) return undefined;
      // Where the listener has just ended, it stays suspect.
      if (session.listen === undefined || one.listening !== undefined || one.deafTo === session) one.failures = 0;
      if (!whole) return clock.now();
      one.checked = true;
      one.watch = { ...one.watch, checkedAt: clock.now() };
      const subscribed = session.subscribe !== undefined && (one.watch.renewAt ?? 0) > clock.now();
      const told = one.listening !== undefined || subscribed;
      const sweep = Math.max(sweepMs(told, random.number()), SWEEP_REAL_MS_MIN * clock.speed);
      // After a failure not before it is tried again.
      const renewAt = Math.max(one.watch.renewAt ?? Number.POSITIVE_INFINITY, one.subscribeAt);
      const renew = session.subscribe === undefined ? Number.POSITIVE_INFINITY : Math.max(renewAt - clock.now(), 1000);
      await this.#stand(one, standingOf(one.watch));
      const idle = one.filling === undefined && one.backfillAt === undefined && !one.inLine;
      if (!one.watch.backfillDone && idle) this.#schedule(one, 'backfill', clock.now());
      return clock.now() + Math.min(sweep, renew);
    } catch (error) {
      return this.#failed(one, error, 'live');
    }
  }

  #listen(one: Watched, session: MailboxSession): void {
    if (session.listen === undefined || one.listening?.session === session || one.deafTo === session) return;
    this.#stopListening(one);
    const { clock, random, sessions } = this.#options;
    const listening = { session, stop: new AbortController() };
    one.listening = listening;
    const ended = (error?: unknown): void => {
      if (one.listening !== listening) return;
      one.listening = undefined;
      if (error instanceof TripwatchError && error.kind === 'permanent') {
        // It tells nothing, and there is no use in asking it to: it is looked at as often as one that cannot.
        one.deafTo = session;
        one.again = true;
        if (one.looking === undefined) this.#schedule(one, 'live', clock.now());
        return;
      }
      sessions.drop(one.watch, 'live');
      if (error !== undefined)
        this.#logger.debug({ mailbox: one.watch.mailbox, ...describeError(error) }, 'a mailbox tells no longer');
      // It is suspect until it was looked at again; the first try comes soon, but not from all at one moment.
      one.failures = Math.max(one.failures, 1);
      if (one.looking === undefined)
        this.#schedule(one, 'live', clock.now() + backoffDelayMs(RETRY, one.failures, random.number()));
      else one.again = true;
    };
    session.listen(() => this.#wakeNow(one), listening.stop.signal).then(() => ended(), ended);
  }

  #stopListening(one: Watched): void {
    const { listening } = one;
    one.listening = undefined;
    listening?.stop.abort();
  }

  get #parts(): LaneParts {
    const { sessions, clock } = this.#options;
    return { sessions, clock, logger: this.#logger };
  }

  async #failed(one: Watched, error: unknown, lane: Lane): Promise<number | undefined> {
    if (one.stopping.signal.aborted || this.#rests(one)) return undefined;
    const { clock, random, sessions } = this.#options;
    const failures = lane === 'live' ? ++one.failures : ++one.backfillFailures;
    const failure = failureOf(error, failures, clock.now(), random.number());
    const { mailbox } = one.watch;
    this.#logger.debug({ mailbox, lane, failures, ...describeError(error) }, 'a mailbox could not be read');
    // Another process has it by now; this one is about to be told.
    if (failure.kind === 'lost') return undefined;
    if (failure.kind === 'transient' || failure.kind === 'needs-you') {
      if (lane === 'live') this.#stopListening(one);
      sessions.drop(one.watch, lane === 'live' ? 'live' : 'work');
    }
    if (failure.kind === 'needs-you') one.refusedAt = clock.now();
    if (failure.kind === 'limited' || failure.kind === 'store') {
      if (lane === 'live') one.failures--;
      else one.backfillFailures--;
    }
    // Whatever ails the older mails ails the new ones too, or is told by them.
    if (failure.standing !== undefined && lane === 'live') await this.#stand(one, failure.standing);
    return failure.at;
  }

  // --- What is said of them -------------------------------------------------------------------------------------------

  /** Stored, and said once, when it changes. */
  async #stand(one: Watched, standing: WatchStanding): Promise<void> {
    const { watch } = one;
    if (!one.standsUnsure && watch.state === standing.state && watch.reasonCode === standing.reasonCode) return;
    const now = this.#options.clock.now();
    one.watch = { ...watch, ...standing, stateAt: now };
    one.standsUnsure = false;
    try {
      const need = await one.store.transact((tx) => standAndTell(tx, watch, standing, now));
      const fields = { mailbox: watch.mailbox, state: standing.state, code: standing.reasonCode };
      if (need === 'began') this.#logger.warn(fields, 'a mailbox needs its owner');
      else this.#logger.info(fields, 'a mailbox stands otherwise now');
    } catch (error) {
      // Stored or not, nobody knows: the next look says how it stands, whatever was said before.
      one.standsUnsure = true;
      one.watch = { ...one.watch, state: watch.state, reasonCode: watch.reasonCode };
      this.#logger.debug({ mailbox: watch.mailbox, ...describeError(error) }, 'how a mailbox stands was not stored');
    }
  }

  async #markAll(): Promise<void> {
    const checked = [...this.#mailboxes.values()].filter((one) => one.checked);
    for (const [shard, store] of this.#shards)
      await this.#mark(
        checked.filter((one) => one.shard === shard),
        store,
      ).catch((error: unknown) =>
        this.#logger.debug({ shard, ...describeError(error) }, 'marks were not stored; trying again'),
      );
  }

  async #mark(all: readonly Watched[], store: Store): Promise<void> {
    const marked = all.filter((one) => one.checked);
    if (marked.length === 0) return;
    await store.transact((tx) =>
      tx.watches.mark(
        marked.map(({ watch: { tenant, mailbox, checkedAt }, liveAt }) => ({
          tenant,
          mailbox,
          ...(checkedAt === undefined ? {} : { checkedAt }),
          dueAt: Math.trunc(liveAt ?? checkedAt ?? 0),
        })),
      ),
    );
    for (const one of marked) one.checked = false;
  }
}
