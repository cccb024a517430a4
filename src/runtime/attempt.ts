import { envelopeSchema } from '../contracts/envelope.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { TOPICS } from '../contracts/topics.ts';
import { TripwatchError } from '../domain/errors.ts';
import { derivedId, type TenantId } from '../domain/ids.ts';
import type { Delivery } from '../ports/broker.ts';
import type { Handler, HandlerContext, Outcome, StageSpec } from '../ports/handler.ts';
import type { Logger } from '../ports/logger.ts';
import type { AttemptRecord, DeadLetter } from '../ports/store/log.ts';
import type { Store, Tx } from '../ports/store.ts';
import { isStoreFault } from './decide.ts';

/** Runs in the transaction that sets an event aside, so that its owner sees the failure at once (the mail's receipt). */
export type DeadLetterHook = (tx: Tx, event: AnyEvent, error: TripwatchError) => Promise<void>;

export interface Committed {
  /** The effect was there before: nothing was done. */
  readonly repeat: boolean;
  readonly appended: number;
}

/** Errors: poison `event-invalid` when the envelope or the data does not fit the topic's schema. */
export function checkEvent(event: AnyEvent): void {
  const envelope = envelopeSchema.safeParse(event);
  const schema = TOPICS[event.topic];
  const faults = envelope.success ? schema?.safeParse(event.data).error : envelope.error;
  if (envelope.success && schema !== undefined && faults === undefined) return;
  // Paths only: values may be personal.
  const where = (faults?.issues ?? []).slice(0, 5).map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.code}`);
  throw new TripwatchError(
    'poison',
    'event-invalid',
    `The event does not fit the schema of ${String(event.topic)}: ${where.join('; ') || 'unknown topic'}`,
  );
}

/** Calls the handler, but not for longer than its signal lives: what comes after is ignored, for it has no effect yet. */
export async function callHandler(handler: Handler, event: AnyEvent, context: HandlerContext): Promise<Outcome> {
  const { signal } = context;
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([handler(event, context), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The effect, the processed mark and the outgoing events, in one transaction. A repeat has no effect. */
export function commitEffect(
  store: Store,
  stage: StageSpec,
  { event, history }: Pick<Delivery, 'event' | 'history'>,
  outcome: Outcome & { readonly kind: 'ack' },
  now: number,
): Promise<Committed> {
  return store.transact(async (tx) => {
    if (!(await tx.log.claim(stage.name, event.id, now, history))) return { repeat: true, appended: 0 };
    if (outcome.commit === undefined) return { repeat: false, appended: 0 };
    const events = await outcome.commit(tx);
    if (events.length > 0) await tx.append(events, { source: stage.name, cause: event, seed: event.id });
    return { repeat: false, appended: events.length };
  });
}

/**
 * Sets the event aside and marks it as processed, in one transaction: it never runs again unless its dead letter is
 * replayed, which takes the mark away. Returns false when it was processed before. A hook that fails is left out.
 */
export async function setAside(
  store: Store,
  stage: StageSpec,
  delivery: Delivery,
  error: TripwatchError,
  why: string | undefined,
  options: { readonly now: number; readonly hook: DeadLetterHook | undefined; readonly logger: Logger },
): Promise<boolean> {
  const { now, hook, logger } = options;
  const letter = deadLetterOf(stage, delivery, error, why, now);
  const write = (withHook: boolean) =>
    store.transact(async (tx) => {
      if (!(await tx.log.claim(stage.name, delivery.event.id, now))) return false;
      await tx.log.addDeadLetter(letter);
      if (withHook) await hook?.(tx, delivery.event, error);
      return true;
    });
  try {
    return await write(true);
  } catch (fault) {
    if (hook === undefined || (fault instanceof TripwatchError && isStoreFault(fault))) throw fault;
    logger.error({ code: error.code, fault: String(fault) }, 'the dead letter hook failed; set aside without it');
    return write(false);
  }
}

function deadLetterOf(
  stage: StageSpec,
  delivery: Delivery,
  error: TripwatchError,
  why: string | undefined,
  now: number,
): DeadLetter {
  const { event, history } = delivery;
  const message = why === undefined ? error.message : `${error.message} (${why})`;
  const last: AttemptRecord = { at: now, kind: error.kind, code: error.code, message: error.message.slice(0, 300) };
  return {
    id: derivedId('dead', stage.name, event.id, now),
    tenant: event.tenantid as TenantId,
    consumer: stage.name,
    topic: event.topic,
    eventId: event.id,
    key: event.partitionkey,
    correlation: event.correlationid,
    attempts: [...history, last],
    code: error.code,
    message,
    state: 'open',
    createdAt: now,
    decidedAt: undefined,
    decision: undefined,
  };
}
