import type { MemoryBroker } from '../adapters/broker/memory/broker.ts';
import { SqlBroker } from '../adapters/broker/sql/broker.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import type { TripwatchError } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { SimDatabase } from './database.ts';
import { faultyStore, type StoreFaults } from './faulty-store.ts';
import type { History } from './history.ts';
import { Life } from './life.ts';
import type { ModelBlobs } from './memory-blobs.ts';
import { modelBroker, type RelayMark } from './model-broker.ts';
import type { modelExtractor } from './model-extractor.ts';
import type { ModelMailboxes } from './model-mailboxes.ts';
import type { ModelProvider } from './model-provider.ts';
import type { modelReceiver } from './model-receiver.ts';
import type { Notices } from './notices.ts';
import { LEASE_MS, type Plan } from './plan.ts';
import { openProcess, type Planted, type SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf, type Streams } from './streams.ts';
import { witnessOf } from './witness.ts';

/** All that outlives a process. */
export interface Surroundings {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly history: History;
  readonly planted: Planted;
  readonly logger: Logger;
  readonly database: SimDatabase;
  readonly notices: Notices;
  readonly blobs: ModelBlobs;
  /** Undefined: the log in the store is the broker. */
  readonly memoryBroker: MemoryBroker | undefined;
  readonly relayMark: RelayMark;
  readonly provider: ModelProvider;
  /** Undefined: none is connected. */
  readonly mailServer: ModelMailboxes | undefined;
  readonly receiver: ReturnType<typeof modelReceiver>;
  readonly extractor: ReturnType<typeof modelExtractor>;
  readonly healed: () => boolean;
  readonly nextLife: () => number;
  readonly onPoint: (life: Life, name: string) => void;
  readonly onFatal: (error: TripwatchError) => void;
}

/** A process that runs, with the life it runs in. */
export interface Running {
  readonly life: Life;
  readonly process: SimulatedProcess;
  readonly stopRelay: () => void;
}

/** A commit takes so long, ms, at most. */
const COMMIT_MS_MAX = 5;
/** Between a crash, or a start that failed, and the next start: at once, or longer than others wait for it; real ms. */
const DOWN_MS_MAX = [100, 2 * LEASE_MS] as const;
/** A transaction that was sent before its process began to stand still runs meanwhile, or when it goes on. */
const SENT_BEFORE = 0.5;

/** A place where one process works at a time: starts the next one when it has ended. */
export class Node {
  readonly #index: number;
  readonly #world: Surroundings;
  #running: Running | undefined;
  #stopping = false;
  #closed = false;

  constructor(index: number, world: Surroundings) {
    this.#index = index;
    this.#world = world;
  }

  /** The process that is up and not about to stop. */
  get running(): Running | undefined {
    return this.#stopping ? undefined : this.#running;
  }

  get life(): Life | undefined {
    return this.#running?.life;
  }

  /** Keeps a process running: whenever one has ended, or could not start, the next one is started after a while. */
  async supervise(): Promise<void> {
    const { scheduler, streams, plan, nextLife, onPoint } = this.#world;
    const draw = streams('supervisor', this.#index);
    const { offsetMsMax, driftPpmMax } = plan.skew;
    let name = `node-${this.#index}`;
    await scheduler.clock().sleep(draw.number() * 1000, NEVER);
    while (!this.#closed) {
      const number = nextLife();
      if (draw.chance(plan.newName)) name = `node-${this.#index}-${number}`;
      const life = new Life({
        number,
        node: this.#index,
        worker: name,
        scheduler,
        skew: { offsetMs: around(draw.number(), offsetMsMax), driftPpm: around(draw.number(), driftPpmMax) },
        onPoint,
      });
      this.#disturbed(0);
      scheduler.note(`process ${number}: starts as ${name}`);
      const running = this.#open(life);
      this.#running = running;
      const fault = await Promise.race([running.process.start().then(() => undefined, String), over(life)]);
      if (fault !== undefined && life.alive) {
        scheduler.note(`process ${number}: could not start: ${fault}`);
        this.#end(running);
      }
      if (life.alive) await over(life);
      await scheduler.clock().sleep(draw.number() * draw.pick(DOWN_MS_MAX) * plan.speed, NEVER);
    }
  }

  /** Kills the process: acks, memory and everything under way are gone. */
  crash(): void {
    const { scheduler, history } = this.#world;
    const running = this.#running;
    if (running === undefined) return;
    history.crashes++;
    this.#disturbed(0);
    scheduler.note(`process ${running.life.number}: killed`);
    this.#end(running);
  }

  /** The process stands still for so long. */
  pause(ms: number): void {
    const { scheduler, history } = this.#world;
    const life = this.#running?.life;
    if (life === undefined || life.paused) return;
    history.pauses++;
    this.#disturbed(ms);
    scheduler.note(`process ${life.number}: stands still`);
    life.pause();
    scheduler.after(ms, 'goes on', () => this.#resume(life));
  }

  resume(): void {
    const life = this.#running?.life;
    if (life !== undefined) this.#resume(life);
  }

  /** Stops the process in good order; another one follows. */
  async restart(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    const { scheduler, history } = this.#world;
    const { life } = running;
    await Promise.race([life.turn(), over(life)]);
    if (!life.alive || this.#stopping) return;
    history.restarts++;
    this.#disturbed(0);
    scheduler.note(`process ${life.number}: stops`);
    this.#stopping = true;
    await Promise.race([running.process.stop().catch(String), over(life)]);
    this.#stopping = false;
    if (!life.alive) return;
    this.#end(running);
    scheduler.note(`process ${life.number}: has stopped`);
  }

  /** Stops the process in good order, and no other follows. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.restart();
  }

  #disturbed(ms: number): void {
    const { scheduler, history } = this.#world;
    history.disturbed.push({ from: scheduler.now, to: scheduler.now + ms });
  }

  #resume(life: Life): void {
    if (!life.alive || !life.paused) return;
    this.#world.scheduler.note(`process ${life.number}: goes on`);
    life.resume();
  }

  #end(running: Running): void {
    running.stopRelay();
    running.life.end();
    this.#running = undefined;
  }

  /** The life's own connection to the store that all share. */
  #connect(life: Life): SqlStore {
    const { scheduler, streams, planted, database, notices, plan, logger, onFatal } = this.#world;
    const commits = streams('commits', life.number);
    const clock = scheduler.clock();
    const store = openSqliteStore({
      file: ':memory:',
      shared: database,
      shards: plan.shards,
      clock: planted.storeClock?.(clock, life) ?? clock,
      logger,
      schedule: (run) => {
        const later = commits.number() < SENT_BEFORE;
        scheduler.after(commits.number() * COMMIT_MS_MAX, 'commit', () => {
          if (life.paused && later) life.deliver(run);
          else if (life.alive) run();
        });
      },
      after: (ms, run) => scheduler.after(ms * scheduler.speed, 'store timer', () => life.deliver(run)),
      onFatal,
    });
    notices.join(life);
    store.onAppended((appended) => notices.tell(life, appended));
    return {
      ...store,
      onAppended: (listener) => {
        const undo = [store.onAppended(listener), notices.listen(life, listener)];
        return () => {
          for (const one of undo) one();
        };
      },
      changedElsewhere: async () => notices.changed(life),
    };
  }

  #open(life: Life): Running {
    const { plan, scheduler, streams, history, planted, logger, memoryBroker } = this.#world;
    const witness = witnessOf(life, history);
    const own = this.#connect(life);
    const seen = witness.store(planted.database?.(own, life) ?? own);
    const faults = (): StoreFaults => (this.#world.healed() ? CALM : plan.store);
    const draw = streams('store', life.number);
    const faulty = faultyStore(seen, life, faults, draw, (text) => scheduler.note(text));
    const store = planted.store?.(faulty, life) ?? faulty;
    const model =
      memoryBroker === undefined
        ? { broker: new SqlBroker({ store, clock: life.clock, logger }), stop: () => {} }
        : modelBroker(memoryBroker, store, life, this.#world.relayMark);
    const process = openProcess(
      {
        life,
        store,
        broker: witness.broker(model.broker),
        blobs: this.#world.blobs.of(life),
        extractor: this.#world.extractor(life),
        connector: this.#world.provider.connector(life),
        post: this.#world.receiver(life),
        random: randomOf(streams('process', life.number)),
        logger,
        freshSeconds: plan.freshSeconds,
        keepMs: plan.keepMs,
        onLost: (message) => history.faults.push({ invariant: 'I10', message }),
        mailboxes: this.#world.mailServer?.connector(life),
      },
      planted,
    );
    process.runtime.on((event) => {
      if (!life.alive) return;
      history.runtime.push({ life: life.number, at: scheduler.now, awakeSince: life.lastPause.to, event });
      if ('stage' in event) scheduler.note(`${life.number} ${said(event)}`);
    });
    return { life, process, stopRelay: model.stop };
  }
}

const CALM: StoreFaults = { busy: 0, refused: 0, lost: 0, answerMsMax: 5, slow: 0 };
const NEVER = new AbortController().signal;

/** Between −max and max. */
function around(number: number, max: number): number {
  return Math.trunc((2 * number - 1) * max);
}

function over(life: Life): Promise<'over'> {
  return new Promise((resolve) => life.ended.addEventListener('abort', () => resolve('over'), { once: true }));
}

function said(event: History['runtime'][number]['event'] & { readonly stage: string }): string {
  const { stage, type } = event;
  const what = 'eventId' in event ? ` ${event.topic} ${event.eventId.slice(0, 12)}` : '';
  const more =
    type === 'processed' ? (event.repeat ? ' (was done before)' : '') : 'code' in event ? ` ${event.code}` : '';
  return `${stage}: ${type}${what}${more}`;
}
