import { createClock } from '../../../src/adapters/clock/system.ts';
import { systemRandom } from '../../../src/adapters/random/system.ts';
import type { AnyNewEvent } from '../../../src/contracts/event.ts';
import { timeChars } from '../../../src/domain/ids.ts';
import type { Broker } from '../../../src/ports/broker.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { ack, type Handler, type StageSpec } from '../../../src/ports/handler.ts';
import type { Logger } from '../../../src/ports/logger.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { WorkerIdentity, WorkGroup } from '../../../src/runtime/keeper.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';
import type { Queue, Setting } from '../contestant.ts';
import { numberOf, payload } from '../payload.ts';

/** Mailboxes that the mails belong to: events of one are worked on in their order, one at a time. */
const KEYS = 1000;

export interface Installation {
  readonly store: Store;
  readonly broker: Broker;
  /** Where other processes could share the work; default: nobody else is there. */
  readonly worker?: WorkerIdentity;
  readonly groups?: readonly WorkGroup[];
  close(): Promise<void>;
}

export type OpenInstallation = (tools: { readonly clock: Clock; readonly logger: Logger }) => Promise<Installation>;

const logger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.error('tripwatch', message, fields),
  error: (fields, message) => console.error('tripwatch', message, fields),
  child: () => logger,
};

/**
 * The runtime as the product runs it: schema check, per-key order, retry policy, deadlines, processed marks, leases and
 * dead letters; a stage for each subscriber, whose handler has nothing to do.
 */
export async function openQueue(open: OpenInstallation, setting: Setting, subscribers: number): Promise<Queue> {
  const clock = createClock();
  const { store, broker, worker, groups, close } = await open({ clock, logger });
  const stages = Array.from({ length: subscribers }, (_, i) => stageOf(`subscriber${i}`, setting.concurrency));
  const handled = { tell: (_n: number, _subscriber: number) => {} };
  const handlerOf =
    (subscriber: number): Handler<'mail.seen'> =>
    async ({ data }) => {
      handled.tell(numberOf(data), subscriber);
      return ack();
    };
  const runtime = createRuntime({
    store,
    broker,
    clock,
    random: systemRandom,
    logger,
    stages,
    ...(worker === undefined ? {} : { worker }),
    ...(groups === undefined ? {} : { groups }),
    handlers: Object.fromEntries(stages.map(({ name }, i) => [name, handlerOf(i)])),
  });
  const append = (first: number, count: number): Promise<void> => {
    const now = Date.now();
    const events = Array.from({ length: count }, (_, i) => eventOf(first + i, mailOf(first + i, now)));
    // As intake does it: the story is the mail's, and ids derive from it.
    const mail = events[0]!.subject;
    const origin = { source: 'bench', correlation: mail, seed: mail, at: now };
    return store.transact(async (tx) => void (await tx.append(events, origin)));
  };
  return {
    publish: (n) => append(n, 1),
    publishMany: append,
    work: async (tell) => {
      handled.tell = tell;
      await runtime.start();
    },
    unfinished: async () => {
      const status = await runtime.status();
      return status.stages.reduce(
        (sum, { waiting, parked, running, dead }) => sum + waiting + parked + running + dead,
        0,
      );
    },
    close: async () => {
      await runtime.stop();
      await close();
    },
  };
}

function eventOf(n: number, mail: string): AnyNewEvent {
  return { topic: 'mail.seen', tenant: 'tnt_default', key: `mbx_${n % KEYS}`, subject: mail, data: payload(n) };
}

/** Like the ids of intake: the second at which the mail was sent, then what stands for its digest. */
function mailOf(n: number, now: number): string {
  const scattered = Math.imul(n + 1, 0x9e3779b1) >>> 0;
  return `mail_${timeChars(now - (now % 1000))}${scattered.toString(32).padStart(7, '0')}xxxxxxxxxxxxxxxxxxx`;
}

function stageOf(name: string, concurrency: number): StageSpec {
  return {
    name,
    reads: 'mail.seen',
    key: 'mailbox',
    writes: [],
    does: 'nothing',
    concurrency,
    deadlineMs: 30_000,
    retry: { attemptsMax: 8, firstDelayMs: 200, factor: 3, delayMsMax: 300_000, ageMsMax: 86_400_000 },
  };
}
