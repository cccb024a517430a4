import type { PauseWork } from '../../contracts/http/control.ts';
import type { MailboxId, TenantId } from '../../domain/ids.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Pause } from '../../ports/store/control.ts';
import type { ReadTx } from '../../ports/store.ts';
import { type Caller, operatesInstallation } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { visiblePauses } from '../views/control.ts';
import { auditEntry } from './audit.ts';

/** Pausing and resuming stages, provider accounts, mailboxes and tenants: what REST and the command line both do. */

/** Names listed in an error at most. */
const NAMED_MAX = 20;

/**
 * Stops the work until it is resumed; every process knows within two seconds. What runs may finish. A paused mailbox
 * refuses mails for now as well. Paused already: the first pause stands, and is returned. Errors: `not-found` for what
 * there is not, naming what there is; `scope-missing` for what is not the caller's.
 */
export async function pauseWork(
  deps: CommandDeps,
  caller: Caller,
  { kind, id, reason }: PauseWork,
): Promise<{ readonly pause: Pause; readonly new: boolean }> {
  const tenant = ownerOf(caller, kind, id);
  const pause: Pause = { kind, id, tenant, reason, by: caller.ref, at: deps.clock.now() };
  const entry = auditEntry(deps, caller, { action: `${kind}.pause`, target: id, details: { reason } });
  return deps.store.transact(async (tx) => {
    const known = await namesOf(tx, deps, caller, kind);
    if (!known.includes(id)) throw unknown(kind, id, known);
    const isNew = await tx.control.pause(pause);
    if (!isNew) {
      const standing = (await tx.control.pauses()).find((one) => isSame(one, pause));
      return { pause: standing ?? pause, new: false };
    }
    if (kind === 'mailbox') await tx.accounts.setMailboxState(caller.tenant, id as MailboxId, 'paused');
    await tx.audit.add(entry);
    return { pause, new: true };
  });
}

/**
 * Goes on: a stage or provider within two seconds, a tenant or mailbox within twenty. Errors: `not-found` for what is not
 * paused; `scope-missing`.
 */
export async function resumeWork(
  deps: CommandDeps,
  caller: Caller,
  { kind, id }: Pick<PauseWork, 'kind' | 'id'>,
): Promise<Pause> {
  const tenant = ownerOf(caller, kind, id);
  const now = deps.clock.now();
  const entry = auditEntry(deps, caller, { action: `${kind}.resume`, target: id, details: {} });
  return deps.store.transact(async (tx) => {
    const ended = (await tx.control.resume({ kind, id, tenant })) ?? (await refusing(tx, caller, kind, id, now));
    if (ended === undefined) {
      const paused = visiblePauses(await tx.control.pauses(), caller).filter((one) => one.kind === kind);
      const known = await namesOf(tx, deps, caller, kind);
      if (!known.includes(id)) throw unknown(kind, id, known);
      const which = paused.length === 0 ? 'None is.' : `Paused are ${paused.map((one) => one.id).join(', ')}.`;
      throw new Problem('not-found', `The ${kind} ${id} is not paused. ${which}`);
    }
    if (kind === 'mailbox') await setActive(tx, caller.tenant, id as MailboxId);
    await tx.audit.add({ ...entry, details: { since: ended.at, reason: ended.reason } });
    return ended;
  });
}

/** A mailbox whose mails were refused before there were pauses. */
async function refusing(
  tx: ReadTx,
  caller: Caller,
  kind: Pause['kind'],
  id: string,
  now: number,
): Promise<Pause | undefined> {
  if (kind !== 'mailbox') return undefined;
  const mailbox = (await tx.accounts.listMailboxes(caller.tenant)).find((one) => one.id === id);
  if (mailbox?.state !== 'paused') return undefined;
  return { kind, id, tenant: caller.tenant, reason: '', by: caller.ref, at: now };
}

/** One that was removed meanwhile stays so. */
async function setActive(tx: ReadTx, tenant: TenantId, id: MailboxId): Promise<void> {
  const mailbox = (await tx.accounts.listMailboxes(tenant)).find((one) => one.id === id);
  if (mailbox?.state === 'paused') await tx.accounts.setMailboxState(tenant, id, 'active');
}

/** Whose the thing is; undefined: the installation's. Errors: `scope-missing`. */
function ownerOf(caller: Caller, kind: Pause['kind'], id: string): TenantId | undefined {
  if (caller.traveller !== undefined)
    throw new Problem('scope-missing', 'A token of one traveller cannot do this; use one of the whole tenant.');
  if (kind === 'mailbox') return caller.tenant;
  if (kind === 'tenant' && id === caller.tenant) return caller.tenant;
  if (!operatesInstallation(caller))
    throw new Problem(
      'scope-missing',
      kind === 'tenant'
        ? `A token of ${caller.tenant} can pause this tenant and its mailboxes, no other.`
        : `The ${kind} serves all tenants: only the operator of the installation may pause it.`,
    );
  return kind === 'tenant' ? (id as TenantId) : undefined;
}

async function namesOf(
  tx: ReadTx,
  { stages, config }: Pick<CommandDeps, 'stages' | 'config'>,
  caller: Caller,
  kind: Pause['kind'],
): Promise<readonly string[]> {
  switch (kind) {
    case 'stage':
      return stages ?? [];
    case 'provider':
      return config.providers.map((one) => one.account);
    case 'mailbox':
      return (await tx.accounts.listMailboxes(caller.tenant))
        .filter((one) => one.state !== 'removed')
        .map((one) => one.id);
    case 'tenant':
      return operatesInstallation(caller) ? tx.control.tenants() : [caller.tenant];
  }
}

function unknown(kind: Pause['kind'], id: string, known: readonly string[]): Problem {
  const names = known.slice(0, NAMED_MAX).join(', ');
  const rest = known.length > NAMED_MAX ? ', …' : '';
  const list = known.length === 0 ? ' There is none.' : ` There are ${names}${rest}.`;
  return new Problem('not-found', `There is no ${kind} ${JSON.stringify(id)}.${nearest(id, known)}${list}`);
}

const isSame = (one: Pause, other: Pick<Pause, 'kind' | 'id' | 'tenant'>): boolean =>
  one.kind === other.kind && one.id === other.id && one.tenant === other.tenant;
