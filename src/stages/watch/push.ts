import { describeError } from '../../domain/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type {
  MailboxConnector,
  MailboxHint,
  MailboxKind,
  MailboxPush,
  MailboxPushVerdict,
} from '../../ports/mailbox.ts';
import type { Watcher } from './watcher.ts';

/** Names that wait to be looked up; what comes beyond them is found by the sweep. */
const WAITING_MAX = 10_000;

export interface MailboxPushParts {
  readonly connectors: readonly Pick<MailboxConnector, 'kind' | 'receivePush'>[];
  readonly watcher: Pick<Watcher, 'pushed'>;
  readonly logger: Logger;
}

export type MailboxPushDesk = (kind: string, push: MailboxPush) => Promise<MailboxPushVerdict | undefined>;

/**
 * Takes pushes of mail providers: verified by the connector, and each only a reason to look. The provider has its answer
 * as soon as the push is verified: whom it wakes is found out behind that, many pushes in one go while one is under way. A
 * push that gets lost here is made good by the sweep. Undefined: pushes of this kind are not taken. Errors of a verdict:
 * transient, where keys that sign pushes cannot be had.
 */
export function createMailboxPushDesk({ connectors, watcher, logger }: MailboxPushParts): MailboxPushDesk {
  const waiting = new Map<MailboxKind, MailboxHint>();
  let waking = false;

  const wake = async (): Promise<void> => {
    if (waking) return;
    waking = true;
    for (let next = waiting.entries().next().value; next !== undefined; next = waiting.entries().next().value) {
      const [kind, hint] = next;
      waiting.delete(kind);
      try {
        await watcher.pushed(kind, hint);
      } catch (error) {
        logger.warn({ kind, ...describeError(error) }, 'a pushed hint was not followed; mailboxes are looked at later');
      }
    }
    waking = false;
  };

  return async (kind, push) => {
    const connector = connectors.find((one) => one.kind === kind);
    if (connector?.receivePush === undefined) return undefined;
    const verdict = await connector.receivePush(push);
    if (verdict.kind === 'hint') {
      const known = waiting.get(connector.kind);
      if ((known?.accounts.length ?? 0) < WAITING_MAX) waiting.set(connector.kind, joined(known, verdict));
      void wake();
    } else if (verdict.kind === 'refused') {
      logger.debug({ kind, code: verdict.code }, 'a push was refused');
    }
    return verdict;
  };
}

function joined(known: MailboxHint | undefined, { accounts, mailboxes = [], renew = [] }: MailboxHint): MailboxHint {
  return {
    accounts: [...new Set([...(known?.accounts ?? []), ...accounts])],
    mailboxes: [...new Set([...(known?.mailboxes ?? []), ...mailboxes])],
    renew: [...new Set([...(known?.renew ?? []), ...renew])],
  };
}
