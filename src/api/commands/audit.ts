import { sortableId } from '../../domain/ids.ts';
import type { AuditEntry } from '../../ports/store/audit.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';

/**
 * An entry for the audit trail, made before the transaction that adds it (`tx.audit.add`): so that a work that is run
 * again adds it once. `details` holds no payloads.
 */
export function auditEntry(
  deps: Pick<CommandDeps, 'clock' | 'random'>,
  caller: Pick<Caller, 'tenant' | 'ref'>,
  what: Pick<AuditEntry, 'action' | 'target' | 'details'>,
): AuditEntry {
  const at = deps.clock.now();
  return { id: sortableId('aud', at, deps.random.bytes(10)), tenant: caller.tenant, at, by: caller.ref, ...what };
}
