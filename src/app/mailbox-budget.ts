import { TripwatchError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { MailboxConnector, MailboxKind } from '../ports/mailbox.ts';

/** However long a server wants us to wait. */
const HELD_OFF_MS_MAX = 3_600_000;

/**
 * What protects an account from us, beside the sessions of src/stages/watch/sessions.ts, for one process: once its server
 * says that there are too many connections, nobody opens another before the time that it says, whoever was told.
 */
export function heldOff(connector: MailboxConnector, clock: Pick<Clock, 'now'>): MailboxConnector {
  const held = new Map<string, { readonly error: TripwatchError; readonly until: number }>();
  return {
    ...connector,
    open: async (account, signal) => {
      const key = `${account.tenant}/${account.mailbox}`;
      const before = held.get(key);
      if (before !== undefined && before.until > clock.now()) throw before.error;
      held.delete(key);
      try {
        return await connector.open(account, signal);
      } catch (error) {
        if (error instanceof TripwatchError && error.kind === 'rate-limited') {
          const until = Math.min(error.retryAt ?? 0, clock.now() + HELD_OFF_MS_MAX);
          held.set(key, { error, until });
        }
        throw error;
      }
    },
  };
}

/** Looks that people ask for: one at an account at a time, by whatever mailbox it is known here. */
export class Looks {
  readonly #open = new Set<string>();

  /** Errors: `rate-limited` `mailbox-limited` while another look is under way; those of `look`. */
  async one<T>(
    kind: MailboxKind,
    settings: Readonly<Record<string, unknown>>,
    user: string,
    look: () => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([kind, settings.host ?? settings.url, user]).toLowerCase();
    if (this.#open.has(key))
      throw new TripwatchError(
        'rate-limited',
        'mailbox-limited',
        `The mailbox of ${user} is being looked into at this moment, and one connection at a time is enough. Try again ` +
          'in a minute.',
      );
    this.#open.add(key);
    try {
      return await look();
    } finally {
      this.#open.delete(key);
    }
  }
}
