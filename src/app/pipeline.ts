import { SqlBroker } from '../adapters/broker/sql/sql-broker.ts';
import { createExtractPool } from '../adapters/extractor/threads/pool.ts';
import { tryOwn } from '../adapters/owner/owner-lock.ts';
import { isoInstant } from '../ports/clock.ts';
import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { STAGES } from '../stages/stages.ts';
import { createTracker, type Tracker } from '../stages/track/tracker.ts';
import type { Core } from './core.ts';
import { createHandlers, deadLetterHooks } from './handlers.ts';
import { providerAccounts } from './providers.ts';

/** All stages of the table at work on one installation. */
export interface Pipeline {
  readonly runtime: Runtime;
  readonly tracker: Tracker;
  /** As `runtime.overloaded`, at once: refreshed by each call. */
  overloaded(): boolean;
  /** Registers and starts the stages; the tracker asks providers only after `tracker.start()`. */
  start(): Promise<void>;
  /** Finishes what runs (at most `timeoutMs`, real), stores cursors, frees the installation. */
  stop(timeoutMs: number): Promise<void>;
}

/** Undefined: another process works on this installation (one may, at a time). */
export function openPipeline(core: Core, onDeliveries: () => void = () => {}): Pipeline | undefined {
  // First what may be refused, so that a refusal leaves the installation free.
  const accounts = providerAccounts(core);
  const owner = tryOwn(core.paths.folder, isoInstant(Date.now()));
  if (owner === undefined) return undefined;
  const { store, clock, random, logger, config } = core;
  const tracker = createTracker({ store, clock, random, logger, accounts });
  const pool = createExtractPool(config.workers === undefined ? {} : { size: config.workers });
  const runtime = createRuntime({
    store,
    broker: new SqlBroker({ store, clock, logger }),
    clock,
    random,
    logger,
    stages: STAGES,
    handlers: createHandlers({ core, extractor: pool, tracker, onDeliveries }),
    onDeadLetter: deadLetterHooks,
  });
  let full = false;
  return {
    runtime,
    tracker,
    overloaded: () => {
      void runtime.overloaded().then((value) => {
        full = value;
      });
      return full;
    },
    start: () => runtime.start(),
    stop: async (timeoutMs) => {
      await tracker.stop();
      await runtime.drain(timeoutMs);
      await pool.close();
      owner.release();
    },
  };
}

/**
 * Works off what a command has appended: where no service runs on this installation, this process runs the stages until
 * nothing waits; otherwise the service does it.
 */
export async function settle(core: Core, signal: AbortSignal): Promise<void> {
  const pipeline = openPipeline(core);
  if (pipeline === undefined) return;
  await pipeline.start();
  try {
    await pipeline.runtime.idle({ parked: 'ignore', signal });
  } finally {
    await pipeline.stop(5000);
  }
}
