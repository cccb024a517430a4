import type { SqlStore, SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import { kindOf, TripwatchError } from '../../../src/domain/errors.ts';
import type { MailboxConnector, MailboxSession } from '../../../src/ports/mailbox.ts';
import type { TransactOptions } from '../../../src/ports/store.ts';
import { around } from '../../contract/broker/rig.ts';
import { connected, crashing, failingStore, pausing, withTx } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of those who watch connected mailboxes. */
export const MAILBOX_BUGS: readonly PlantedBug[] = [
  {
    name: 'cursor before ledger: the cursor of a mailbox is stored, and then the mails before it',
    breaks: ['I9'],
    plan: (plan) => connected()(crashing(plan)),
    planted: () => ({
      store: (store, life) =>
        watching(store, async (work, options) => {
          await store.transact((tx) => work(onlyCursor(tx)), options);
          await life.wait(10 * MINUTE);
          return store.transact((tx) => work(withoutCursor(tx)), options);
        }),
    }),
  },
  {
    name: 'a page of mails that could not be stored is passed over',
    breaks: ['I9'],
    plan: (plan) => connected()(failingStore(plan)),
    planted: () => ({
      store: (store) =>
        watching(store, (work, options) =>
          store.transact(work, options).catch(() => store.transact((tx) => work(onlyCursor(tx)), options)),
        ),
    }),
  },
  {
    name: 'no fence on the cursor of a mailbox',
    breaks: ['I5'],
    plan: (plan) => connected({ news: 40 })(pausing(plan)),
    planted: () => ({
      database: (store) => watching(store, (work, options) => store.transact(work, { ...options, fence: undefined })),
    }),
  },
  {
    name: 'a mail that is listed again counts as a new one',
    breaks: ['I9'],
    plan: connected({ repeats: 1, again: 0.5 }),
    planted: () =>
      withTx((tx) => ({
        ...tx,
        mails: { ...tx.mails, add: async (...given) => ({ ...(await tx.mails.add(...given)), new: true }) },
      })),
  },
  {
    name: 'a mail that has come back is still said to be gone',
    breaks: ['I9', 'I16'],
    plan: connected({ vanish: 0.5 }),
    planted: () =>
      withTx((tx) => ({
        ...tx,
        mails: { ...tx.mails, add: async (...given) => ({ ...(await tx.mails.add(...given)), disposition: 'seen' }) },
      })),
  },
  {
    name: 'when the numbers of a folder begin anew, the watch begins at the end',
    breaks: ['I9', 'I16'],
    plan: (plan) => connected({ pushLoss: 0.5, resets: [6, 7, 8, 9].map((hour) => hour * HOUR), news: 40 })(plan),
    planted: () => ({
      mailboxes: (connector) =>
        sessionsOf(connector, (session) => ({
          ...session,
          live: async (query, signal) => {
            const page = await session.live(query, signal);
            return page.reset === undefined
              ? page
              : { ...page, mails: [], cursor: await session.begin(signal), more: false };
          },
        })),
    }),
  },
  {
    name: 'what nobody is told of is never looked for',
    breaks: ['I9', 'I16'],
    plan: connected({ pushLoss: 0.7 }),
    planted: () => ({
      mailboxes: (connector) =>
        sessionsOf(connector, (session) => {
          let told = true;
          return {
            ...session,
            listen: (wake, signal) => {
              const heard = (): void => {
                told = true;
                wake();
              };
              return session.listen!(heard, signal);
            },
            live: async (query, signal) => {
              if (!told) return { mails: [], cursor: query.cursor, more: false };
              told = false;
              return session.live(query, signal);
            },
          };
        }),
    }),
  },
  {
    name: 'the last mail of a page is lost',
    breaks: ['I9', 'I16'],
    plan: connected(),
    planted: () => ({
      mailboxes: (connector) =>
        sessionsOf(connector, (session) => ({
          ...session,
          live: async (...given) => {
            const page = await session.live(...given);
            return { ...page, mails: page.mails.slice(0, -1) };
          },
        })),
    }),
  },
  {
    name: 'a short page of older mails is taken for the last',
    breaks: ['I9', 'I16'],
    plan: connected({ shortPages: 1 }),
    planted: () => ({
      mailboxes: (connector) =>
        sessionsOf(connector, (session) => ({
          ...session,
          backfill: async (...given) => ({ ...(await session.backfill(...given)), more: false }),
        })),
    }),
  },
  {
    name: 'a password that was refused is offered again and again',
    breaks: ['I13'],
    plan: (plan) => connected({ expiries: [{ from: 0.2 * plan.hours * HOUR, to: 0.8 * plan.hours * HOUR }] })(plan),
    planted: () => ({
      mailboxes: (connector) => ({
        ...connector,
        open: (account, signal) =>
          connector.open(account, signal).catch((error: unknown) => {
            if (kindOf(error) !== 'unauthorised') throw error;
            throw new TripwatchError('transient', 'mailbox-failed', 'It was refused, as anything may be.');
          }),
      }),
    }),
  },
];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The store, with what a watcher writes under its lease done otherwise. */
function watching(
  store: SqlStore,
  otherwise: <T>(work: (tx: SqlTx) => Promise<T>, options: TransactOptions | undefined) => Promise<T>,
): SqlStore {
  return around(store, (work, options) =>
    options?.fence?.resource.startsWith('mailbox/') ? otherwise(work, options) : store.transact(work, options),
  );
}

/** As if all mails were stored already. */
function onlyCursor(tx: SqlTx): SqlTx {
  return {
    ...tx,
    append: async () => [],
    mails: {
      ...tx.mails,
      add: async ({ id }) => ({ new: true, id, disposition: 'seen', timesSeen: 1 }),
      update: async () => true,
    },
    watches: { ...tx.watches, progress: (ref, progress) => tx.watches.progress(ref, { ...progress, seen: 0 }) },
  };
}

function withoutCursor(tx: SqlTx): SqlTx {
  return {
    ...tx,
    watches: { ...tx.watches, progress: (ref, { seen = 0 }) => tx.watches.progress(ref, { seen }) },
  };
}

function sessionsOf(
  connector: MailboxConnector,
  change: (session: MailboxSession) => MailboxSession,
): MailboxConnector {
  return { ...connector, open: async (...given) => change(await connector.open(...given)) };
}
