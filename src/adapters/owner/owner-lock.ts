import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TripwatchError } from '../../domain/errors.ts';

/** The right to run stages on a data folder. */
export interface Ownership {
  /** Idempotent. A process that dies gives it back without this. */
  release(): void;
}

export interface Owner {
  readonly pid: number;
  /** ISO instant. */
  readonly since: string;
}

const LOCK_FILE = 'owner.lock';
const NOTE_FILE = 'owner.json';
/** Kept here, for a connection that nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();
/** SQLite's primary result codes for a lock that another holds. */
const BUSY_CODES = new Set([5, 6]);

/**
 * Takes the data folder, or returns undefined when a living process has it. The lock is an exclusive transaction on a
 * side file: the operating system gives it back at the very moment its holder dies, so there is no lease to wait for.
 * Errors: permanent `data-folder-unusable`.
 */
export function tryOwn(dataFolder: string, now: string): Ownership | undefined {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(join(dataFolder, LOCK_FILE), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    const code = (error as { errcode?: unknown }).errcode;
    if (typeof code === 'number' && BUSY_CODES.has(code & 0xff)) return undefined;
    throw new TripwatchError(
      'permanent',
      'data-folder-unusable',
      `The data folder ${dataFolder} cannot be locked. Is it a folder on a local disk that this user may write to?`,
      { cause: error },
    );
  }
  const mine = lock;
  held.add(mine);
  writeFileSync(join(dataFolder, NOTE_FILE), `${JSON.stringify({ pid: process.pid, since: now } satisfies Owner)}\n`);
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      rmSync(join(dataFolder, NOTE_FILE), { force: true });
      held.delete(mine);
      mine.close();
    },
  };
}

/** Who says to own the folder: for messages only, as a process that was killed leaves its note behind. */
export function readOwner(dataFolder: string): Owner | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(join(dataFolder, NOTE_FILE), 'utf8'));
    if (typeof note !== 'object' || note === null) return undefined;
    const { pid, since } = note as Record<string, unknown>;
    return typeof pid === 'number' && typeof since === 'string' ? { pid, since } : undefined;
  } catch {
    return undefined;
  }
}
