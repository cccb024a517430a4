import type { StatusReport, StatusView } from '../../contracts/http/status.ts';
import type { ReadTx } from '../../ports/store.ts';
import { type Caller, operatesInstallation } from '../auth.ts';
import { conservationView, pauseText, pauseView, visiblePauses } from './control.ts';

const IN_PROGRESS = ['seen', 'collected'];

/** The app's report with what the store knows: mails, conservation, pauses, open dead letters, endpoints, feed. */
export async function statusView(tx: ReadTx, caller: Caller, report: StatusReport): Promise<StatusView> {
  const byDisposition = await tx.mails.count(caller.tenant, caller.traveller);
  const accepted = Object.values(byDisposition).reduce((sum, count) => sum + count, 0);
  const inProgress = IN_PROGRESS.reduce((sum, name) => sum + (byDisposition[name as 'seen'] ?? 0), 0);
  const failed = byDisposition.failed ?? 0;
  const endpoints = await tx.accounts.listEndpoints(caller.tenant);
  const deadLettersOpen = await tx.deadLetters.count(caller.tenant, { state: 'open' });
  const bounds = await tx.itineraries.feedBounds(caller.tenant);
  const done = doneOf(byDisposition);
  const pauses = visiblePauses(await tx.control.pauses(), caller);
  const balances = await tx.conservation.balances(operatesInstallation(caller) ? undefined : caller.tenant);
  return {
    ...report,
    stages: report.stages.map((stage) => {
      const pause = pauses.find(({ kind, id }) => kind === 'stage' && id === stage.name);
      return pause === undefined ? stage : { ...stage, paused: pauseView(pause, caller) };
    }),
    providers: report.providers.map((one) => {
      const pause = pauses.find(({ kind, id }) => kind === 'provider' && id === one.account);
      const detail = caller.scopes.includes('operate') && pause !== undefined ? { detail: pauseText(pause) } : {};
      return pause === undefined ? one : { ...one, state: 'paused', ...detail };
    }),
    mails: {
      accepted,
      done,
      failed,
      inProgress,
      byDisposition: { ...byDisposition },
      conserved: accepted === done + failed + inProgress,
    },
    deadLettersOpen,
    paused: pauses.map((pause) => pauseView(pause, caller)),
    conservation: caller.traveller === undefined ? balances.map(conservationView) : [],
    endpoints: {
      active: endpoints.filter((one) => one.state === 'active').length,
      disabled: endpoints.filter((one) => one.state === 'disabled').length,
    },
    feed: { first: bounds.first, last: bounds.last },
  };
}

/** Counted by name, so that a disposition nobody thought of breaks the law visibly. */
function doneOf(by: Readonly<Record<string, number>>): number {
  return DONE.reduce((sum, name) => sum + (by[name] ?? 0), 0);
}

const DONE = [
  'imported',
  'nothing-found',
  'merged',
  'skipped',
  'duplicate',
  'needs-you',
  'too-large',
  'vanished',
  'quarantined',
] as const;
