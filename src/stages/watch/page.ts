import { hash } from 'node:crypto';
import type { TopicData } from '../../contracts/topics.ts';
import { readHead } from '../../domain/mail/head.ts';
import type { ListedMail, MailPage } from '../../ports/mailbox.ts';
import type { MailRecord } from '../../ports/store/mails.ts';
import type { Watch, WatchProgress } from '../../ports/store/watches.ts';
import type { Tx } from '../../ports/store.ts';
import { mailIdOf, recordHead, type SeenExtra, seenEvent } from './ledger.ts';

/** Parts of a mail that go with its event, at most. */
const PARTS_MAX = 30;
const NAME_CHARS_MAX = 200;

/**
 * Puts a page on the ledger: for each mail its record and `mail.seen`, and how far the lane has come, all in the given
 * transaction. A mail that is there already is counted and nothing else, but for one that had vanished: it has come back,
 * and is decided anew. Returns how many were new.
 */
export async function storePage(
  tx: Tx,
  watch: Watch,
  page: MailPage,
  lane: 'live' | 'backfill',
  progress: WatchProgress,
  now: number,
): Promise<number> {
  let fresh = 0;
  for (const listed of page.mails) {
    const { record, extra } = onLedger(watch, listed, lane, now);
    const added = await tx.mails.add(record, now);
    if (added.new) fresh++;
    else if (added.disposition !== 'vanished') continue;
    const mail = { ...record, id: added.id };
    if (!added.new) await tx.mails.update(mail.tenant, mail.id, CAME_BACK, now);
    const seed = added.new ? mail.id : `${mail.id}/${added.timesSeen}`;
    await tx.append([seenEvent(mail, extra)], { source: 'watch', correlation: mail.id, seed, at: now });
  }
  await tx.watches.progress(watch, { ...progress, seen: fresh });
  return fresh;
}

const CAME_BACK = { disposition: 'seen', reasonCode: 'came-back', reason: 'It is in the mailbox again.' } as const;

function onLedger(
  watch: Watch,
  listed: ListedMail,
  lane: 'live' | 'backfill',
  now: number,
): { readonly record: MailRecord; readonly extra: SeenExtra } {
  const head = readHead(listed.head);
  const headDigest = hash('sha256', listed.head, 'hex');
  const record: MailRecord = {
    id: mailIdOf(watch.tenant, watch.mailbox, `head:${headDigest}`, head.date),
    tenant: watch.tenant,
    traveller: watch.traveller,
    mailbox: watch.mailbox,
    headDigest,
    ref: listed.ref,
    folder: listed.folder,
    size: Math.max(0, Math.trunc(listed.size)),
    ...recordHead(head),
    // The server's clock may be ahead of ours.
    receivedAt: Math.trunc(Math.min(listed.receivedAt, now)),
    via: watch.kind,
  };
  const parts = partsOf(listed);
  return {
    record,
    extra: {
      ...(parts === undefined ? {} : { parts }),
      ...(head.bulk === '' ? {} : { bulk: head.bulk }),
      ...(lane === 'backfill' ? { backfill: true } : {}),
    },
  };
}

function partsOf({ parts }: ListedMail): TopicData<'mail.seen'>['parts'] {
  return parts?.slice(0, PARTS_MAX).map(({ type, name, size }) => ({
    type: type.slice(0, NAME_CHARS_MAX),
    ...(name === undefined ? {} : { name: name.slice(0, NAME_CHARS_MAX) }),
    ...(size === undefined ? {} : { size: Math.max(0, Math.trunc(size)) }),
  }));
}
