import type { AnyNewEvent, Event } from '../../contracts/event.ts';
import { TripwatchError } from '../../domain/errors.ts';
import type { MailboxId, MailId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { BlobRef, BlobStore } from '../../ports/blobs.ts';
import { ack, type Handler, type HandlerContext } from '../../ports/handler.ts';
import type { MailFetcher } from '../../ports/mail-fetcher.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';
import type { Store, Tx } from '../../ports/store.ts';
import { emptyMail } from '../watch/refusals.ts';
import { type Decision, decide } from './decide.ts';
import { tooLarge, vanished } from './receipts.ts';

export interface CollectParts {
  readonly store: Pick<Store, 'read'>;
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly fetcher: MailFetcher;
  /** Bytes of a mail that is read, at most. */
  readonly bytesMax: number;
}

type Seen = Event<'mail.seen'>;

/** What there is of a mail that is to be read: its bytes are stored, or it cannot be had. */
type Taken =
  | { readonly kind: 'stored'; readonly raw: BlobRef; readonly size: number }
  | { readonly kind: 'missing'; readonly receipt: ReceiptUpdate };

/**
 * Decides on headers whether a mail may be read, and says so on its receipt. A mail that was only listed is fetched for
 * it, and only then: whatever is not collected was never fetched in full. The rules are read again in the transaction that
 * stores the decision, so a rule that is there when a mail is decided always counts.
 */
export function createCollectHandler(parts: CollectParts): Handler<'mail.seen'> {
  const { store } = parts;
  const decided = async (tx: Pick<Tx, 'accounts'>, event: Seen): Promise<Decision> => {
    const rules = await tx.accounts.listRules(event.tenantid as TenantId, event.travellerid as TravellerId);
    return decide(event.data, rules);
  };
  return async (event, context) => {
    const { raw, size } = event.data;
    let taken: Taken | undefined;
    if (raw !== undefined) {
      taken = { kind: 'stored', raw: raw as BlobRef, size };
    } else if ((await store.read((tx) => decided(tx, event))).read) {
      taken = await take(parts, event, context);
    }
    return ack(async (tx) => {
      const decision = await decided(tx, event);
      // A rule went since it was looked at: what was not fetched is to be read after all.
      if (decision.read && taken === undefined) throw rulesChanged(event.data.mailId);
      const receipt = decision.read && taken?.kind === 'missing' ? taken.receipt : decision.receipt;
      const fetched = decision.read && raw === undefined && taken?.kind === 'stored' ? { raw: taken.raw } : {};
      const now = context.clock.now();
      const mailId = event.data.mailId as MailId;
      const written = await tx.mails.update(event.tenantid as TenantId, mailId, { ...receipt, ...fetched }, now);
      if (!written && receipt.ifRef !== undefined) throw listedAnew(mailId);
      return decision.read && taken?.kind === 'stored' ? [collectedEvent(event, decision, taken)] : [];
    });
  };
}

/** Fetches it. Where it was listed anew since the event, from where it lies now. */
async function take(parts: CollectParts, event: Seen, context: HandlerContext): Promise<Taken> {
  const { store, fetcher, blobs, bytesMax } = parts;
  const { size, mailId, mailboxId, backfill = false } = event.data;
  if (size > bytesMax) return { kind: 'missing', receipt: tooLarge(size, bytesMax) };
  const tenant = event.tenantid as TenantId;
  const record = await store.read((tx) => tx.mails.get(tenant, mailId as MailId));
  // Fetched by an attempt that did not come to its end, or handed in twice.
  if (record?.raw !== undefined) return { kind: 'stored', raw: record.raw, size: record.size };
  const ref = record?.ref ?? event.data.ref;
  if (ref === undefined)
    throw new TripwatchError('defect', 'mail-without-identity', `Mail ${mailId} has no reference.`);
  const what = { tenant, mailbox: mailboxId as MailboxId, ref, backfill };
  const mail = await fetcher.fetch(what, bytesMax, context.signal);
  if (mail.kind === 'vanished') return { kind: 'missing', receipt: vanished(ref) };
  // The server said it was smaller.
  if (mail.truncated) return { kind: 'missing', receipt: tooLarge(Math.max(size, bytesMax + 1), bytesMax) };
  if (mail.bytes.byteLength === 0) return { kind: 'missing', receipt: emptyMail() };
  // Authenticity (src/ports/authenticity.ts) is checked here, on these bytes, and its verdict goes with `mail.collected`.
  return { kind: 'stored', raw: await blobs.put(mail.bytes, tenant), size: mail.bytes.byteLength };
}

function collectedEvent(event: Seen, decision: Decision, taken: Extract<Taken, { kind: 'stored' }>): AnyNewEvent {
  const { ref: _, parts: __, asked: ___, ...data } = event.data;
  const mailId = data.mailId as MailId;
  return {
    topic: 'mail.collected',
    tenant: event.tenantid,
    ...(event.travellerid === undefined ? {} : { traveller: event.travellerid }),
    // Same lines as in intake: opening one mail does not depend on another.
    key: `${event.travellerid ?? (data.mailboxId as MailboxId)}/${mailId.slice(-1)}`,
    subject: mailId,
    data: { ...data, raw: taken.raw, size: taken.size, reason: decision.code },
  };
}

function rulesChanged(mailId: string): TripwatchError {
  return new TripwatchError('stale', 'rules-changed', `The rules changed while mail ${mailId} was decided; once more.`);
}

function listedAnew(mailId: string): TripwatchError {
  return new TripwatchError('stale', 'mail-listed-anew', `Mail ${mailId} lies elsewhere now; it is looked for there.`);
}
