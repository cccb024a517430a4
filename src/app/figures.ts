import type { Figures } from '../api/metrics.ts';
import type { Conservation } from '../runtime/conservation.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** What this process knows of itself, as `GET /metrics` shows it. */
export async function figuresOf(runtime: Runtime, conservation: Pick<Conservation, 'last'>): Promise<Figures> {
  const { stages, overloaded } = await runtime.status();
  const alarms: Record<string, number> = {};
  for (const { kind, count } of conservation.last?.alarms ?? []) alarms[kind] = (alarms[kind] ?? 0) + count;
  return {
    stages: stages.map((stage) => ({ ...stage, paused: stage.paused !== undefined })),
    overloaded,
    held: runtime.work.held.map((lease) => lease.resource),
    // One who is alone keeps no list.
    workersAlive: Math.max(1, runtime.work.workers.length),
    alarms,
  };
}
