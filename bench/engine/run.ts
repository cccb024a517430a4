import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createSubjects, type Subjects, type SubjectsOptions } from './subjects.ts';

export interface EngineOptions {
  readonly subjects: number;
  readonly intervalSeconds: number;
  readonly seconds: number;
  readonly order: 'due' | 'random';
  /** Also: snapshot to a file, a new engine from it, and the time until it asks at full speed. */
  readonly restart: boolean;
}

export interface EngineFigures extends EngineOptions {
  readonly perSecondWanted: number;
  readonly perSecond: number;
  /** Share of one core, all of the process. */
  readonly corePercent: number;
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly changes: number;
  readonly bytesPerSubject: number;
  readonly rssMiB: number;
  readonly buildSeconds: number;
  readonly restarted?: RestartFigures;
}

interface RestartFigures {
  readonly snapshotSeconds: number;
  readonly readSeconds: number;
  readonly rebuildSeconds: number;
  /** From the start of reading until questions are asked at full speed and none is late by more than 10 ms. */
  readonly toFullSpeedSeconds: number;
}

/** A turn of the engine so often: half of the lateness it may have. */
const TURN_MS = 2;
const WARM_UP_MS = 2000;

const clock = (): number => performance.timeOrigin + performance.now();

export async function runEngine(options: EngineOptions): Promise<EngineFigures> {
  const made = performance.now();
  const base = { intervalMs: options.intervalSeconds * 1000, order: options.order, clock };
  let subjects: Subjects | undefined = createSubjects({ ...base, count: options.subjects, now: clock() });
  const buildSeconds = (performance.now() - made) / 1000;
  await turns(subjects, Math.min(WARM_UP_MS, options.seconds * 500));
  subjects.reset();
  const cpu = process.cpuUsage();
  const from = performance.now();
  await turns(subjects, options.seconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const used = process.cpuUsage(cpu);
  const figures: EngineFigures = {
    ...options,
    perSecondWanted: options.subjects / options.intervalSeconds,
    perSecond: Math.round(subjects.asked / seconds),
    corePercent: rounded(((used.user + used.system) / 1e6 / seconds) * 100),
    lateMs: { p50: quantile(subjects, 0.5), p99: quantile(subjects, 0.99), max: quantile(subjects, 1) },
    changes: subjects.changes,
    bytesPerSubject: rounded(subjects.bytes / subjects.count),
    rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
    buildSeconds: rounded(buildSeconds),
  };
  if (!options.restart) return figures;
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-engine-'));
  try {
    const file = join(folder, 'snapshot');
    const snapshotSeconds = timed(() => write(file, subjects!));
    subjects = undefined;
    return { ...figures, restarted: { snapshotSeconds, ...(await restart(file, options.subjects, base)) } };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function turns(subjects: Subjects, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    subjects.turn(clock());
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
}

async function restart(
  file: string,
  count: number,
  base: Pick<SubjectsOptions, 'intervalMs' | 'order' | 'clock'>,
): Promise<Omit<RestartFigures, 'snapshotSeconds'>> {
  const from = performance.now();
  const answers = new Uint32Array(2 * count);
  const dues = new Float64Array(count);
  const readSeconds = timed(() => read(file, [answers, dues]));
  let subjects: Subjects | undefined;
  const rebuildSeconds = timed(() => {
    subjects = createSubjects({ ...base, count, now: clock(), from: { answers, dues } });
  });
  for (;;) {
    subjects!.reset();
    const since = performance.now();
    await turns(subjects!, 250);
    const perSecond = (subjects!.asked * 1000) / (performance.now() - since);
    const isFull = perSecond >= (0.97 * count * 1000) / base.intervalMs && quantile(subjects!, 0.99) <= 10;
    if (isFull || since - from > 120_000) {
      const toFullSpeedSeconds = rounded((since - from) / 1000);
      return { readSeconds, rebuildSeconds, toFullSpeedSeconds };
    }
  }
}

const PIECE = 64 * 2 ** 20;

function write(file: string, subjects: Subjects): void {
  const dues = new Float64Array(subjects.count);
  subjects.dues(dues);
  const handle = openSync(file, 'w');
  for (const part of [subjects.answers, dues])
    for (let at = 0; at < part.byteLength; at += PIECE)
      writeSync(handle, new Uint8Array(part.buffer, at, Math.min(PIECE, part.byteLength - at)));
  closeSync(handle);
}

function read(file: string, parts: readonly (Uint32Array | Float64Array)[]): void {
  const handle = openSync(file, 'r');
  for (const part of parts)
    for (let at = 0; at < part.byteLength; )
      at += readSync(handle, new Uint8Array(part.buffer, at, Math.min(PIECE, part.byteLength - at)));
  closeSync(handle);
}

function timed(work: () => void): number {
  const from = performance.now();
  work();
  return rounded((performance.now() - from) / 1000);
}

/** In whole ms, rounded up. */
function quantile(subjects: Subjects, q: number): number {
  let left = Math.ceil(subjects.asked * q);
  for (let ms = 0; ms < subjects.lateness.length; ms++) {
    left -= subjects.lateness[ms]!;
    if (left <= 0) return ms + 1;
  }
  return subjects.lateness.length;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
