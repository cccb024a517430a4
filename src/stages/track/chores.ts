import { backoffDelayMs } from '../../domain/backoff.ts';
import type { Engine } from '../../domain/schedule/engine.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProviderConnector, PushState } from '../../ports/provider.ts';
import { RETRY } from './blame.ts';
import type { ChangeList } from './change-list.ts';
import type { Questions } from './questions.ts';

/**
 * Work of an account besides its subjects, in the same schedule and under the same limits: looking at a list of changes,
 * seeing to it that the provider still pushes. Each has its own breaker, cost and freshness.
 */
export interface Chore {
  readonly slot: number;
  readonly operation: 'listChanged' | 'renewPush';
  /** Ms between two runs. */
  readonly everyMs: number;
  /** Epoch ms of the last run that went well. */
  ranAt: number | undefined;
  readonly addedAt: number;
  attempts: number;
  /** Does it. When to do it again, in ms. Errors: those of the provider and of the store. */
  run(signal: AbortSignal): Promise<number>;
}

interface ChoresParts {
  readonly connector: ProviderConnector;
  readonly list: ChangeList | undefined;
  /** Where the provider is to push to; undefined: nobody could reach it. */
  readonly pushUrl: string | undefined;
  readonly freshSeconds: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly engine: Engine;
  readonly questions: () => Questions;
  readonly take: (make: (slot: number) => Chore) => void;
  /** Stores how far the list was read. Errors: those of the store. */
  readonly save: () => Promise<void>;
  /** The list does no longer tell what has changed. */
  readonly onListLost: () => void;
}

/** So many runs may be missed before it counts as not working. */
const MISSED_MAX = 3;
const RENEW_EVERY_MS = 3_600_000;

export class Chores {
  readonly #parts: ChoresParts;
  #list: Chore | undefined;
  #renewal: Chore | undefined;
  /** What was found out about the provider's pushes; undefined: nothing yet. */
  push: PushState | undefined;

  constructor(parts: ChoresParts) {
    this.#parts = parts;
    const { connector, list, pushUrl, clock } = parts;
    const base = { ranAt: undefined, addedAt: clock.now(), attempts: 0 };
    if (list !== undefined) {
      const { listEveryMs: everyMs = parts.freshSeconds * 1000 } = connector.capabilities;
      const run = async (signal: AbortSignal) => ((await list.look(signal, parts.save)) ? 0 : everyMs);
      parts.take((slot) => (this.#list = { ...base, slot, operation: 'listChanged', everyMs, run }));
    }
    if (connector.renewPush !== undefined && pushUrl !== undefined) {
      const run = (signal: AbortSignal) => this.#renew(pushUrl, signal);
      parts.take((slot) => (this.#renewal = { ...base, slot, operation: 'renewPush', everyMs: RENEW_EVERY_MS, run }));
    }
    for (const { slot } of this.#all) parts.engine.schedule(slot, clock.now());
  }

  get isAny(): boolean {
    return this.#all.length > 0;
  }

  /** Its list tells what has changed. */
  isListed(now: number): boolean {
    return works(this.#list, now);
  }

  /** The provider's subscription was seen to stand. */
  isSubscribed(now: number): boolean {
    return this.push?.kind === 'active' && works(this.#renewal, now);
  }

  /** Epoch ms at which the subscription was last looked after. */
  get pushSeenAt(): number | undefined {
    return this.#renewal?.ranAt;
  }

  /** Does one that was let through. */
  async do(chore: Chore, askedAt: number, signal: AbortSignal): Promise<void> {
    const { clock, engine, random } = this.#parts;
    const questions = this.#parts.questions();
    const wasListed = this.isListed(askedAt);
    try {
      const again = await chore.run(signal);
      questions.didWell(chore.operation, askedAt);
      chore.ranAt = clock.now();
      chore.attempts = 0;
      engine.schedule(chore.slot, clock.now() + again);
    } catch (error) {
      if (!signal.aborted) questions.wentWrong(chore.operation, error, askedAt);
      const wait = backoffDelayMs(RETRY, ++chore.attempts, random.number());
      engine.schedule(chore.slot, clock.now() + Math.min(chore.everyMs, wait));
    }
    if (wasListed && !this.isListed(clock.now())) this.#parts.onListLost();
    questions.finish([]);
  }

  async #renew(url: string, signal: AbortSignal): Promise<number> {
    const { connector, clock, logger } = this.#parts;
    const before = this.push;
    this.push = await connector.renewPush!(url, signal);
    if (this.push.kind === 'missing' && (before?.kind !== 'missing' || before.reason !== this.push.reason))
      logger.warn({ reason: this.push.reason }, 'the provider does not push; changes are found by asking');
    else if (this.push.kind === 'active' && before?.kind === 'missing') logger.info({}, 'the provider pushes again');
    const renewAt = this.push.kind === 'active' ? this.push.renewAt : undefined;
    return Math.max(RETRY.delayMsMax, Math.min(RENEW_EVERY_MS, (renewAt ?? Number.POSITIVE_INFINITY) - clock.now()));
  }

  get #all(): readonly Chore[] {
    return [this.#list, this.#renewal].filter((one) => one !== undefined);
  }
}

function works(chore: Chore | undefined, now: number): boolean {
  return chore?.ranAt !== undefined && now - chore.ranAt <= MISSED_MAX * chore.everyMs;
}
