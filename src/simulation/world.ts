import { MemoryBroker } from '../adapters/broker/memory/memory-broker.ts';
import { SqliteBroker } from '../adapters/broker/sqlite/sqlite-broker.ts';
import { openSqliteStore, type SqliteStore } from '../adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT, type EndpointId, type MailboxId, type TravellerId } from '../domain/ids.ts';
import type { Logger } from '../ports/logger.ts';
import type { Mailbox } from '../ports/store/accounts.ts';
import type { Scenario } from '../sandbox/scenario/types.ts';
import { faultyStore, type StoreFaults } from './faulty-store.ts';
import type { History } from './history.ts';
import { Life } from './life.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { modelBroker, type RelayMark } from './model-broker.ts';
import { modelExtractor } from './model-extractor.ts';
import { modelProvider } from './model-provider.ts';
import { modelReceiver } from './model-receiver.ts';
import type { Plan } from './plan.ts';
import { openProcess, type Planted, type SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf, type Streams } from './streams.ts';

/** A process that runs, with the life it runs in. */
export interface Running {
  readonly life: Life;
  readonly process: SimulatedProcess;
  /** For the process's own use only. */
  readonly stopRelay: () => void;
}

export interface WorldParts {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly history: History;
  readonly planted: Planted;
}

/** A commit takes so long, ms, at most. */
const COMMIT_MS_MAX = 5;
/** Between a crash, or a start that failed, and the next start. */
const DOWN_MS_MAX = 60_000;

/** All that outlives a process: store, blobs, broker, providers, receivers, travellers; and what starts and ends processes. */
export class World {
  readonly store: SqliteStore;
  readonly mailboxes: readonly Mailbox[];
  readonly #parts: WorldParts;
  readonly #logger: Logger;
  readonly #blobs = memoryBlobs();
  readonly #memoryBroker: MemoryBroker | undefined;
  readonly #relayMark: RelayMark = { seq: 0 };
  readonly #provider: ReturnType<typeof modelProvider>;
  readonly #receiver: ReturnType<typeof modelReceiver>;
  readonly #extractor: ReturnType<typeof modelExtractor>;
  #healed = false;
  #lives = 0;
  #running: Running | undefined;
  #stopping = false;
  #closed = false;

  constructor(scenario: Scenario, parts: WorldParts, logger: Logger) {
    this.#parts = parts;
    this.#logger = logger;
    const { plan, scheduler, streams, history } = parts;
    const commits = streams('commits');
    this.store = openSqliteStore({
      file: ':memory:',
      clock: scheduler.clock(),
      logger,
      schedule: (run) => void scheduler.after(commits.number() * COMMIT_MS_MAX, 'commit', run),
      after: (ms, run) => scheduler.after(ms * scheduler.speed, 'store timer', run),
      onFatal: (error) => history.faults.push({ invariant: 'I1', message: `the store gave up: ${error.message}` }),
    });
    const healed = (): boolean => this.#healed;
    const shared = { plan, scheduler, history, healed };
    this.#provider = modelProvider({ ...shared, scenario, draw: streams('provider') });
    this.#receiver = modelReceiver({ ...shared, draw: streams('receiver') });
    this.#extractor = modelExtractor({ ...shared, draw: streams('extractor') });
    if (plan.broker === 'memory') {
      const rate = (value: number): number => (this.#healed ? 0 : value);
      this.#memoryBroker = new MemoryBroker({
        clock: scheduler.clock(),
        random: randomOf(streams('broker')),
        adversity: {
          get duplicate() {
            return rate(plan.delivery.duplicate);
          },
          get loseAck() {
            return rate(plan.delivery.loseAck);
          },
          redeliverMs: 5000,
          reorderKeys: plan.delivery.reorderKeys,
        },
      });
    }
    const startAt = scheduler.startAt;
    this.mailboxes = scenario.people.map(({ index }) => ({
      id: `mbx_${index}` as MailboxId,
      tenant: DEFAULT_TENANT,
      traveller: `trv_${index}` as TravellerId,
      kind: 'forward',
      label: 'forwarded',
      address: undefined,
      state: 'active',
      createdAt: startAt,
    }));
  }

  /** The process that is up and not about to stop. */
  get running(): Running | undefined {
    return this.#stopping ? undefined : this.#running;
  }

  /** Travellers, mailboxes, endpoints and a rule, as a person would have set them up. */
  async furnish(scenario: Scenario): Promise<void> {
    const now = this.#parts.scheduler.startAt;
    await this.store.transact(async ({ accounts }) => {
      await accounts.ensureTenant(DEFAULT_TENANT, 'Default', now);
      for (const [index, mailbox] of this.mailboxes.entries()) {
        const { given, family, zone, locale } = scenario.people[index]!;
        const name = `${given} ${family}`;
        await accounts.addTraveller({
          id: mailbox.traveller,
          tenant: DEFAULT_TENANT,
          name,
          zone,
          locale,
          createdAt: now,
        });
        await accounts.addMailbox(mailbox, undefined);
      }
      for (const [index, traveller] of [undefined, this.mailboxes[0]!.traveller].entries())
        await accounts.addEndpoint({
          id: `whe_${index}` as EndpointId,
          tenant: DEFAULT_TENANT,
          traveller,
          url: `https://receiver.example/${index}`,
          sealedSecrets: ['whsec_c2ltdWxhdGVk'],
          state: 'active',
          stateReason: undefined,
          createdAt: now,
        });
      if (this.#parts.plan.rule)
        await accounts.addRule({
          id: 'rule_0',
          tenant: DEFAULT_TENANT,
          traveller: this.mailboxes[0]!.traveller,
          action: 'deny',
          field: 'domain',
          pattern: 'holiday-club.example',
          createdAt: now,
        });
    });
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.#healed = true;
    this.#parts.history.healedAt = this.#parts.scheduler.now;
    this.#parts.scheduler.note('--- healed');
  }

  /** Keeps a process running: whenever one has ended, or could not start, the next one is started after a while. */
  async supervise(): Promise<void> {
    const { scheduler, streams } = this.#parts;
    const draw = streams('supervisor');
    while (!this.#closed) {
      const life = new Life(++this.#lives, scheduler);
      scheduler.note(`process ${life.number}: starts`);
      const running = this.#open(life);
      this.#running = running;
      const fault = await Promise.race([running.process.start().then(() => undefined, String), over(life)]);
      if (fault !== undefined && life.alive) {
        scheduler.note(`process ${life.number}: could not start: ${fault}`);
        this.#end(running);
      }
      if (life.alive) await over(life);
      await scheduler.clock().sleep(draw.number() * DOWN_MS_MAX, NEVER);
    }
  }

  /** Kills the process: acks, memory and everything under way are gone. */
  crash(): void {
    const { scheduler, history } = this.#parts;
    const running = this.#running;
    if (running === undefined) return;
    history.crashes++;
    scheduler.note(`process ${running.life.number}: killed`);
    this.#end(running);
  }

  /** Stops the process in good order; another one follows. */
  async restart(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    const { scheduler, history } = this.#parts;
    history.restarts++;
    scheduler.note(`process ${running.life.number}: stops`);
    this.#stopping = true;
    await Promise.race([running.process.stop().catch(String), over(running.life)]);
    this.#stopping = false;
    if (!running.life.alive) return;
    this.#end(running);
    scheduler.note(`process ${running.life.number}: has stopped`);
  }

  /** Stops the process in good order, and no other follows. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.restart();
  }

  #end(running: Running): void {
    running.stopRelay();
    running.life.end();
    this.#memoryBroker?.crash();
    this.#running = undefined;
  }

  #open(life: Life): Running {
    const { plan, scheduler, streams, history, planted } = this.#parts;
    const outside = {
      note: (text: string): void => scheduler.note(text),
      crash: (): void => {
        if (life.alive) this.crash();
      },
    };
    const calm: StoreFaults = { busy: 0, refused: 0, unknown: 0, crash: 0, answerMsMax: 5, slow: 0 };
    const faults = (): StoreFaults => (this.#healed ? calm : plan.store);
    const brokerFaults = (): StoreFaults => ({ ...faults(), unknown: 0 });
    const storeOf = (part: string, given: () => StoreFaults): SqliteStore => {
      const made = faultyStore(this.store, life, given, streams('store', part, life.number), outside);
      return planted.store?.(made, life) ?? made;
    };
    const store = storeOf('stages', faults);
    const ownStore = storeOf('broker', brokerFaults);
    const model =
      this.#memoryBroker === undefined
        ? { broker: new SqliteBroker({ store: ownStore, clock: life.clock, logger: this.#logger }), stop: () => {} }
        : modelBroker(this.#memoryBroker, ownStore, life, this.#relayMark);
    const process = openProcess(
      {
        life,
        store,
        broker: model.broker,
        blobs: this.#blobs,
        extractor: this.#extractor(life),
        connector: this.#provider.connector(life),
        post: this.#receiver(life),
        random: randomOf(streams('process', life.number)),
        logger: this.#logger,
      },
      planted,
    );
    process.runtime.on((event) => {
      if (!life.alive) return;
      history.runtime.push({ life: life.number, at: scheduler.now, event });
      if ('stage' in event) scheduler.note(said(event));
    });
    return { life, process, stopRelay: model.stop };
  }
}

const NEVER = new AbortController().signal;

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
