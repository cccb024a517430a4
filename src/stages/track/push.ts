import type { PushRequest } from '../../ports/provider.ts';
import type { TrackedAccount } from './account.ts';

/** As the API wants it: see ApiDeps.push. */
export type PushAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Messages remembered per account: a provider that repeats does so within minutes. */
const REMEMBERED_MAX = 10_000;

/**
 * Takes pushed messages: verified by the connector, each once, and each only a reason to ask now (`wake`: by the ids of
 * the specs). What the vendor signs is read before all else; what nobody signs is only a hint. A message about a subject that nobody follows is accepted and forgotten.
 */
export function createPushDesk(
  accounts: readonly TrackedAccount[],
  wake: (account: string, specIds: readonly string[], why: 'push' | 'hint') => void,
) {
  const seen = new Map<string, Set<string>>();

  return (account: string, request: PushRequest): PushAnswer | undefined => {
    const tracked = accounts.find((one) => one.account === account);
    if (tracked === undefined) return undefined;
    const { connector } = tracked;
    if (connector.receivePush === undefined) {
      return {
        kind: 'refused',
        code: 'push-not-configured',
        message: `Account "${account}" takes no pushed messages.`,
      };
    }
    const verdict = connector.receivePush(request);
    if (verdict.kind === 'refused') return verdict;
    const known = seen.get(account) ?? new Set<string>();
    seen.set(account, known);
    if (known.has(verdict.pushId)) return { kind: 'accepted' };
    known.add(verdict.pushId);
    for (const oldest of known) {
      if (known.size <= REMEMBERED_MAX) break;
      known.delete(oldest);
    }
    const why = connector.capabilities.push === 'signed' ? 'push' : 'hint';
    if (verdict.wakes.length > 0) wake(account, verdict.wakes, why);
    return { kind: 'accepted' };
  };
}
