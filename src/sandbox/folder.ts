import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClock } from '../adapters/clock/system.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { openJournal, readJournal, writeWhole } from './journal.ts';
import type { PushRecord } from './providers/duffel-webhooks.ts';
import type { CallRecord } from './providers/fake.ts';
import { makeDay } from './scenario/day.ts';
import type { DayOptions, Scenario } from './scenario/types.ts';

/** What a folder of the sandbox holds: what was asked for, and what happened so far. The rest follows from these. */

export interface Meta {
  readonly version: 1;
  readonly day: DayOptions;
  readonly speed: number;
  /** Real epoch ms at which the sandbox clock shows `day.startAt`. */
  readonly anchor: number;
  /** Ports once chosen, so that a restart is found at the same addresses. */
  readonly ports: { readonly aerodatabox: number; readonly duffel: number; readonly sink: number };
  /** The same for the further vendors. */
  readonly vendorPorts?: Readonly<Record<string, number>>;
  readonly endpoint?: { readonly id: string; readonly secret: string };
  /** Sandbox instant at which the fakes were last stopped; null while they run. */
  readonly stoppedAt?: number | null;
}

export interface EnrolledPerson {
  readonly index: number;
  readonly traveller: string;
  readonly address: string;
}

/** A mail that the SMTP port took, or refused for good. */
export interface PlayedMail {
  readonly mail: string;
  readonly at: number;
  readonly refused?: string;
}

export interface RegisteredBooking {
  readonly booking: string;
  readonly owner: number;
  readonly at: number;
}

/** One event of the change stream as it came. */
export interface SaidEvent {
  readonly seq: number;
  readonly at: number;
  readonly id: string;
  readonly event: unknown;
}

/** One request at the webhook sink. */
export interface SinkEntry {
  readonly at: number;
  readonly webhookId: string;
  readonly genuine: boolean;
  readonly answered: number;
  readonly body: unknown;
}

/** A stretch in which whoever runs the test had stopped the service, sandbox time. */
export interface Downtime {
  readonly from: number;
  readonly to: number;
}

/** Everything that was seen to happen: the raw material of the verdict. */
export interface Witness {
  readonly people: readonly EnrolledPerson[];
  readonly mails: readonly PlayedMail[];
  readonly registered: readonly RegisteredBooking[];
  readonly said: readonly SaidEvent[];
  readonly sink: readonly SinkEntry[];
  readonly calls: readonly CallRecord[];
  readonly pushes: readonly PushRecord[];
  readonly downtime: readonly Downtime[];
}

const FILES = {
  people: 'people.jsonl',
  mails: 'mails.jsonl',
  registered: 'registered.jsonl',
  said: 'said.jsonl',
  sink: 'sink.jsonl',
  calls: 'calls.jsonl',
  pushes: 'pushes.jsonl',
  downtime: 'downtime.jsonl',
} as const;

export interface OpenOptions {
  readonly dataDir: string;
  readonly day?: Partial<DayOptions>;
  /** Sandbox seconds in one real second. */
  readonly speed?: number;
  /** Real milliseconds until the day begins: time to start the service and enrol the travellers. */
  readonly beginsInMs?: number;
}

export interface SandboxFolder {
  readonly dataDir: string;
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly meta: () => Meta;
  readonly update: (change: Partial<Pick<Meta, 'ports' | 'vendorPorts' | 'endpoint' | 'stoppedAt'>>) => void;
  readonly open: <K extends keyof Witness>(
    name: K,
  ) => { readonly entries: Witness[K]; add(entry: Witness[K][number]): void; close(): void };
  readonly witness: () => Witness;
}

const metaFile = (dataDir: string): string => join(dataDir, 'sandbox', 'meta.json');

/** The day that a folder holds; a new one is begun with the options given. Options of a day already begun are its own. */
export function openFolder(options: OpenOptions): SandboxFolder {
  const file = metaFile(options.dataDir);
  let meta: Meta;
  if (existsSync(file)) meta = readMeta(file);
  else {
    const { speed = 60, day = {}, beginsInMs = 0 } = options;
    meta = {
      version: 1,
      day: makeDay(day).options,
      speed,
      anchor: Date.now() + beginsInMs,
      ports: { aerodatabox: 0, duffel: 0, sink: 0 },
    };
    writeWhole(file, meta);
  }
  return folderOf(options.dataDir, meta);
}

/** The day of a folder that must exist. Errors: permanent `sandbox-folder`. */
export function existingDay(dataDir: string): SandboxFolder {
  const file = metaFile(dataDir);
  if (!existsSync(file)) {
    throw new TripwatchError(
      'permanent',
      'sandbox-folder',
      `There is no sandbox day in ${dataDir}; play one with \`tripwatch sandbox\`, or name its folder with --data.`,
    );
  }
  return folderOf(dataDir, readMeta(file));
}

function readMeta(file: string): Meta {
  const meta = JSON.parse(readFileSync(file, 'utf8')) as Meta;
  if (meta.version !== 1) {
    throw new TripwatchError(
      'permanent',
      'sandbox-folder',
      `The sandbox day in ${file} is of another version of Tripwatch; take a new folder.`,
    );
  }
  return meta;
}

function folderOf(dataDir: string, first: Meta): SandboxFolder {
  let meta = first;
  const path = (name: keyof Witness): string => join(dataDir, 'sandbox', FILES[name]);
  const read = <K extends keyof Witness>(name: K): Witness[K] =>
    readJournal(path(name)).entries as unknown as Witness[K];
  return {
    dataDir,
    scenario: makeDay(meta.day),
    clock: createClock({ speed: meta.speed, startAt: meta.day.startAt, anchor: meta.anchor }),
    meta: () => meta,
    update: (change) => {
      meta = { ...meta, ...change };
      writeWhole(metaFile(dataDir), meta);
    },
    open: (name) => openJournal(path(name)) as never,
    witness: () => ({
      people: read('people'),
      mails: read('mails'),
      registered: read('registered'),
      said: read('said'),
      sink: read('sink'),
      calls: read('calls'),
      pushes: read('pushes'),
      downtime: read('downtime'),
    }),
  };
}
