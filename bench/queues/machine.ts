import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** CPU time in ticks of 10 ms. */
interface Ticks {
  readonly all: number;
  readonly busy: number;
  /** Of this process and all that it started. */
  readonly own: number;
}

/**
 * How much of the machine others took while a piece of work ran, in percent of all cores: figures of a machine that others
 * use say little. Undefined where the system does not tell (only Linux does).
 */
export async function withOthers<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly othersPercent: number | undefined }> {
  const before = ticks();
  const value = await work();
  const after = ticks();
  return { value, othersPercent: before && after ? othersBetween(before, after) : undefined };
}

/** Waits until others take no more than `percent` of the machine for two seconds; false: they did for all of `ms`. */
export async function untilQuiet(percent: number, ms: number): Promise<boolean> {
  for (const giveUpAt = performance.now() + ms; ; ) {
    const { othersPercent = 0 } = await withOthers(() => delay(2000));
    if (othersPercent <= percent) return true;
    if (performance.now() > giveUpAt) return false;
  }
}

function othersBetween(before: Ticks, after: Ticks): number {
  const busy = after.busy - before.busy - (after.own - before.own);
  return Math.max(0, Math.round((busy / Math.max(1, after.all - before.all)) * 100));
}

function ticks(): Ticks | undefined {
  try {
    const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/).slice(1, 9).map(Number);
    const all = fields.reduce((sum, value) => sum + value, 0);
    // Idle and waiting for a disk.
    return { all, busy: all - fields[3]! - fields[4]!, own: ownTicks() };
  } catch {
    return undefined;
  }
}

function ownTicks(): number {
  const parents = new Map<number, number>();
  const used = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name of the program, in brackets, may contain anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(fields[1]));
      // utime, stime, and those of children that have ended.
      used.set(
        Number(name),
        [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0),
      );
    } catch {
      // It has just ended.
    }
  }
  let sum = 0;
  for (const [pid, time] of used) {
    let up: number | undefined = pid;
    while (up !== undefined && up !== process.pid) up = parents.get(up);
    if (up === process.pid) sum += time;
  }
  return sum;
}
