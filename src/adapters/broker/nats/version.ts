import { TripwatchError } from '../../../domain/errors.ts';
import type { Logger } from '../../../ports/logger.ts';

/** Older ones ignore settings that we rely on, or have lost acknowledged messages when they were killed. */
const NEEDED = [2, 10, 23] as const;
/** From here on the known losses after kills and elections are mended. */
const ADVISED = [2, 12, 3] as const;

/** Errors: `permanent` `broker-version`. */
export function checkVersion(version: string | undefined, logger: Logger): void {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/
    .exec(version ?? '')
    ?.slice(1)
    .map(Number);
  if (parts === undefined || isBefore(parts, NEEDED))
    throw new TripwatchError(
      'permanent',
      'broker-version',
      `NATS ${version ?? 'of unknown version'} is too old: ${NEEDED.join('.')} is needed, ${ADVISED.join('.')} or newer advised. Upgrade nats-server.`,
    );
  if (isBefore(parts, ADVISED))
    logger.warn(
      { version, advised: ADVISED.join('.') },
      'this version of NATS is known to lose acknowledged messages in rare cases; they are found and published again, but upgrade it',
    );
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return (a[i] ?? 0) < (b[i] ?? 0);
  return false;
}
