import type { Clock } from '../../ports/clock.ts';
import type { WatchStanding } from '../../ports/store/watches.ts';
import type { Store } from '../../ports/store.ts';
import { type LaneParts, lookBack } from './lanes.ts';
import { standingOf } from './schedule.ts';
import type { Watched } from './watched.ts';

/** Mailboxes whose older mails are read side by side, one page each in turn. */
const BACKFILL_MAX = 4;
/** With more mails of a mailbox than these waiting to be read, no older ones are listed: live ones must not stand behind many. */
const UNDECIDED_MAX = 2;
/** Real time: when the older ones are looked for again then. */
const UNDECIDED_MS = 20;

export interface BackfillOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly parts: LaneParts;
  /** Too much waits already: nothing old is brought in. */
  readonly overloaded?: (() => boolean) | undefined;
  readonly rests: (one: Watched) => boolean;
  /** It is to come up again at `at`, ms of the clock. */
  readonly again: (one: Watched, at: number) => void;
  readonly stand: (one: Watched, standing: WatchStanding) => Promise<void>;
  /** When to try again after a failure; undefined: not here. Never rejects. */
  readonly failed: (one: Watched, error: unknown) => Promise<number | undefined>;
}

/** The older mails of all mailboxes take turns: few mailboxes at a time, a page each, and none while enough waits. */
export class BackfillTurns {
  readonly #options: BackfillOptions;
  readonly #waiting: Watched[] = [];
  #reading = 0;

  constructor(options: BackfillOptions) {
    this.#options = options;
  }

  /** Mailboxes of which a page is being read. */
  get reading(): number {
    return this.#reading;
  }

  /** It has its turn when those before it have had theirs. */
  queue(one: Watched): void {
    one.inLine = true;
    this.#waiting.push(one);
  }

  /** Starts what there is a place for. */
  start(): void {
    while (this.#reading < BACKFILL_MAX && this.#waiting.length > 0) this.#turn(this.#waiting.shift()!);
  }

  #turn(one: Watched): void {
    const { rests, again } = this.#options;
    one.inLine = false;
    if (one.stopping.signal.aborted || rests(one) || one.filling !== undefined || one.watch.backfillDone) return;
    this.#reading++;
    one.filling = this.#page(one).then((at) => {
      one.filling = undefined;
      this.#reading--;
      if (at !== undefined) again(one, at);
      this.start();
    });
  }

  /** One page of older mails, when few enough wait to be read. Returns when to go on. Never rejects. */
  async #page(one: Watched): Promise<number | undefined> {
    const { clock, store, parts, overloaded, stand, failed } = this.#options;
    const { tenant, mailbox } = one.watch;
    try {
      const full =
        overloaded?.() === true || (await store.read((tx) => tx.mails.undecided(tenant, mailbox))) > UNDECIDED_MAX;
      if (full) return clock.now() + UNDECIDED_MS * clock.speed;
      await lookBack(one, parts);
      one.backfillFailures = 0;
      if (!one.watch.backfillDone) return clock.now();
      if (one.watch.state === 'backfilling') await stand(one, standingOf(one.watch));
      return undefined;
    } catch (error) {
      return failed(one, error);
    }
  }
}
