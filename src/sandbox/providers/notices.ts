import type { Clock } from '../../ports/clock.ts';

/** Notices that a vendor posts about the day's bookings, as what they tell of happens. */
export interface NoticeDesk {
  /** Posts what has happened up to now and was not posted yet. */
  readonly deliver: (signal: AbortSignal) => Promise<void>;
  /** When the next one after that instant (epoch ms) is due; undefined: no more today. */
  readonly nextAt: (after: number) => number | undefined;
}

/** Where a vendor's notices go. */
export interface Registered {
  readonly url: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Ids of those that an earlier run posted: they do not come again. */
  readonly posted?: ReadonlySet<string>;
  /** Called with the id of each that was taken. */
  readonly onPosted?: (id: string) => void;
}

/** Real time that a vendor waits for whoever takes its notice. */
const PATIENCE_MS = 10_000;

/** Whether it was taken. Never fails: nobody there is not taken. */
export async function postNotice(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Takes what is due at `at` off a list that is in order of time. */
export function takeDue<T extends { readonly at: number }>(open: T[], at: number): T[] {
  const count = open.findIndex((one) => one.at > at);
  return open.splice(0, count < 0 ? open.length : count);
}
