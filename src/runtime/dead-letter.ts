import type { AnyEvent } from '../contracts/event.ts';
import type { TripwatchError } from '../domain/errors.ts';
import { derivedId, type TenantId } from '../domain/ids.ts';
import type { Delivery } from '../ports/broker.ts';
import type { NewDeadLetter } from '../ports/store/dead-letters.ts';
import type { AttemptRecord } from '../ports/store/log.ts';

/** Of a message, as much as an attempt keeps. */
const MESSAGE_CHARS_MAX = 300;

/** The letter of an event that its stage gives up. `why`: what the decision adds to the error's own words. */
export function deadLetterOf(
  stage: string,
  { event, history }: Pick<Delivery, 'event' | 'history'>,
  error: TripwatchError,
  why: string | undefined,
  now: number,
): NewDeadLetter {
  const { kind, code } = error;
  const last: AttemptRecord = { at: now, kind, code, message: error.message.slice(0, MESSAGE_CHARS_MAX) };
  return {
    id: derivedId('dead', stage, event.id, now),
    tenant: event.tenantid as TenantId,
    consumer: stage,
    topic: event.topic,
    eventId: event.id,
    key: event.partitionkey,
    correlation: event.correlationid,
    provider: providerOf(event, error),
    attempts: [...history, last],
    kind,
    code,
    message: why === undefined ? error.message : `${error.message} (${why})`,
    createdAt: now,
  };
}

/** The provider account: the error names it, or the event carries its answer. The event may be of any shape. */
export function providerOf(event: AnyEvent, error: TripwatchError): string | undefined {
  const { data } = event as { readonly data?: { account?: unknown; observation?: { source?: { account?: unknown } } } };
  const named =
    error.details.account ??
    (event.topic === 'subject.observed' ? data?.account : undefined) ??
    (event.topic === 'observation.recorded' ? data?.observation?.source?.account : undefined);
  return typeof named === 'string' && named !== '' ? named : undefined;
}
