import type { Clock } from '../../../ports/clock.ts';
import type { MailboxConnector } from '../../../ports/mailbox.ts';
import type { HttpLine } from '../../provider/http/line.ts';
import { createUnitBudget, type UnitBudget } from '../api/budget.ts';
import { createCalls } from '../api/calls.ts';
import { createGmailApi } from './api.ts';
import { explainGmail } from './failures.ts';
import { createLabels } from './labels.ts';
import { type GmailPushOptions, receiveGmailPush } from './push.ts';
import { createGmailSession } from './session.ts';

export interface GmailOptions {
  readonly clock: Clock;
  readonly line: HttpLine;
  /** Default: Google's. */
  readonly url?: string;
  /** Pub/Sub topic that Gmail publishes to, and how its pushes prove themselves. Absent: no push, mailboxes are looked at. */
  readonly push?: GmailPushOptions & { readonly topic: string };
  /** Quota of one mailbox. Default: Google's of today; older projects have 15,000. */
  readonly unitsPerMinute?: number;
}

/** Google's own figure for one user of a project. */
export const UNITS_PER_MINUTE = 6000;
/** Part of it that is used: other processes of ours read the same mailbox. */
const UNITS_SHARE = 0.8;
const SESSIONS_MAX = 10;
/** Mailboxes whose budgets are remembered. */
const BUDGETS_MAX = 10_000;

/** Gmail by its API: the scope `gmail.readonly` is enough. */
export function createGmailConnector(options: GmailOptions): MailboxConnector {
  const { clock, line, push } = options;
  const base = (options.url ?? 'https://gmail.googleapis.com').replace(/\/+$/, '');
  const budgets = new Map<string, UnitBudget>();
  const budgetOf = (mailbox: string): UnitBudget => {
    const unitsPerMinute = (options.unitsPerMinute ?? UNITS_PER_MINUTE) * UNITS_SHARE;
    const budget = budgets.get(mailbox) ?? createUnitBudget({ clock, unitsPerMinute });
    budgets.delete(mailbox);
    budgets.set(mailbox, budget);
    if (budgets.size > BUDGETS_MAX) budgets.delete(budgets.keys().next().value!);
    return budget;
  };
  return {
    kind: 'gmail',
    label: 'Gmail',
    capabilities: { push: push === undefined ? 'none' : 'request', sessionsMax: SESSIONS_MAX },
    open: async (account, signal) => {
      const ended = new AbortController();
      const calls = createCalls({ line, clock, account, closed: ended.signal, explain: explainGmail });
      const api = createGmailApi(calls, base, budgetOf(`${account.tenant}/${account.mailbox}`));
      // The cheapest call that needs the right to read.
      await api.profile(signal);
      return {
        ...createGmailSession({
          api,
          labels: createLabels(api, account.settings),
          topic: push?.topic,
          now: () => clock.now(),
        }),
        closed: ended.signal,
        close: async () => ended.abort(),
      };
    },
    ...(push === undefined ? {} : { receivePush: (request) => receiveGmailPush(request, push) }),
  };
}
