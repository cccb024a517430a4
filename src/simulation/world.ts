import { MemoryBroker } from '../adapters/broker/memory/broker.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT, type EndpointId, type MailboxId, type TravellerId } from '../domain/ids.ts';
import type { Logger } from '../ports/logger.ts';
import type { Mailbox } from '../ports/store/accounts.ts';
import type { Scenario } from '../sandbox/scenario/types.ts';
import { type SimDatabase, simDatabase } from './database.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import type { Door } from './mailers.ts';
import { type ModelBlobs, modelBlobs } from './memory-blobs.ts';
import { modelExtractor } from './model-extractor.ts';
import { ModelMailboxes } from './model-mailboxes.ts';
import { modelProvider } from './model-provider.ts';
import { modelReceiver } from './model-receiver.ts';
import { Node, type Running, type Surroundings } from './node.ts';
import { Notices } from './notices.ts';
import { CHECK_IN_MINUTES, type Plan } from './plan.ts';
import type { Planted } from './process.ts';
import { startProviderPushes } from './provider-pushes.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf, type Streams } from './streams.ts';

export interface WorldParts {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly history: History;
  readonly planted: Planted;
}

/** An external broker brings again what was not acked for so long, ms. */
const REDELIVER_MS = 5000;

/** An installation: what outlives processes (store, blobs, broker, providers, receivers, travellers), and its nodes. */
export class World {
  /** A connection of its own, without faults: for setting up and for looking. */
  readonly store: SqlStore;
  readonly blobs: ModelBlobs;
  readonly mailboxes: readonly Mailbox[];
  /** Where travellers have mailboxes that we go to; undefined: none has. */
  readonly mailServer: ModelMailboxes | undefined;
  readonly nodes: readonly Node[];
  readonly #parts: WorldParts;
  readonly #scenario: Scenario;
  readonly #database: SimDatabase;
  #healed = false;
  #lives = 0;

  constructor(scenario: Scenario, parts: WorldParts, logger: Logger) {
    this.#parts = parts;
    this.#scenario = scenario;
    const { plan, scheduler, streams, history, planted } = parts;
    this.#database = simDatabase();
    this.#database.empty();
    const onFatal = (error: Error): void => {
      history.faults.push({ invariant: 'I1', message: `the store gave up: ${error.message}` });
    };
    this.store = openSqliteStore({
      file: ':memory:',
      shared: this.#database,
      shards: plan.shards,
      clock: scheduler.clock(),
      logger,
      schedule: (run) => void scheduler.after(0, 'look', run),
      after: (ms, run) => scheduler.after(ms * scheduler.speed, 'store timer', run),
      onFatal,
    });
    const healed = (): boolean => this.#healed;
    const shared = { plan, scheduler, history, healed };
    const crash = (life: Life): void => this.#killed(life);
    this.blobs = modelBlobs(streams('blobs'), planted.blobs);
    this.mailServer =
      plan.mailboxes && new ModelMailboxes({ ...shared, plan: plan.mailboxes, hours: plan.hours, streams });
    const points = streams('points');
    const surroundings: Surroundings = {
      ...parts,
      logger,
      database: this.#database,
      notices: new Notices(scheduler, streams('notices'), () => (this.#healed ? { lost: 0, msMax: 100 } : plan.notice)),
      blobs: this.blobs,
      memoryBroker: plan.broker === 'memory' ? this.#outsideBroker() : undefined,
      relayMark: { seq: 0 },
      provider: modelProvider({ ...shared, scenario, draw: streams('provider') }),
      mailServer: this.mailServer,
      receiver: modelReceiver({ ...shared, draw: streams('receiver') }),
      extractor: modelExtractor({ ...shared, draw: streams('extractor'), crash }),
      healed,
      nextLife: () => ++this.#lives,
      onPoint: (life, name) => {
        history.points++;
        const dies = history.points === plan.crashAtPoint || (!this.#healed && points.chance(plan.crashAtCall));
        if (!dies || !life.alive) return;
        scheduler.note(`process ${life.number}: dies at "${name}" (${history.points})`);
        crash(life);
      },
      onFatal,
    };
    this.nodes = Array.from({ length: plan.nodes }, (_, index) => new Node(index, surroundings));
    this.mailboxes = scenario.people.map(({ index }) => ({
      id: `mbx_${index}` as MailboxId,
      tenant: DEFAULT_TENANT,
      traveller: `trv_${index}` as TravellerId,
      kind: 'forward',
      label: 'forwarded',
      address: undefined,
      state: 'active',
      createdAt: scheduler.startAt,
    }));
  }

  /** The processes that are up and not about to stop. */
  get running(): readonly Running[] {
    return this.nodes.flatMap((node) => node.running ?? []);
  }

  get doors(): readonly Door[] {
    return this.running.map(({ life, process }) => ({ life, intake: process.intake }));
  }

  /** Travellers, mailboxes, endpoints and a rule, as a person would have set them up. */
  async furnish(scenario: Scenario): Promise<void> {
    const now = this.#parts.scheduler.startAt;
    await this.store.transact(async (tx) => {
      const { accounts } = tx;
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
        await tx.alerts.putSettings(
          DEFAULT_TENANT,
          mailbox.traveller,
          { 'check-in': { minutes: CHECK_IN_MINUTES } },
          now,
        );
      }
      await this.mailServer?.furnish(tx, this.mailboxes);
      const endpoints = [undefined, this.mailboxes[0]!.traveller].slice(0, this.#parts.plan.endpoints);
      for (const [index, traveller] of endpoints.entries())
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

  /** Starts all nodes, and lets happen to them what the plan says. */
  start(): void {
    const { plan, scheduler, streams, planted } = this.#parts;
    for (const node of this.nodes) void node.supervise();
    for (const { at, node } of plan.crashes) scheduler.after(at, 'crash', () => this.nodes[node]?.crash());
    for (const { at, node } of plan.restarts) scheduler.after(at, 'restart', () => void this.nodes[node]?.restart());
    for (const { at, node, ms } of plan.pauses) scheduler.after(at, 'pause', () => this.nodes[node]?.pause(ms));
    for (const at of plan.powerLosses) scheduler.after(at, 'power', () => this.#powerLoss());
    this.mailServer?.start({ store: this.store, running: () => this.running });
    startProviderPushes({
      ...this.#parts,
      scenario: this.#scenario,
      draw: streams('provider pushes'),
      store: this.store,
      running: () => this.running,
      healed: () => this.#healed,
    });
    if (planted.syncEveryMs !== undefined) this.#syncSeldom(planted.syncEveryMs);
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.#healed = true;
    this.#parts.history.healedAt = this.#parts.scheduler.now;
    this.#parts.scheduler.note('--- healed');
    for (const node of this.nodes) node.resume();
    this.mailServer?.heal();
  }

  /** Stops all in good order, and no other follows. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  #killed(life: Life): void {
    const node = this.nodes[life.node];
    if (node?.life === life) node.crash();
  }

  /** The whole machine: every process, and what was not synced. */
  #powerLoss(): void {
    const { history, scheduler, planted } = this.#parts;
    history.powerLosses++;
    scheduler.note('power is lost');
    for (const node of this.nodes) node.crash();
    this.blobs.powerLoss();
    if (planted.syncEveryMs !== undefined) this.#database.back();
  }

  /** A planted bug: the disk gets what was committed only so often. */
  #syncSeldom(everyMs: number): void {
    const { scheduler } = this.#parts;
    this.#database.keep();
    const again = (): void => {
      this.#database.keep();
      scheduler.after(everyMs, 'sync', again);
    };
    scheduler.after(everyMs, 'sync', again);
  }

  #outsideBroker(): MemoryBroker {
    const { plan, scheduler, streams } = this.#parts;
    const rate = (value: number): number => (this.#healed ? 0 : value);
    return new MemoryBroker({
      clock: scheduler.clock(),
      random: randomOf(streams('broker')),
      adversity: {
        get duplicate() {
          return rate(plan.delivery.duplicate);
        },
        get loseAck() {
          return rate(plan.delivery.loseAck);
        },
        redeliverMs: REDELIVER_MS,
        reorderKeys: plan.delivery.reorderKeys,
      },
    });
  }
}
