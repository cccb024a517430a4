import { type Backoff, backoffDelayMs } from '../../domain/backoff.ts';
import { describeError } from '../../domain/errors.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MailboxSession, MailPage } from '../../ports/mailbox.ts';
import { storePage } from './page.ts';
import type { MailboxSessions } from './sessions.ts';
import type { Watched } from './watched.ts';
import { within } from './within.ts';

/** Mails in a page: few enough that a transaction stays short, and that others come between. */
export const LIVE_PAGE_MAX = 50;
/**
 * Few, since new mails, also those of others, stand in line behind what was listed before them; more would read a backlog
 * no faster (`npm run bench -- mailboxes backlog`).
 */
export const BACKFILL_PAGE_MAX = 6;
/** Pages in one look; a mailbox with more comes up again at once, behind the others that are due. */
const LIVE_PAGES_MAX = 4;
/** One page, real ms. */
const PAGE_MS_MAX = 60_000;
const SUBSCRIBE_RETRY: Backoff = { firstDelayMs: 60_000, factor: 2, delayMsMax: 3_600_000 };
/** Notices that a subscription ends may come many at a time, and be repeated. */
const SUBSCRIBE_AGAIN_MS = 10_000;

export interface LaneParts {
  readonly sessions: MailboxSessions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What came since the cursor, page by page. True: read to its end. Errors: of the connector, of the store. */
export async function lookLive(one: Watched, session: MailboxSession, { clock, logger }: LaneParts): Promise<boolean> {
  const { signal } = one.stopping;
  if (one.watch.liveCursor === undefined) {
    const liveCursor = await within(clock, PAGE_MS_MAX, signal, 'read the mailbox', (until) => session.begin(until));
    await one.store.transact((tx) => tx.watches.progress(one.watch, { liveCursor }));
    one.watch = { ...one.watch, liveCursor };
  }
  for (let pages = 0; pages < LIVE_PAGES_MAX; pages++) {
    signal.throwIfAborted();
    const { liveCursor: cursor, since } = one.watch;
    const query = { cursor: cursor!, since, max: LIVE_PAGE_MAX };
    const page = await within(clock, PAGE_MS_MAX, signal, 'read the mailbox', (until) => session.live(query, until));
    if (page.reset !== undefined)
      logger.info({ mailbox: one.watch.mailbox, reset: page.reset }, 'the cursor of a mailbox held no longer');
    if (page.mails.length > 0 || page.cursor !== cursor) await take(one, page, 'live', clock);
    if (!page.more) return true;
  }
  return false;
}

/** One page of what was there before. True: that was the last. Errors: of the connector, of the store. */
export async function lookBack(one: Watched, { sessions, clock, logger }: LaneParts): Promise<boolean> {
  const { since, backfillCursor } = one.watch;
  const query = {
    since,
    max: BACKFILL_PAGE_MAX,
    ...(backfillCursor === undefined ? {} : { cursor: backfillCursor }),
  };
  const page = await sessions.use(
    one.watch,
    'work',
    (session, signal) =>
      within(clock, PAGE_MS_MAX, signal, 'read the mailbox', (until) => session.backfill(query, until)),
    one.stopping.signal,
    one.watch,
  );
  if (page.reset !== undefined)
    logger.info({ mailbox: one.watch.mailbox, reset: page.reset }, 'the older mails of a mailbox are begun anew');
  await take(one, page, 'backfill', clock);
  return !page.more;
}

/** Mails, events and cursor in one transaction, under the lease: the cursor passes no mail without a receipt. */
async function take(one: Watched, page: MailPage, lane: 'live' | 'backfill', clock: Clock): Promise<void> {
  const { since } = one.watch;
  const older = {
    backfillCursor: page.cursor,
    backfillDone: !page.more,
    ...(page.left === undefined ? {} : { backfillLeft: page.left }),
  };
  const progress = lane === 'live' ? { liveCursor: page.cursor } : { ...older, backfillSince: since };
  const fresh = await one.store.transact((tx) => storePage(tx, one.watch, page, lane, progress, clock.now()));
  // Its owner may have gone further back while this was under way: then that lane is where the owner put it.
  const kept = lane === 'live' ? { liveCursor: page.cursor } : one.watch.since === since ? older : {};
  one.watch = { ...one.watch, ...kept, seen: one.watch.seen + fresh };
}

/** Makes the provider call us, or prolongs that, when it is time. A failure leaves the sweep, and is tried again. */
export async function subscribe(
  one: Watched,
  session: MailboxSession,
  { clock, random, logger }: LaneParts & { readonly random: Random },
): Promise<void> {
  const { watch } = one;
  const now = clock.now();
  if (session.subscribe === undefined || now < one.subscribeAt || now < (watch.renewAt ?? 0)) return;
  try {
    const { state, renewAt, name } = await within(
      clock,
      PAGE_MS_MAX,
      one.stopping.signal,
      'subscribe to the mailbox',
      (until) => session.subscribe!(watch.subscription, until),
    );
    const pushName = name ?? pushNameOf(watch.settings);
    const stored = { state, renewAt, ...(pushName === undefined ? {} : { pushName }) };
    await one.store.transact((tx) => tx.watches.subscribed(watch, stored));
    const subscribed = { subscription: state, renewAt, pushName: pushName ?? watch.pushName, pushFault: undefined };
    one.watch = { ...one.watch, ...subscribed };
    one.subscribeFailures = 0;
    one.subscribeAt = now + SUBSCRIBE_AGAIN_MS;
  } catch (error) {
    one.subscribeAt = now + backoffDelayMs(SUBSCRIBE_RETRY, ++one.subscribeFailures, random.number());
    const { code } = describeError(error);
    await note(one, code);
    logger.warn({ mailbox: watch.mailbox, code }, 'no push for a mailbox; it is looked at more often meanwhile');
  }
}

/** Why nothing is pushed, for the owner to see; the sweep goes on in any case. */
async function note(one: Watched, fault: string): Promise<void> {
  if (one.watch.pushFault === fault) return;
  await one.store.transact((tx) => tx.watches.subscribed(one.watch, { fault })).catch(() => undefined);
  one.watch = { ...one.watch, pushFault: fault };
}

function pushNameOf({ address }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof address === 'string' ? address.toLowerCase() : undefined;
}
