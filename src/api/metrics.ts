import type { TenantBalance } from '../ports/store/conservation.ts';

/** What a process knows of itself, for `GET /metrics`. */
export interface Figures {
  readonly stages: readonly {
    readonly name: string;
    readonly waiting: number;
    readonly parked: number;
    readonly running: number;
    readonly paused: boolean;
    readonly processed: number;
    readonly repeats: number;
    readonly retried: number;
    readonly dead: number;
    /** From delivery to durable, real ms. */
    readonly latency: Durations;
    /** From append to delivery, ms of the clock. */
    readonly wait: Durations;
  }[];
  readonly overloaded: boolean;
  /** Resources that this process works on: `extract/3`, `account/adb`. */
  readonly held: readonly string[];
  /** Processes at work on the installation. */
  readonly workersAlive: number;
  /** By kind: see src/runtime/conservation-alarms.ts. */
  readonly alarms: Readonly<Record<string, number>>;
  /** Provider accounts asked here. */
  readonly providers: readonly {
    readonly account: string;
    readonly subjects: number;
    readonly due: number;
    readonly failing: number;
    readonly held: number;
    readonly inFlight: number;
    readonly concurrency: number;
    readonly calls: number;
    readonly refused: number;
    readonly failed: number;
    readonly pace: number;
    readonly shortfallSeconds: number;
    readonly freshSecondsP50: number | undefined;
    readonly freshSecondsP99: number | undefined;
    readonly circuit: 'closed' | 'open' | 'probing';
    readonly push: { readonly kind: 'active' | 'missing' } | undefined;
    /** Epoch ms. */
    readonly pushSeenAt: number | undefined;
    readonly paused: string | undefined;
  }[];
  /** With NATS: events of the log that it does not have yet, and since when the first of them waits, ms of the clock. */
  readonly relay?: { readonly waiting: number; readonly oldestMs: number };
}

interface Durations {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What the store knows, for all processes alike. */
export interface StoreFigures {
  readonly balances: readonly TenantBalance[];
  readonly notifications: readonly { readonly pending: number; readonly overdue: number }[];
}

/** Tenants with a line of their own: every one costs the monitoring system memory. The sums are always there. */
const TENANTS_MAX = 100;

const BALANCE = {
  accepted: 'events accepted, once for each stage that reads their topic',
  done: 'events worked on, or given up by an operator',
  failed: 'open dead letters',
  inProgress: 'events waiting or put off',
  overdue: 'events put off until a time that is long past',
  lost: 'events found nowhere by the last check, and put back',
  recovered: 'events put back ever',
} as const;

/** Prometheus text format 0.0.4. Names of stages, accounts and tenants only: nothing of any traveller. */
export function metricsText(figures: Figures | undefined, store: StoreFigures): string {
  const page = new Page();
  for (const stage of figures?.stages ?? []) {
    const { name, latency, wait } = stage;
    page.add('stage_waiting', 'gauge', 'events waiting in the shards of this process', stage.waiting, { stage: name });
    page.add('stage_parked', 'gauge', 'events put off until their next attempt', stage.parked, { stage: name });
    page.add('stage_running', 'gauge', 'events worked on now', stage.running, { stage: name });
    page.add('stage_paused', 'gauge', '1: an operator has paused it', stage.paused ? 1 : 0, { stage: name });
    page.add('stage_processed_total', 'counter', 'effects since the start', stage.processed, { stage: name });
    page.add('stage_repeats_total', 'counter', 'events that had been done before', stage.repeats, { stage: name });
    page.add('stage_retried_total', 'counter', 'attempts that failed and are repeated', stage.retried, { stage: name });
    page.add('stage_dead_total', 'counter', 'events set aside', stage.dead, { stage: name });
    page.durations('stage_latency', 'from delivery to durable', latency, name);
    page.durations('stage_wait', 'from append to delivery', wait, name);
  }
  if (figures !== undefined) {
    page.add('overloaded', 'gauge', '1: intake says "later"', figures.overloaded ? 1 : 0);
    page.add('workers_alive', 'gauge', 'processes at work on the installation', figures.workersAlive);
    const groups = Map.groupBy(figures.held, (resource) => resource.split('/')[0]!);
    for (const [group, held] of groups)
      page.add('leases_held', 'gauge', 'held by this process', held.length, { group });
    if (figures.relay !== undefined) {
      page.add('relay_waiting', 'gauge', 'events that NATS does not have yet', figures.relay.waiting);
      page.add('relay_oldest_seconds', 'gauge', 'since when the first of them waits', figures.relay.oldestMs / 1000);
    }
    addProviders(page, figures.providers);
    for (const [kind, count] of Object.entries(figures.alarms))
      page.add('alarm', 'gauge', 'work that nobody attends to, by the last check', count, { kind });
  }
  for (const [name, help] of Object.entries(BALANCE)) {
    const key = name as keyof typeof BALANCE;
    const metric = snake(name) + (name === 'recovered' ? '_total' : '');
    const type = name === 'recovered' ? 'counter' : 'gauge';
    page.add(
      `events_${metric}`,
      type,
      help,
      sum(store.balances, (one) => one[key]),
    );
    for (const one of store.balances.slice(0, TENANTS_MAX))
      page.add(`tenant_events_${metric}`, type, help, one[key], { tenant: one.tenant });
  }
  const off = store.balances.filter((one) => one.accepted !== one.done + one.failed + one.inProgress).length;
  page.add('tenants_unbalanced', 'gauge', 'tenants whose events do not add up', off);
  const checked = Math.min(...store.balances.map((one) => one.checkedAt));
  if (Number.isFinite(checked))
    page.add('conservation_checked_timestamp_seconds', 'gauge', 'the oldest check of a shard', checked / 1000);
  page.add(
    'notifications_pending',
    'gauge',
    'webhook deliveries to do',
    sum(store.notifications, (one) => one.pending),
  );
  page.add(
    'notifications_overdue',
    'gauge',
    'of these, late by minutes',
    sum(store.notifications, (one) => one.overdue),
  );
  return page.text();
}

function addProviders(page: Page, providers: Figures['providers']): void {
  for (const one of providers) {
    const at = { account: one.account };
    const gauge = (name: string, help: string, value: number) => page.add(`provider_${name}`, 'gauge', help, value, at);
    const total = (name: string, help: string, value: number) =>
      page.add(`provider_${name}`, 'counter', help, value, at);
    gauge('subjects', 'things asked about', one.subjects);
    gauge('due', 'of these, waiting for a call', one.due);
    gauge('unverified', 'of these, last question failed', one.failing);
    gauge('held', 'answers held back: too many changed alike at once', one.held);
    gauge('in_flight', 'questions out', one.inFlight);
    gauge('concurrency', 'questions that may be out', one.concurrency);
    gauge('pace', 'share of the known limits that the provider lets through', one.pace);
    gauge(
      'shortfall_seconds',
      'so much older than promised answers get, because the limits allow no more',
      one.shortfallSeconds,
    );
    gauge('circuit_open', '1: it does not answer and is only probed', one.circuit === 'closed' ? 0 : 1);
    gauge('paused', '1: it wants to be left alone, or refuses our key', one.paused === undefined ? 0 : 1);
    if (one.push !== undefined) gauge('push_active', '1: its subscription stands', one.push.kind === 'active' ? 1 : 0);
    if (one.pushSeenAt !== undefined)
      gauge('push_seen_timestamp_seconds', 'when that was last looked after', one.pushSeenAt / 1000);
    total('calls_total', 'questions since the start', one.calls);
    total('refused_total', 'of these, refused by a limit', one.refused);
    total('failed_total', 'of these, failed otherwise', one.failed);
    for (const [quantile, seconds] of [
      ['0.5', one.freshSecondsP50],
      ['0.99', one.freshSecondsP99],
    ] as const)
      if (seconds !== undefined)
        page.add('provider_age_seconds', 'gauge', 'age of answers now', seconds, { ...at, quantile });
  }
}

/** Lines grouped by metric, as the format wants them. */
class Page {
  readonly #metrics = new Map<string, { readonly head: string; readonly lines: string[] }>();

  add(name: string, type: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#line(name, type, help, '', value, labels);
  }

  durations(name: string, help: string, { count, p50Ms, p99Ms, maxMs }: Durations, stage: string): void {
    const metric = `${name}_seconds`;
    const quantiles = { '0.5': p50Ms, '0.99': p99Ms, '1': maxMs };
    for (const [quantile, ms] of Object.entries(quantiles))
      this.#line(metric, 'summary', help, '', ms / 1000, { stage, quantile });
    this.#line(metric, 'summary', help, '_count', count, { stage });
  }

  text(): string {
    return [...this.#metrics.values()].map(({ head, lines }) => `${head}${lines.join('')}`).join('');
  }

  #line(
    name: string,
    type: string,
    help: string,
    suffix: string,
    value: number,
    labels: Readonly<Record<string, string>>,
  ): void {
    const full = `tripwatch_${name}`;
    let metric = this.#metrics.get(full);
    if (metric === undefined) {
      metric = { head: `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`, lines: [] };
      this.#metrics.set(full, metric);
    }
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    metric.lines.push(`${full}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`);
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
