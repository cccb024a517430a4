import type { MailboxTestView } from '../../contracts/http/mailboxes.ts';
import type { MailboxView } from '../../contracts/http/views.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { MailboxTest } from '../../ports/mailbox-desk.ts';
import type { Mailbox } from '../../ports/store/accounts.ts';
import type { Disposition } from '../../ports/store/mails.ts';
import type { Watch } from '../../ports/store/watches.ts';
import type { ReadTx } from '../../ports/store.ts';
import { mailboxView } from './accounts.ts';
import { defined } from './reservation.ts';

/** Mailboxes of a tenant with how each stands and what came of its mails. Removed ones are left out unless asked for. */
export async function mailboxViews(
  tx: ReadTx,
  mailboxes: readonly Mailbox[],
  removed = false,
): Promise<readonly MailboxView[]> {
  const views: MailboxView[] = [];
  for (const one of mailboxes) if (removed || one.state !== 'removed') views.push(await wholeMailboxView(tx, one));
  return views;
}

export async function wholeMailboxView(tx: ReadTx, mailbox: Mailbox): Promise<MailboxView> {
  const watch = await tx.watches.get(mailbox.tenant, mailbox.id);
  const counts = await tx.mails.countOf(mailbox.tenant, mailbox.id);
  return defined({
    ...mailboxView(mailbox),
    watch: watch === undefined ? undefined : watchView(watch, mailbox),
    mails: mailsView(counts),
  }) as MailboxView;
}

function watchView(watch: Watch, { state }: Mailbox): MailboxView['watch'] {
  const { folders } = watch.settings;
  const paused = { state: 'paused', reasonCode: 'paused', reason: 'It rests until it is resumed; nothing is lost.' };
  const { reasonCode, reason } = watch;
  return defined({
    ...(state === 'paused' ? paused : { state: watch.state, reasonCode, reason }),
    stateAt: isoInstant(watch.stateAt),
    checkedAt: watch.checkedAt === undefined ? undefined : isoInstant(watch.checkedAt),
    since: isoInstant(watch.since),
    folders: Array.isArray(folders) ? folders.map(String) : undefined,
    backfill: defined({ done: watch.backfillDone, left: watch.backfillLeft }),
  }) as MailboxView['watch'];
}

function mailsView(counts: Readonly<Record<Disposition, number>>): MailboxView['mails'] {
  return {
    seen: Object.values(counts).reduce((sum, n) => sum + n, 0),
    imported: counts.imported + counts['needs-you'],
    opened: counts.merged + counts['nothing-found'],
    skipped: counts.skipped + counts.duplicate + counts['too-large'] + counts.vanished,
    waiting: counts.seen + counts.collected,
    failed: counts.failed + counts.quarantined,
  };
}

export function mailboxTestView({ label, push, folders, sample, older }: MailboxTest): MailboxTestView {
  return defined({
    label,
    push,
    folders: folders.map(({ name, role }) => defined({ name, role })),
    sample: sample.map(({ receivedAt, ...mail }) => ({ ...mail, receivedAt: isoInstant(receivedAt) })),
    older,
  }) as MailboxTestView;
}
