import { kindOf, TripwatchError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MailboxAccount, MailboxConnector, MailboxKind, MailboxSession } from '../../ports/mailbox.ts';
import type { Watch, WatchRef } from '../../ports/store/watches.ts';
import type { Store } from '../../ports/store.ts';
import { within } from './within.ts';

/** How this process reaches mailboxes: which connectors there are, and what an account signs in with. */
export interface MailboxAccess {
  connector(kind: MailboxKind): MailboxConnector | undefined;
  account(watch: Watch): MailboxAccount;
}

/** `live`: listens, lists and fetches what is new; `work`: what was there before, so that it never stands in the way. */
export type Lane = 'live' | 'work';

export interface SessionsOptions {
  readonly access: MailboxAccess;
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Slot {
  readonly opening: Promise<MailboxSession>;
  readonly ending: AbortController;
  session: MailboxSession | undefined;
  uses: number;
  usedAt: number;
  /** Held by a watcher: stays open while nobody uses it. */
  pinned: boolean;
}

interface Mailbox {
  live: Slot | undefined;
  work: Slot | undefined;
  /** A second connection gains nothing, or is one too many: the live one does everything. */
  readonly shared: boolean;
  /** The server let nobody in: with these credentials it is not asked again until then, however many mails wait for it. */
  refused:
    | { readonly error: TripwatchError; readonly credentials: string | undefined; readonly until: number }
    | undefined;
}

/** Real time. */
const OPEN_MS_MAX = 30_000;
export const IDLE_MS = 60_000;
const REFUSED_MS = 3_600_000;

/**
 * The sessions of this process: one a mailbox, two where it is watched. Whoever watches a mailbox pins its live one;
 * others come and go, closed a minute after their last use. Credentials that were refused are not offered again for an
 * hour, by whomever; a server that allows no more connections is not asked before the time that it says.
 */
export class MailboxSessions {
  readonly #options: SessionsOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #ending = new AbortController();
  #closing = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Open ones, for figures. */
  get size(): number {
    let open = 0;
    for (const { live, work } of this.#mailboxes.values()) open += (live ? 1 : 0) + (work ? 1 : 0);
    return open;
  }

  /** The live session, opened where there is none, and kept until `forget`. `anew`: also with what was refused before. */
  async pin(watch: Watch, signal: AbortSignal, anew = false): Promise<MailboxSession> {
    const mailbox = this.#mailbox(watch);
    if (anew) mailbox.refused = undefined;
    const slot = mailbox.live ?? this.#open(watch, mailbox, 'live');
    slot.pinned = true;
    return this.#opened(slot, signal);
  }

  /**
   * Runs `use` with a session of the lane. Errors: permanent `mailbox-not-connected`; those of the connector; an error
   * that ends a session leaves none behind.
   */
  async use<T>(
    ref: WatchRef,
    lane: Lane,
    use: (session: MailboxSession, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    known?: Watch,
  ): Promise<T> {
    const slot = await this.#slot(ref, lane, known);
    slot.uses++;
    try {
      const session = await this.#opened(slot, signal);
      return await use(session, signal);
    } finally {
      slot.uses--;
      slot.usedAt = this.#options.clock.monotonic();
      if (!slot.pinned) void this.#closeIdle();
    }
  }

  /** Ends the session: it does not answer, or what it was opened with holds no longer. */
  drop(ref: WatchRef, lane?: Lane): void {
    const mailbox = this.#mailboxes.get(keyOf(ref));
    if (mailbox === undefined) return;
    for (const one of lane === undefined ? LANES : [lane]) {
      const slot = mailbox[one];
      mailbox[one] = undefined;
      if (slot !== undefined) end(slot);
    }
    this.#tidy(ref, mailbox);
  }

  /** Nobody watches it here any more, or it is another now: ends its sessions and forgets refusals. */
  forget(ref: WatchRef): void {
    const mailbox = this.#mailboxes.get(keyOf(ref));
    if (mailbox !== undefined) mailbox.refused = undefined;
    this.drop(ref);
  }

  /** Ends those that nobody has used for a while, and forgets old refusals, as long as there are any. */
  async #closeIdle(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { clock } = this.#options;
    const loose = (slot: Slot | undefined): boolean => slot !== undefined && !slot.pinned;
    const some = (): boolean =>
      [...this.#mailboxes.values()].some(({ live, work, refused }) => loose(live) || loose(work) || refused);
    while (some() && !this.#ending.signal.aborted) {
      await clock.sleep((IDLE_MS / 2) * clock.speed, this.#ending.signal).catch(() => undefined);
      this.#endIdle();
    }
    this.#closing = false;
  }

  #endIdle(): void {
    const { clock } = this.#options;
    const before = clock.monotonic() - IDLE_MS * clock.speed;
    for (const [key, mailbox] of this.#mailboxes) {
      for (const lane of LANES) {
        const slot = mailbox[lane];
        if (slot === undefined || slot.pinned || slot.uses > 0 || slot.usedAt > before) continue;
        mailbox[lane] = undefined;
        end(slot);
      }
      const { live, work, refused } = mailbox;
      if (live === undefined && work === undefined && (refused?.until ?? 0) <= clock.now()) this.#mailboxes.delete(key);
    }
  }

  async close(): Promise<void> {
    this.#ending.abort();
    const slots = [...this.#mailboxes.values()].flatMap(({ live, work }) => [live, work]);
    this.#mailboxes.clear();
    await Promise.all(slots.map((slot) => slot && end(slot)));
  }

  async #slot(ref: WatchRef, wanted: Lane, known: Watch | undefined): Promise<Slot> {
    const here = this.#mailboxes.get(keyOf(ref));
    const open = here?.[laneOf(here, wanted)];
    if (open !== undefined) return open;
    const watch = known ?? (await this.#options.store.read((tx) => tx.watches.get(ref.tenant, ref.mailbox)));
    if (watch === undefined) throw notConnected(ref);
    if (watch.state === 'needs-you' && known === undefined)
      throw new TripwatchError('unauthorised', watch.reasonCode, watch.reason);
    const mailbox = this.#mailbox(watch);
    const lane = laneOf(mailbox, wanted);
    // Another may have opened it while the store was read.
    return mailbox[lane] ?? this.#open(watch, mailbox, lane);
  }

  /** Until the signal aborts: others may wait for the same. */
  #opened(slot: Slot, signal: AbortSignal): Promise<MailboxSession> {
    if (slot.session !== undefined) return slot.opening;
    return within(this.#options.clock, OPEN_MS_MAX, signal, 'open the mailbox', () => slot.opening);
  }

  #open(watch: Watch, mailbox: Mailbox, lane: Lane): Slot {
    const { access, clock } = this.#options;
    const ending = new AbortController();
    const opening = (async () => {
      const { refused } = mailbox;
      if (refused !== undefined && refused.credentials === watch.sealedCredentials && refused.until > clock.now())
        throw refused.error;
      const connector = access.connector(watch.kind);
      if (connector === undefined) throw noConnector(watch);
      return within(clock, OPEN_MS_MAX, ending.signal, 'open the mailbox', async (signal) => {
        const session = await connector.open(access.account(watch), signal);
        if (!signal.aborted) return session;
        void session.close();
        throw signal.reason;
      });
    })();
    const slot: Slot = { opening, ending, session: undefined, uses: 0, usedAt: clock.monotonic(), pinned: false };
    mailbox[lane] = slot;
    const gone = (): void => {
      if (mailbox[lane] === slot) mailbox[lane] = undefined;
      this.#tidy(watch, mailbox);
    };
    opening.then(
      (session) => {
        slot.session = session;
        if (ending.signal.aborted) void session.close();
        if (session.closed.aborted) gone();
        else session.closed.addEventListener('abort', gone, { once: true });
      },
      (error: unknown) => {
        const until = heldOffUntil(error, clock.now());
        if (until !== undefined && mailbox.refused?.error !== error)
          mailbox.refused = { error: error as TripwatchError, credentials: watch.sealedCredentials, until };
        gone();
      },
    );
    return slot;
  }

  #mailbox(watch: Watch): Mailbox {
    const key = keyOf(watch);
    const known = this.#mailboxes.get(key);
    if (known !== undefined) return known;
    const capabilities = this.#options.access.connector(watch.kind)?.capabilities;
    const shared = capabilities === undefined || capabilities.push !== 'live' || capabilities.sessionsMax < 2;
    const made: Mailbox = { live: undefined, work: undefined, shared, refused: undefined };
    this.#mailboxes.set(key, made);
    return made;
  }

  #tidy(ref: WatchRef, { live, work, refused }: Mailbox): void {
    if (live === undefined && work === undefined && refused === undefined) this.#mailboxes.delete(keyOf(ref));
  }
}

/** Until when a server that said so is left alone; undefined: the next who comes may try. */
function heldOffUntil(error: unknown, now: number): number | undefined {
  const kind = kindOf(error);
  if (kind === 'unauthorised') return now + REFUSED_MS;
  if (kind !== 'rate-limited' || !(error instanceof TripwatchError)) return undefined;
  return Math.min(error.retryAt ?? now, now + REFUSED_MS);
}

const LANES = ['live', 'work'] as const;
/** A second session only where the mailbox is watched: however many processes fetch mails, each others' place is small. */
const laneOf = ({ shared, live }: Mailbox, wanted: Lane): Lane => (shared || live?.pinned !== true ? 'live' : wanted);
const keyOf = ({ tenant, mailbox }: WatchRef): string => `${tenant}/${mailbox}`;

/** Never throws; what is still opening is broken off. */
async function end(slot: Slot): Promise<void> {
  slot.ending.abort();
  await slot.session?.close();
}

function notConnected({ mailbox }: WatchRef): TripwatchError {
  return new TripwatchError('permanent', 'mailbox-not-connected', `Mailbox ${mailbox} is not connected any more.`);
}

function noConnector({ mailbox, kind }: Watch): TripwatchError {
  return new TripwatchError(
    'permanent',
    'mailbox-kind-unavailable',
    `Mailbox ${mailbox} is read by ${kind}, which this installation is not set up for; see docs/operating/configuration.md.`,
  );
}
