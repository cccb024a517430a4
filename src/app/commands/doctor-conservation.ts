import { pauseText } from '../../api/views/control.ts';
import { CONSERVATION_MS, UNATTENDED_MS } from '../../domain/limits.ts';
import type { Pause } from '../../ports/store/control.ts';
import { findAlarms } from '../../runtime/conservation-alarms.ts';
import { conservationNow } from '../../runtime/conservation-now.ts';
import { Pauses } from '../../runtime/pauses.ts';
import { STAGES } from '../../stages/stages.ts';
import type { Core } from '../core.ts';
import { age, printable } from '../terminal/style.ts';
import type { Finding } from './doctor.ts';

/** Lost events and tenants that are named. */
const NAMED_MAX = 5;

/** Whether everything accepted is accounted for, from the store itself; and what nobody attends to. */
export async function conservationFindings(core: Core, running: boolean, now: number): Promise<readonly Finding[]> {
  const { store, clock, config, logger } = core;
  const { shards } = store;
  const paused = new Pauses({ store, clock, logger });
  await paused.look();
  const names = config.providers.map((one) => one.account);
  const accounts = names.length === 0 ? undefined : names;
  const { state, alarms } = await store.read(async (tx) => ({
    state: await conservationNow(tx, { consumers: STAGES, shards, now }),
    alarms: await findAlarms(tx, {
      ...{ now, speed: clock.speed, shards, consumers: STAGES, accounts, paused, attended: running },
    }),
  }));
  const sum = (of: 'accepted' | 'done' | 'failed' | 'inProgress' | 'lost' | 'recovered'): number =>
    state.balances.reduce((total, one) => total + one[of], 0);
  const off = state.balances.filter((one) => one.accepted !== one.done + one.failed + one.inProgress);
  const findings: Finding[] = [];
  if (off.length === 0)
    findings.push({
      state: 'ok',
      what: `balanced: ${sum('accepted')} events accepted (once for each stage) = ${sum('done')} done + ${sum('failed')} failed + ${sum('inProgress')} in progress`,
    });
  for (const one of off.slice(0, NAMED_MAX)) {
    const { tenant, accepted, done, failed, inProgress, lost } = one;
    const unexplained = accepted - done - failed - inProgress - lost;
    findings.push({
      state: 'bad',
      what:
        `not balanced for ${printable(tenant)}: ${accepted} events accepted, but ${done} done + ${failed} failed + ` +
        `${inProgress} in progress; ${lost} are lost${unexplained === 0 ? '' : `, ${unexplained} are not accounted for`}`,
      remedy:
        unexplained !== 0
          ? 'the books are wrong, which is a fault of ours: please report this line'
          : running
            ? `the service puts lost events back within ${age(CONSERVATION_MS)}; doctor again then`
            : 'tripwatch up puts lost events back within a minute',
    });
  }
  if (off.length > NAMED_MAX) findings.push({ state: 'bad', what: `and ${off.length - NAMED_MAX} more tenants` });
  if (state.lost.length > 0) {
    const named = state.lost.slice(0, NAMED_MAX).map((one) => `${one.eventId} for ${one.consumer}/${one.shard}`);
    findings.push({ state: 'note', what: `lost: ${named.join(', ')}${state.lost.length > NAMED_MAX ? ', …' : ''}` });
  }
  if (sum('recovered') > 0)
    findings.push({
      state: 'note',
      what: `${sum('recovered')} events had been lost since this installation was made, and were put back`,
      remedy: 'the log of the service says when and which',
    });
  if (running && state.checkedAt !== undefined && now - state.checkedAt > UNATTENDED_MS * clock.speed)
    findings.push({
      state: 'note',
      what: `the processes last checked all shards ${age((now - state.checkedAt) / clock.speed)} ago`,
      remedy: 'every shard that is worked on is checked once a minute: see which stages nobody runs',
    });
  findings.push(...alarms.map(({ severity, what, remedy }) => ({ state: severity, what: printable(what), remedy })));
  return findings;
}

/** What operators have paused. */
export function pauseFindings(pauses: readonly Pause[]): readonly Finding[] {
  return pauses.map((pause) => ({
    state: 'note',
    what: `${pause.kind} ${printable(pause.id)} is ${printable(pauseText(pause))}`,
    remedy: `tripwatch resume ${pause.kind} ${printable(pause.id)}`,
  }));
}
