import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFile,
  writeFileSync,
} from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TripwatchError } from '../../../domain/errors.ts';
import { DEFAULT_TENANT, type TenantId } from '../../../domain/ids.ts';
import {
  type BlobKeeper,
  type BlobRef,
  type BlobSeal,
  SEAL_HEAD_BYTES,
  type StoredBlob,
} from '../../../ports/blobs.ts';

/** Puts under way at once: each holds a file handle; more only wait. */
const PUTS_MAX = 64;
/** Up to this size a write goes to the page cache at once (under 0.1 ms); a larger one must not hold up the event loop. */
const WRITE_AT_ONCE_BYTES_MAX = 256 * 1024;

const datasync = promisify(fdatasync);
const sync = promisify(fsync);
const writeWhole = promisify(writeFile);

/**
 * Blobs as files: `<folder>/<owner>/a/b/<sha256>` (256 folders: a million mails are 4,000 in each), readable by the owner
 * of the installation only, and encrypted. A file is written under a temporary name, synced, renamed, and its folder
 * synced, so what stands under its final name is whole. Only the syncs are worth a thread; those of several puts run in
 * parallel, and puts of one folder that end together share one sync of it.
 *
 * Without a seal (tests, and installations from before there was one) they are `<folder>/a/b/<sha256>`, as they came; such
 * files stay readable.
 */
export function openFsBlobs(folder: string, seal?: BlobSeal): BlobKeeper {
  const underWay = new Map<string, Promise<BlobRef>>();
  const folders = new Folders(folder);
  const slots = new Slots(PUTS_MAX);
  const baseOf = (owner: TenantId | 'shared'): string =>
    seal === undefined || owner === 'shared' || !OWNER.test(owner) ? folder : join(folder, owner);

  const write = async (bytes: Uint8Array, hex: string, base: string): Promise<void> => {
    const parent = await folders.ready(base, hex);
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
    put: (bytes, owner = DEFAULT_TENANT) => {
      const hex = sha256(bytes);
      const ref: BlobRef = `sha256:${hex}`;
      const base = baseOf(owner);
      const same = underWay.get(`${base}/${hex}`);
      if (same !== undefined) return same;
      const put = slots
        .run(() => write(seal?.seal(bytes, owner, ref) ?? bytes, hex, base))
        .then(
          () => ref,
          (error: unknown) => {
            throw translate(error);
          },
        )
        .finally(() => underWay.delete(`${base}/${hex}`));
      underWay.set(`${base}/${hex}`, put);
      return put;
    },
    get: async (ref, owner = DEFAULT_TENANT) => {
      const hex = hexOf(ref);
      if (hex === undefined) throw missing(ref);
      const sealed = seal === undefined ? undefined : await readIfThere(pathOf(baseOf(owner), hex));
      if (seal !== undefined && sealed !== undefined) return seal.open(sealed, owner, ref);
      const bytes = await readIfThere(pathOf(folder, hex));
      if (bytes === undefined) throw missing(ref);
      if (sha256(bytes) !== hex) {
        throw new TripwatchError(
          'permanent',
          'blob-corrupt',
          `The stored mail ${ref} has changed on disk. Restore the file from a backup.`,
        );
      }
      return bytes;
    },
    remove: async (ref, owner, idleMs) => {
      const hex = hexOf(ref);
      if (hex === undefined) return false;
      const path = pathOf(baseOf(owner), hex);
      try {
        // Without a wait in between: a put that began before has touched the file.
        if (idleMs > 0 && Date.now() - statSync(path).mtimeMs < idleMs) return false;
        unlinkSync(path);
        return true;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        throw translate(error);
      }
    },
    list: () => listFiles(folder, seal),
  };
}

const OWNER = /^tnt_[A-Za-z0-9_-]{1,80}$/;
const HEX = /^[0-9a-f]{64}$/;

async function* listFiles(root: string, seal: BlobSeal | undefined): AsyncIterable<StoredBlob> {
  const owners = (await names(root)).filter((name) => OWNER.test(name)) as TenantId[];
  for (const owner of ['shared', ...owners] as const) {
    const base = owner === 'shared' ? root : join(root, owner);
    for (const first of await names(base)) {
      if (!/^[0-9a-f]$/.test(first)) continue;
      for (const second of await names(join(base, first)))
        for (const hex of await names(join(base, first, second)))
          if (HEX.test(hex)) {
            const keyId = owner === 'shared' ? undefined : seal?.keyIdOf(await headOf(join(base, first, second, hex)));
            yield { ref: `sha256:${hex}`, owner, keyId };
          }
    }
  }
}

async function names(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const head = new Uint8Array(SEAL_HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw translate(error);
  }
}

const hexOf = (ref: BlobRef): string | undefined => /^sha256:([0-9a-f]{64})$/.exec(ref)?.[1];

/** Makes the folders once each, and syncs them, many puts to one sync. */
class Folders {
  readonly #root: string;
  readonly #made = new Map<string, Promise<string>>();
  readonly #syncs = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>();

  constructor(root: string) {
    this.#root = root;
  }

  ready(base: string, hex: string): Promise<string> {
    const name = `${base}/${hex.slice(0, 2)}`;
    let made = this.#made.get(name);
    if (made === undefined) {
      made = this.#make(base, hex);
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

  async #make(base: string, hex: string): Promise<string> {
    const first = join(base, hex.slice(0, 1));
    const second = join(first, hex.slice(1, 2));
    const made = mkdirSync(second, { recursive: true, mode: 0o700 });
    if (made !== undefined) {
      await this.sync(first);
      await this.sync(base);
      if (base !== this.#root) await this.sync(this.#root);
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

/** Whether the file is there with these bytes; a changed one is written again. Touched first: then nobody removes it. */
async function isWhole(path: string, bytes: Uint8Array): Promise<boolean> {
  if (!existsSync(path)) return false;
  try {
    const now = new Date();
    utimesSync(path, now, now);
    return (await readFile(path)).equals(bytes);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
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
