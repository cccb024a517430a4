import { createClock } from '../../../src/adapters/clock/system.ts';
import { createHttpLine } from '../../../src/adapters/provider/http/line.ts';
import type { Credentials, MailboxAccount } from '../../../src/ports/mailbox.ts';
import { MailBox } from '../../../src/sandbox/mailboxes/box.ts';
import type { MailboxRig } from './rig.ts';

/** What the rigs of mailboxes behind HTTP APIs share. */
export const clock = createClock();
export const GOOD = 'good-access-token-for-tests';

export const token = (accessToken: string): Credentials => ({ kind: 'token', user: 'me@mailbox.example', accessToken });

export function account(settings: Readonly<Record<string, unknown>>): MailboxAccount {
  return { mailbox: 'mbx_contract', tenant: 'tnt_contract', settings, credentials: async () => token(GOOD) };
}

/** Numbers the mailboxes, so that no two tests share ids. */
let boxes = 0;
export const freshBox = (): MailBox => new MailBox('me@mailbox.example', `contract-${++boxes}`);
export const freshLine = () => createHttpLine({ clock, deadlineMs: 5000 });

/** What the outside does to the mailbox. */
export function outside(box: MailBox): Pick<MailboxRig, 'deliver' | 'remove' | 'loseHistory'> {
  return {
    deliver: async (mails, receivedAt) => {
      for (const bytes of mails) box.deliver(bytes, receivedAt ?? Date.now());
    },
    remove: async (messageId) => box.remove(box.find(messageId)!.id),
    loseHistory: async () => box.expireHistory(),
  };
}
