import { OVERLOAD_EVENTS } from '../../domain/limits.ts';
import { createIntake } from '../../stages/watch/intake.ts';
import { type Core, OPERATOR } from '../core.ts';
import { openPipeline, someoneWorks } from '../pipeline.ts';
import { ROLES } from '../roles.ts';
import { takePlace } from '../worker.ts';
import type { ImportEnv } from './import-run.ts';

/** Gives back what runs within this time, real ms. */
const STOP_MS = 5000;
const LOOK_MS = 250;

/**
 * What an import runs on: the whole pipeline in this process; or, where a service already works on this installation,
 * only the door to it, and the service reads the mails.
 */
export async function openImportEnv(core: Core): Promise<ImportEnv & { close(): Promise<void> }> {
  const { store, blobs, clock, logger } = core;
  const intake = createIntake({ store, blobs, clock, logger });
  const place = core.shared && (await someoneWorks(core)) ? undefined : takePlace(core, 'helper');
  if (place !== undefined) {
    const pipeline = await openPipeline(core, { roles: ROLES, parts: false, place }).catch((error: unknown) => {
      place.release();
      throw error;
    });
    await pipeline.start();
    return {
      store,
      intake,
      clock,
      overloaded: () => pipeline.runtime.overloaded(),
      idle: (signal) => pipeline.runtime.idle({ parked: 'ignore', signal }),
      close: () => pipeline.stop(STOP_MS),
    };
  }
  let looked = { at: Number.NEGATIVE_INFINITY, waiting: 0 };
  const waiting = async () => {
    const now = clock.monotonic() / clock.speed;
    if (now - looked.at >= LOOK_MS) looked = { at: now, waiting: await undecided(core) };
    return looked.waiting;
  };
  return {
    store,
    intake,
    clock,
    overloaded: async () => (await waiting()) >= OVERLOAD_EVENTS,
    idle: async (signal) => {
      while ((await undecided(core)) > 0 && !(await isPaused(core))) await clock.sleep(LOOK_MS * clock.speed, signal);
    },
    close: async () => {},
  };
}

/** Somebody wants no mails read for now: nobody knows for how long. */
async function isPaused({ store }: Core): Promise<boolean> {
  const pauses = await store.read((tx) => tx.control.pauses());
  return pauses.some(
    ({ kind, id, tenant }) =>
      (tenant === OPERATOR.tenant && (kind === 'tenant' || kind === 'mailbox')) ||
      (kind === 'stage' && ['collect', 'extract', 'reconcile'].includes(id)),
  );
}

/** Mails, of everyone, that the service has not dealt with yet. */
async function undecided({ store }: Core): Promise<number> {
  return store.read(async (tx) => {
    const counts = await tx.mails.count(OPERATOR.tenant);
    return counts.seen + counts.collected;
  });
}
