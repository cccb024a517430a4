import type { Authenticity } from '../ports/authenticity.ts';
import type { Extractor } from '../ports/extractor.ts';
import type { StageHandlers } from '../ports/handler.ts';
import type { MailFetcher } from '../ports/mail-fetcher.ts';
import type { DeadLetterHook } from '../runtime/attempt.ts';
import { createCollectHandler } from '../stages/collect/handler.ts';
import { createExtractHandler, extractFailed } from '../stages/extract/handler.ts';
import { createFanOutHandler } from '../stages/fan-out/handler.ts';
import { createNotifyHandler } from '../stages/notify/handler.ts';
import { createProjectHandler } from '../stages/project/handler.ts';
import { reconcileFailed, reconcileHandler } from '../stages/reconcile/handler.ts';
import type { StageName } from '../stages/stages.ts';
import { createTrackHandler } from '../stages/track/handler.ts';
import type { Tracker } from '../stages/track/tracker.ts';
import type { Core } from './core.ts';
import { vendorsOf } from './vendors.ts';

export interface HandlerParts {
  readonly core: Pick<Core, 'blobs' | 'store' | 'config' | 'paths'>;
  readonly fetcher: MailFetcher;
  readonly authenticity: Authenticity;
  readonly extractor: Extractor;
  readonly tracker: Pick<Tracker, 'accounts' | 'refresh' | 'wake'>;
  readonly onDeliveries: () => void;
}

/** Each stage of the table with its handler. */
export function createHandlers(parts: HandlerParts): StageHandlers & Readonly<Record<StageName, unknown>> {
  return {
    collect: createCollectHandler({
      store: parts.core.store,
      blobs: parts.core.blobs,
      fetcher: parts.fetcher,
      authenticity: parts.authenticity,
      authservIds: parts.core.config.mails.authservIds,
      bytesMax: parts.core.config.smtp.maxBytes,
    }),
    extract: createExtractHandler({ blobs: parts.core.blobs, extractor: parts.extractor }),
    reconcile: reconcileHandler(),
    track: createTrackHandler({ tracker: parts.tracker }),
    'fan-out': createFanOutHandler(),
    project: createProjectHandler({ vendorOf: vendorsOf(parts.core) }),
    notify: createNotifyHandler({ onDeliveries: parts.onDeliveries }),
  };
}

/** What else happens in the transaction that sets an event aside: the sender of the mail sees it on the receipt. */
export const deadLetterHooks: Readonly<Partial<Record<StageName, DeadLetterHook>>> = {
  collect: extractFailed,
  extract: extractFailed,
  reconcile: reconcileFailed,
};
