import type { MailboxTestView } from '../../contracts/http/mailboxes.ts';
import type { MailboxView } from '../../contracts/http/views.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { MailboxTest } from '../../ports/mailbox-desk.ts';
import type { Mailbox } from '../../ports/store/accounts.ts';
import type { Disposition } from '../../ports/store/mails.ts';
import type { Watch } from '../../ports/store/watches.ts';
import type { ReadTx } from '../../ports/store.ts';
import type { CommandDeps, PushOffer } from '../deps.ts';
import { mailboxView } from './accounts.ts';
import { defined } from './reservation.ts';

/** Mailboxes of a tenant with how each stands and what came of its mails. Removed ones are left out unless asked for. */
export async function mailboxViews(
  tx: ReadTx,
  mailboxes: readonly Mailbox[],
  deps: NewsDeps,
  removed = false,
): Promise<readonly MailboxView[]> {
  const views: MailboxView[] = [];
  for (const one of mailboxes)
    if (removed || one.state !== 'removed') views.push(await wholeMailboxView(tx, one, deps));
  return views;
}

type NewsDeps = Pick<CommandDeps, 'clock' | 'pushOffer'>;

export async function wholeMailboxView(tx: ReadTx, mailbox: Mailbox, deps: NewsDeps): Promise<MailboxView> {
  const watch = await tx.watches.get(mailbox.tenant, mailbox.id);
  const counts = await tx.mails.countOf(mailbox.tenant, mailbox.id);
  return defined({
    ...mailboxView(mailbox),
    watch: watch === undefined ? undefined : watchView(watch, mailbox, deps),
    mails: mailsView(counts),
  }) as MailboxView;
}

function watchView(watch: Watch, { state }: Mailbox, { clock, pushOffer }: NewsDeps): MailboxView['watch'] {
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
    needsSince: watch.needsSince === undefined ? undefined : isoInstant(watch.needsSince),
    news: pushOffer === undefined ? undefined : newsView(watch, pushOffer(watch.kind), clock.now()),
  }) as MailboxView['watch'];
}

/** How new mails make themselves known. Whatever tells of them, it is looked at besides. */
function newsView(watch: Watch, offer: PushOffer, now: number): NonNullable<MailboxView['watch']>['news'] {
  const looking = (why: string) => ({ by: 'looking', note: `It is looked at every few minutes: ${why}.` }) as const;
  switch (offer.by) {
    case 'connection':
      return { by: 'connection', note: 'Its server says over the open connection when something comes.' };
    case 'looking':
      return looking(offer.missing);
    case 'notices':
      if (watch.pushFault !== undefined)
        return looking(`its provider does not take our wish for notices (${watch.pushFault})`);
      if (watch.subscription === undefined || (watch.renewAt ?? 0) <= now)
        return looking('its provider has yet to be asked for notices');
      return { by: 'notices', note: 'Its provider sends a notice when something comes.' };
  }
}

function mailsView(counts: Readonly<Record<Disposition, number>>): MailboxView['mails'] {
  return {
    seen: Object.values(counts).reduce((sum, n) => sum + n, 0),
    imported: counts.imported,
    needsYou: counts['needs-you'],
    opened: counts.merged + counts.duplicate + counts['nothing-found'],
    skipped: counts.skipped + counts.quarantined + counts['too-large'] + counts.vanished,
    waiting: counts.seen + counts.collected,
    failed: counts.failed,
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
