import type { Event } from '../../contracts/event.ts';
import { TripwatchError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import { sentenceOf, type Verdict } from '../../domain/trust/verdict.ts';
import { AUTHSERV_IDS, type Authenticity } from '../../ports/authenticity.ts';
import type { BlobRef, BlobStore } from '../../ports/blobs.ts';
import { epochMsOf } from '../../ports/clock.ts';
import type { HandlerContext } from '../../ports/handler.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/** Whether a mail is what it says: found out once, on the bytes as they came, before anything reads them. */

export interface VerdictParts {
  readonly blobs: Pick<BlobStore, 'get'>;
  /** Absent: nothing is known of any mail, so none is proven. */
  readonly authenticity?: Authenticity;
  /** Names of the mail servers in front of the SMTP listener, in Authentication-Results. */
  readonly authservIds?: readonly string[];
}

/** Keys that cannot be asked for are asked for again so often; then the mail stays unproven. */
const ATTEMPTS_MAX = 3;

/** Errors: those of the blobs; `transient` `authenticity-dns` where another look may say more. */
export async function verdictOn(
  { blobs, authenticity, authservIds = [] }: VerdictParts,
  event: Event<'mail.seen'>,
  raw: BlobRef,
  context: HandlerContext,
): Promise<Verdict | undefined> {
  if (authenticity === undefined) return undefined;
  const { via, backfill = false, receivedAt, envelope, mailId } = event.data;
  const bytes = await blobs.get(raw, event.tenantid as TenantId);
  const live = via !== 'import' && !backfill;
  const { verdict, transient } = await authenticity.check(
    {
      ...{ bytes, live, receivedAt: epochMsOf(receivedAt) },
      ...(envelope === undefined
        ? {}
        : {
            envelope: {
              ip: envelope.ip,
              sender: envelope.sender,
              ...(envelope.helo === undefined ? {} : { helo: envelope.helo }),
            },
          }),
      authservIds: via === 'smtp' ? authservIds : (AUTHSERV_IDS[via] ?? []),
    },
    context.signal,
  );
  if (transient && live && verdict.level !== 'forged' && context.attempt < ATTEMPTS_MAX) {
    throw new TripwatchError(
      'transient',
      'authenticity-dns',
      `The DNS does not say the keys that mail ${mailId} is signed with; it is asked again. See that this machine's DNS servers answer.`,
    );
  }
  return verdict;
}

/** A mail that its owner asked for by name is read whatever it is, and believed as little as any that nobody vouches for. */
export function wantedAnyway(verdict: Verdict): Verdict {
  if (verdict.level !== 'forged') return verdict;
  const unproven = { ...verdict, level: 'unproven' as const };
  return { ...unproven, sentence: sentenceOf(unproven) };
}

export function forged(verdict: Verdict): ReceiptUpdate {
  return {
    disposition: 'quarantined',
    reasonCode: 'mail-forged',
    reason: `Set aside, and nothing in it was believed: ${verdict.sentence} If you know better, allow its sender by a rule and bring or ask for the mail again.`,
  };
}
