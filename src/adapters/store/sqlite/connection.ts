import { chmodSync, closeSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TripwatchError } from '../../../domain/errors.ts';
import { translate } from './errors.ts';
import { OPEN_BUSY_MS, PAGE_BYTES, READER_CACHE_KIB, WRITER_CACHE_KIB } from './limits.ts';

/** Magic numbers of file systems whose locks SQLite cannot trust: NFS, SMB, CIFS, SMB2. */
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

/** The numbers of `PRAGMA synchronous`: 2 is FULL, a sync on every commit. */
const SYNCHRONOUS_FULL = 2;

/**
 * Opens the writing connection. Creates folder (0700) and file (0600). Refuses to start (`permanent`) on a network file
 * system or when SQLite does not confirm WAL and synchronous=FULL: without them an acknowledged write could be lost.
 */
export function openWriter(file: string): DatabaseSync {
  const memory = file === ':memory:';
  if (!memory) prepareFile(file);
  try {
    const database = new DatabaseSync(file, { timeout: OPEN_BUSY_MS, enableForeignKeyConstraints: true });
    try {
      database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;');
      database.exec(`PRAGMA cache_size = -${WRITER_CACHE_KIB}; PRAGMA journal_size_limit = 67108864;`);
      demand(database, 'journal_mode', memory ? 'memory' : 'wal');
      demand(database, 'synchronous', SYNCHRONOUS_FULL);
      demand(database, 'foreign_keys', 1);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw translate(error);
  }
}

/** Opens a connection that cannot write. The file exists and is in WAL mode by then. */
export function openReader(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: OPEN_BUSY_MS });
    database.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${READER_CACHE_KIB};`);
    return database;
  } catch (error) {
    throw translate(error);
  }
}

function prepareFile(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (NETWORK_FILE_SYSTEMS.has(statfsSync(folder).type)) {
    throw new TripwatchError(
      'permanent',
      'store-on-network',
      `The data folder ${folder} is on a network file system, where SQLite can lose data. Choose a folder on a local disk.`,
    );
  }
  // WAL and shared-memory files take their permissions from the main file.
  closeSync(openSync(file, 'a', 0o600));
  try {
    chmodSync(file, 0o600);
  } catch {
    // Someone else owns the file: it is as readable as its owner made it.
  }
}

function demand(database: DatabaseSync, pragma: string, expected: string | number): void {
  const row = database.prepare(`PRAGMA ${pragma}`).get();
  const actual = row === undefined ? undefined : Object.values(row)[0];
  if (actual !== expected) {
    throw new TripwatchError(
      'permanent',
      'store-not-durable',
      `SQLite says ${pragma}=${String(actual)}, but ${pragma}=${expected} is needed. Is the data folder on a local disk?`,
    );
  }
}
