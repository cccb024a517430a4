import type { Part } from './measure.ts';

/**
 * What a job queue must be able to do to be measured here. Job number `n` carries `payload(n)`, the same data for all,
 * and is published durably: `publish` may resolve only when the job has been synced to disk.
 */
export interface Contestant {
  readonly name: string;
  /** What an acknowledged publish has survived, in a few words; the servers are asked, not believed. */
  readonly durability: string;
  /** The ways of working that are tried for steady state and drain; the best counts. */
  readonly settings: readonly [Setting, ...Setting[]];
  /** The one for latency at low load. */
  readonly prompt: Setting;
  /** How often every job is handled: once for each subscriber. */
  readonly subscribers: number;
  /** What to measure of it; default: all. */
  readonly parts?: readonly Part[];
  /** Node's flags for the process it runs in. */
  readonly flags?: readonly string[];
  /** Undefined: it can be measured here. Otherwise what is missing, and how to get it. */
  missing?(): string | undefined;
  /** Starts what it needs in the folder, on free loopback ports. */
  start(folder: string): Promise<Host>;
}

/** How its workers are set; each contestant reads what it knows. */
export interface Setting {
  readonly label: string;
  readonly concurrency: number;
  /** Jobs taken at once. */
  readonly batch?: number;
}

export interface Host {
  /** What the servers answer about themselves: version and durability. */
  readonly facts: Readonly<Record<string, string>>;
  /** A new queue with nothing in it, whose workers have not begun. */
  open(setting: Setting): Promise<Queue>;
  stop(): Promise<void>;
}

/** Called when the handler of job `n` begins, in the subscriber with that number. */
export type Handled = (n: number, subscriber: number) => void;

export interface Queue {
  publish(n: number): Promise<void>;
  /** Jobs `first` to `first + count - 1` in one call, as durable. */
  publishMany(first: number, count: number): Promise<void>;
  work(handled: Handled): Promise<void>;
  /** Jobs not finished and acknowledged, by the queue's own books, those that failed included. */
  unfinished(): Promise<number>;
  close(): Promise<void>;
}
