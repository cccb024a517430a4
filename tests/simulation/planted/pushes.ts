import type { MailboxId } from '../../../src/domain/ids.ts';
import type { MailboxConnector, MailboxSession } from '../../../src/ports/mailbox.ts';
import type { MailboxPlan } from '../../../src/simulation/plan.ts';
import { connected } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of those whom mail providers call. */

const HOUR = 3_600_000;
const hours = (...all: readonly number[]): readonly number[] => all.map((hour) => hour * HOUR);
/** Mailboxes whose provider calls us, where this goes wrong and nothing else. */
const called = (faults: Partial<MailboxPlan> = {}) => connected({ push: 'request', ...faults });

interface Notices {
  readonly value: readonly {
    readonly clientState: string;
    readonly place?: { readonly validity: number; readonly uid: number };
  }[];
}

export const PUSH_BUGS: readonly PlantedBug[] = [
  {
    name: 'a subscription is never prolonged, and what nobody is told of is never looked for',
    breaks: ['I9'],
    plan: called({ subscriptionMs: HOUR }),
    planted: () => ({
      mailboxes: (connector) => {
        const told = new Set<string>();
        return {
          ...sessionsOf(connector, (session, mailbox) => ({
            ...session,
            subscribe: async (...given) => {
              // What a subscription begins with is looked at.
              told.add(mailbox);
              return { ...(await session.subscribe!(...given)), renewAt: Number.MAX_SAFE_INTEGER };
            },
            live: async (query, signal) =>
              told.delete(mailbox) ? session.live(query, signal) : { mails: [], cursor: query.cursor, more: false },
          })),
          receivePush: async (push) => {
            const verdict = await connector.receivePush!(push);
            if (verdict.kind === 'hint') for (const mailbox of verdict.mailboxes ?? []) told.add(mailbox);
            return verdict;
          },
        };
      },
    }),
  },
  {
    name: 'a subscription that has ended is prolonged again and again, and no other made',
    breaks: ['I16'],
    plan: called({ lapses: hours(4, 5, 6, 7, 8, 9, 10, 11) }),
    planted: () => ({
      mailboxes: (connector) =>
        sessionsOf(connector, (session) => ({
          ...session,
          subscribe: async (state, signal) =>
            state === undefined ? session.subscribe!(state, signal) : { state, renewAt: Number.MAX_SAFE_INTEGER },
        })),
    }),
  },
  {
    name: 'a forged push is believed',
    breaks: ['I24'],
    plan: called({ forgeries: hours(2, 4, 6, 8, 10, 11) }),
    planted: () => ({
      mailboxes: (connector) => ({
        ...connector,
        receivePush: async (push) => {
          const verdict = await connector.receivePush!(push);
          const mailbox = mailboxOf(push.body);
          return mailbox === undefined ? verdict : { kind: 'hint', accounts: [], mailboxes: [mailbox] };
        },
      }),
    }),
  },
  {
    name: 'a push is taken for the truth: what it names is read, and all before counts as read',
    breaks: ['I9'],
    plan: called({ pushLoss: 0.6 }),
    planted: () => ({
      mailboxes: (connector) => {
        const named = new Map<string, NonNullable<Notices['value'][number]['place']>>();
        return {
          ...sessionsOf(connector, (session, mailbox) => ({
            ...session,
            live: (query, signal) => {
              const place = named.get(mailbox);
              named.delete(mailbox);
              const cursor = place && JSON.stringify({ INBOX: { ...place, uid: place.uid - 1 } });
              return session.live({ ...query, cursor: cursor ?? query.cursor }, signal);
            },
          })),
          receivePush: async (push) => {
            const verdict = await connector.receivePush!(push);
            const mailbox = verdict.kind === 'hint' ? mailboxOf(push.body) : undefined;
            const place = mailbox && noticesOf(push.body)?.value[0]?.place;
            if (mailbox !== undefined && place !== undefined) named.set(mailbox, place);
            return verdict;
          },
        };
      },
    }),
  },
];

function sessionsOf(
  connector: MailboxConnector,
  change: (session: MailboxSession, mailbox: MailboxId) => MailboxSession,
): MailboxConnector {
  return {
    ...connector,
    open: async (account, signal) => change(await connector.open(account, signal), account.mailbox),
  };
}

function noticesOf(body: Uint8Array): Notices | undefined {
  try {
    return JSON.parse(Buffer.from(body).toString()) as Notices;
  } catch {
    return undefined;
  }
}

/** Whom it says to be about, proven or not. */
function mailboxOf(body: Uint8Array): MailboxId | undefined {
  return noticesOf(body)?.value[0]?.clientState?.split('.')[0] as MailboxId | undefined;
}
