import type { ConservationView, PauseView } from '../../contracts/http/control.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { TenantBalance } from '../../ports/store/conservation.ts';
import type { Pause } from '../../ports/store/control.ts';
import { type Caller, operatesInstallation } from '../auth.ts';

/** What concerns the caller: pauses of the installation's parts, and of its own tenant. */
export function visiblePauses(pauses: readonly Pause[], caller: Caller): readonly Pause[] {
  if (operatesInstallation(caller)) return pauses;
  return pauses.filter(({ tenant }) => tenant === undefined || tenant === caller.tenant);
}

export function pauseView({ kind, id, reason, by, at }: Pause, caller: Caller): PauseView {
  const known = caller.scopes.includes('operate') && caller.traveller === undefined;
  return { kind, id, ...(known ? { reason, by } : {}), since: isoInstant(at) };
}

/** One line: `paused by cli:ada since 2026-12-01T10:00:00.000Z: looking into the parser`. */
export function pauseText({ reason, by, at }: Pause): string {
  return `paused by ${by} since ${isoInstant(at)}: ${reason}`;
}

export function isBalanced({ accepted, done, failed, inProgress }: TenantBalance): boolean {
  return accepted === done + failed + inProgress;
}

export function conservationView(balance: TenantBalance): ConservationView {
  const { checkedAt, marked: _, ...counts } = balance;
  return { ...counts, balanced: isBalanced(balance), checkedAt: isoInstant(checkedAt) };
}
