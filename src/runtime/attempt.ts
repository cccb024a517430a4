import { envelopeSchema } from '../contracts/envelope.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { TOPICS } from '../contracts/topics.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Delivery } from '../ports/broker.ts';
import type { Handler, HandlerContext, Outcome, StageSpec } from '../ports/handler.ts';
import type { Logger } from '../ports/logger.ts';
import type { Store, Tx } from '../ports/store.ts';
import { deadLetterOf } from './dead-letter.ts';
import { isLeaseLost, isStoreFault } from './decide.ts';

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
export async function commitEffect(
  store: Store,
  stage: StageSpec,
  { event, history, fence }: Pick<Delivery, 'event' | 'history' | 'fence'>,
  outcome: Outcome & { readonly kind: 'ack' },
  now: number,
): Promise<Committed> {
  const result = await store.effect(
    { consumer: stage.name, eventId: event.id, now, failed: history },
    async (tx) => {
      if (outcome.commit === undefined) return 0;
      const events = await outcome.commit(tx);
      if (events.length > 0) await tx.append(events, { source: stage.name, cause: event, seed: event.id });
      return events.length;
    },
    { fence },
  );
  if (result.repeat) return { repeat: true, appended: 0 };
  outcome.committed?.();
  return { repeat: false, appended: result.value };
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
  const letter = deadLetterOf(stage.name, delivery, error, why, now);
  const write = async (withHook: boolean) => {
    const result = await store.effect(
      { consumer: stage.name, eventId: delivery.event.id, now },
      async (tx) => {
        await tx.deadLetters.add(letter);
        if (withHook) await hook?.(tx, delivery.event, error);
      },
      { fence: delivery.fence },
    );
    return !result.repeat;
  };
  try {
    return await write(true);
  } catch (fault) {
    const ours = fault instanceof TripwatchError && (isStoreFault(fault) || isLeaseLost(fault));
    if (hook === undefined || ours) throw fault;
    logger.error({ code: error.code, fault: String(fault) }, 'the dead letter hook failed; set aside without it');
    return write(false);
  }
}
