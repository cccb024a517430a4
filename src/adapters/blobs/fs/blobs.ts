import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFile,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TripwatchError } from '../../../domain/errors.ts';
import type { BlobRef, BlobStore } from '../../../ports/blobs.ts';

/** Puts under way at once: each holds a file handle; more only wait. */
const PUTS_MAX = 64;
/** Up to this size a write goes to the page cache at once (under 0.1 ms); a larger one must not hold up the event loop. */
const WRITE_AT_ONCE_BYTES_MAX = 256 * 1024;

const datasync = promisify(fdatasync);
const sync = promisify(fsync);
const writeWhole = promisify(writeFile);

/**
 * Blobs as files: `<folder>/a/b/<sha256>` (256 folders: a million mails are 4,000 in each), readable by the owner only.
 * A file is written under a temporary name, synced, renamed, and its folder synced, so what stands under its final name
 * is whole. Only the syncs are worth a thread; those of several puts run in parallel, and puts of one folder that end
 * together share one sync of it.
 */
export function openFsBlobs(folder: string): BlobStore {
  const underWay = new Map<BlobRef, Promise<BlobRef>>();
  const folders = new Folders(folder);
  const slots = new Slots(PUTS_MAX);

  const write = async (bytes: Uint8Array, hex: string): Promise<void> => {
    const parent = await folders.ready(hex);
    const path = join(parent, hex);
    if (await isWhole(path, bytes)) {
      // Perhaps written by a process that died before it synced the folder.
      await folders.sync(parent);
      return;
    }
    const temporary = join(parent, `.${hex.slice(0, 16)}.${randomUUID()}`);
    try {
      await writeSynced(temporary, bytes);
      renameSync(temporary, path);
    } catch (error) {
      if (existsSync(temporary)) unlinkSync(temporary);
      throw error;
    }
    await folders.sync(parent);
  };

  return {
    put: (bytes) => {
      const hex = sha256(bytes);
      const ref: BlobRef = `sha256:${hex}`;
      const same = underWay.get(ref);
      if (same !== undefined) return same;
      const put = slots
        .run(() => write(bytes, hex))
        .then(
          () => ref,
          (error: unknown) => {
            throw translate(error);
          },
        )
        .finally(() => underWay.delete(ref));
      underWay.set(ref, put);
      return put;
    },
    get: async (ref) => {
      const hex = /^sha256:([0-9a-f]{64})$/.exec(ref)?.[1];
      if (hex === undefined) throw missing(ref);
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(folder, hex));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw missing(ref);
        throw translate(error);
      }
      if (sha256(bytes) !== hex) {
        throw new TripwatchError(
          'permanent',
          'blob-corrupt',
          `The stored mail ${ref} has changed on disk. Restore the file from a backup.`,
        );
      }
      return bytes;
    },
  };
}

/** Makes the folders once each, and syncs them, many puts to one sync. */
class Folders {
  readonly #root: string;
  readonly #made = new Map<string, Promise<string>>();
  readonly #syncs = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>();

  constructor(root: string) {
    this.#root = root;
  }

  ready(hex: string): Promise<string> {
    const name = hex.slice(0, 2);
    let made = this.#made.get(name);
    if (made === undefined) {
      made = this.#make(hex);
      this.#made.set(name, made);
      made.catch(() => this.#made.delete(name));
    }
    return made;
  }

  /** Resolves after a sync that began after this call. */
  sync(path: string): Promise<void> {
    const current = this.#syncs.get(path);
    if (current !== undefined) {
      // The running one may have begun before our rename: the next one, shared, counts.
      current.next ??= current.running.catch(() => {}).then(() => this.#start(path));
      return current.next;
    }
    return this.#start(path);
  }

  async #make(hex: string): Promise<string> {
    const first = join(this.#root, hex.slice(0, 1));
    const second = join(first, hex.slice(1, 2));
    const made = mkdirSync(second, { recursive: true, mode: 0o700 });
    if (made !== undefined) {
      await this.sync(first);
      await this.sync(this.#root);
    }
    return second;
  }

  #start(path: string): Promise<void> {
    const running = syncFolder(path);
    const entry = { running, next: undefined };
    this.#syncs.set(path, entry);
    const done = (): void => {
      if (this.#syncs.get(path) === entry && entry.next === undefined) this.#syncs.delete(path);
    };
    running.then(done, done);
    return running;
  }
}

/** At most so many at once, first come first served. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#free = max;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#free++;
    }
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = openSync(path, 'wx', 0o600);
  try {
    if (bytes.byteLength <= WRITE_AT_ONCE_BYTES_MAX) writeFileSync(file, bytes);
    else await writeWhole(file, bytes);
    await datasync(file);
  } finally {
    closeSync(file);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await sync(folder);
  } catch (error) {
    // Windows cannot sync folders; its rename is durable by itself.
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EISDIR') throw error;
  } finally {
    closeSync(folder);
  }
}

/** Whether the file is there with these bytes; a changed one is written again. */
async function isWhole(path: string, bytes: Uint8Array): Promise<boolean> {
  return existsSync(path) && (await readFile(path)).equals(bytes);
}

function pathOf(folder: string, hex: string): string {
  return join(folder, hex.slice(0, 1), hex.slice(1, 2), hex);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function missing(ref: string): TripwatchError {
  return new TripwatchError('permanent', 'blob-missing', `There is no stored mail ${ref}.`);
}

function translate(error: unknown): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TripwatchError(
        'transient',
        'blob-disk-full',
        'The disk for raw mails is full. Free some space; mails are taken again by themselves.',
        { cause: error },
      );
    case 'EMFILE':
    case 'ENFILE':
      return new TripwatchError('transient', 'blob-files-open', 'Too many files are open; try again.', {
        cause: error,
      });
    case 'EIO':
      return new TripwatchError('defect', 'blob-io', 'The disk failed while a raw mail was read or written.', {
        cause: error,
      });
    default:
      return error;
  }
}
