import type { AnyEvent, AnyNewEvent, Event } from '../../contracts/event.ts';
import type { TripwatchError } from '../../domain/errors.ts';
import { toObservations } from '../../domain/extract/observations.ts';
import type { MailId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Verdict } from '../../domain/trust/verdict.ts';
import type { BlobRef, BlobStore } from '../../ports/blobs.ts';
import type { Extractor } from '../../ports/extractor.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { Tx } from '../../ports/store.ts';
import { beingJoined, failedReceipt, openedReceipt } from './receipt.ts';
import { settleEmpty, settleMail } from './settle.ts';

export interface ExtractParts {
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
}

/**
 * Opens a collected mail and records one observation for each booking in it. Reading and parsing happen before the
 * transaction; the receipt and the observations commit together. What they bring shows when they are joined: until then
 * the mail is still being read, and then its receipt is settled (settle.ts).
 */
export function createExtractHandler(parts: ExtractParts): Handler<'mail.collected'> {
  return async (event, context) => {
    const verdict = event.data.verdict as Verdict | undefined;
    const bytes = await parts.blobs.get(event.data.raw as BlobRef, event.tenantid as TenantId);
    const result = await parts.extractor.extract({ bytes, receivedAt: event.data.receivedAt }, context.signal);
    const observations = toObservations(result.claims, {
      tenant: event.tenantid as TenantId,
      traveller: event.travellerid as TravellerId,
      ref: event.data.mailId,
      label: labelOf(event, result.mail?.inner),
      receivedAt: event.data.receivedAt,
      authority: 'mail',
      ...(verdict === undefined ? {} : { verdict }),
    });
    context.logger.debug(
      { claims: observations.length, warnings: result.warnings.length, size: event.data.size },
      'mail opened',
    );
    return ack(async (tx) => {
      const mailId = event.data.mailId as MailId;
      const tenant = event.tenantid as TenantId;
      const now = context.clock.now();
      const receipt = openedReceipt(result, observations.length, now, verdict, event.data.via);
      if (receipt.disposition !== 'imported') {
        await tx.mails.update(tenant, mailId, receipt, now);
        if (receipt.disposition === 'nothing-found') await settleEmpty(tx, tenant, mailId, now);
        return [];
      }
      await tx.mails.update(tenant, mailId, beingJoined(receipt), now);
      const ids = observations.map(({ id }) => id);
      // Read before, and all joined: then nobody else will say what became of it.
      await settleMail(tx, tenant, mailId, await tx.mails.expectEffects(tenant, mailId, ids), now);
      return observations.map(recorded);
    });
  };
}

/** Dead letter hook: the owner sees on the receipt that a mail could not be read, and why. */
export async function extractFailed(tx: Tx, event: AnyEvent, error: TripwatchError): Promise<void> {
  if (event.topic !== 'mail.seen' && event.topic !== 'mail.collected') return;
  const { tenantid, data, time } = event as Event<'mail.collected'>;
  const now = Temporal.Instant.from(time).epochMilliseconds;
  await tx.mails.update(tenantid as TenantId, data.mailId as MailId, failedReceipt(error), now);
}

function recorded(observation: Observation): AnyNewEvent {
  return {
    topic: 'observation.recorded',
    tenant: observation.tenant,
    traveller: observation.traveller,
    key: observation.traveller,
    subject: observation.id,
    data: { observation } as unknown as Extract<AnyNewEvent, { topic: 'observation.recorded' }>['data'],
  };
}

/**
 * What stands beside every value that rests on this mail: `mail from noreply@… of 1 Dec 2026`. Of a forwarded one the
 * sender and date inside it, and who sent it on; who that is was checked, what stands inside was not.
 */
function labelOf(
  event: Event<'mail.collected'>,
  inner: { readonly from?: string; readonly date?: string } | undefined,
): string {
  const { head, receivedAt } = event.data;
  const outer = head.fromAddress || 'an unknown sender';
  const { day, month, year } = Temporal.Instant.from(inner?.date ?? head.date ?? receivedAt).toZonedDateTimeISO('UTC');
  const forwarded = inner?.from === undefined ? '' : `, forwarded by ${outer}`;
  return `mail from ${inner?.from ?? outer} of ${day} ${MONTHS[month - 1]} ${year}${forwarded}`;
}

// Spelled out: formatting by locale costs more than reading a short mail.
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
