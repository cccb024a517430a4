import type { Figures } from '../api/metrics.ts';
import type { Pipeline } from './pipeline.ts';

/** What this process knows of itself, as `GET /metrics` shows it. */
export async function figuresOf(
  { runtime, conservation, relayLag, trackers }: Pick<Pipeline, 'runtime' | 'conservation' | 'relayLag' | 'trackers'>,
  now: number,
): Promise<Figures> {
  const relay = await relayLag?.();
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
    providers: trackers().flatMap((tracker) => tracker.status()),
    ...(relay === undefined
      ? {}
      : { relay: { waiting: relay.waiting, oldestMs: Math.max(0, now - (relay.oldestAt ?? now)) } }),
  };
}
