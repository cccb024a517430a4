import type { AnyEvent } from '../contracts/event.ts';
import type { Topic } from '../contracts/topics.ts';
import type { ErrorKind } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';

/** What happens to events in the runtime: one union for logs, metrics, tests and the page. */
export type RuntimeEvent =
  | { readonly type: 'started' }
  | { readonly type: 'draining'; readonly timeoutMs: number }
  | { readonly type: 'stopped' }
  | (About & {
      readonly type: 'processed';
      readonly attempt: number;
      /** Its effect was there already. */
      readonly repeat: boolean;
      readonly appended: number;
      /** Real ms from delivery to durable. */
      readonly tookMs: number;
    })
  | (About & {
      readonly type: 'retried';
      readonly attempt: number;
      readonly at: number;
      readonly counts: boolean;
      readonly kind: ErrorKind;
      readonly code: string;
    })
  | (About & {
      readonly type: 'dead';
      readonly attempt: number;
      readonly kind: ErrorKind;
      readonly code: string;
      readonly message: string;
    })
  /** Given back untouched: shutdown, the store refused work, or another worker has the shard now. */
  | (About & { readonly type: 'released'; readonly reason: 'shutdown' | 'store' | 'lease' })
  | { readonly type: 'stalled'; readonly stage: string; readonly waiting: number; readonly forMs: number };

export interface About {
  readonly stage: string;
  readonly topic: Topic;
  readonly eventId: string;
  readonly key: string;
  readonly correlation: string;
}

export function about(stage: string, event: AnyEvent): About {
  return {
    stage,
    topic: event.topic,
    eventId: event.id,
    key: event.partitionkey,
    correlation: event.correlationid,
  };
}

export type RuntimeListener = (event: RuntimeEvent) => void;

/** Tells listeners, and outlives their faults. */
export class RuntimeEmitter {
  readonly #listeners = new Set<RuntimeListener>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on(listener: RuntimeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: RuntimeEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ type: event.type, error: String(error) }, 'a listener of the runtime failed');
      }
    }
  }
}
