import { TripwatchError } from '../../domain/errors.ts';
import type { MailFetcher } from '../../ports/mail-fetcher.ts';
import type { MailboxSessions } from './sessions.ts';

/**
 * Fetches over the sessions of this process: that of the watcher where the mailbox is watched here, one of its own where it
 * is watched elsewhere.
 */
export function createMailFetcher(sessions: Pick<MailboxSessions, 'use'>): MailFetcher {
  return {
    fetch: async ({ tenant, mailbox, ref, backfill }, bytesMax, signal) => {
      try {
        return await sessions.use(
          { tenant, mailbox },
          backfill ? 'work' : 'live',
          (session, until) => session.fetch(ref, bytesMax, until),
          signal,
        );
      } catch (error) {
        if (error instanceof TripwatchError && error.code === 'mailbox-not-connected') return { kind: 'vanished' };
        throw error;
      }
    },
  };
}
