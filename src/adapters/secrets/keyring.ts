import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { TripwatchError } from '../../domain/errors.ts';

const KEY_BYTES = 32;
/** A rotation adds one; `keys forget` takes those away that nothing needs. */
const KEYS_MAX = 16;

/** The keys of an installation: the first seals, all open. */
export interface Keyring {
  readonly current: { readonly id: string; readonly key: Buffer };
  /** Of all keys, the current one first. */
  readonly ids: readonly string[];
  /** Undefined: there is no such key here, also not in the file as it is now. */
  key(id: string): Buffer | undefined;
}

/** Names a key without telling it. */
export const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update('tripwatch key id').update(key).digest('hex').slice(0, 8);

/**
 * The keys in the file `path`, one a line, 64 hex digits each; made with one key and mode 0600 when missing. A key that was
 * added since is found: the file is read again when something is sealed with a key not known here.
 * Errors: permanent `secret-key-invalid` for a damaged file.
 */
export function openKeyring(path: string): Keyring {
  return ringOf(readOrMake(path), () => read(path));
}

/** The same with keys that are kept elsewhere: 64 hex digits each, with blanks or line ends between them. */
export function keyringOf(text: string): Keyring {
  return ringOf(
    parse(
      text,
      () =>
        'The key of the installation (secrets.key) must be 64 hex digits, as the file `key` of a data folder holds them.',
    ),
  );
}

/** Puts a new key in front of those in the file. Returns its id. */
export function addKey(path: string): string {
  const keys = readOrMake(path);
  if (keys.length >= KEYS_MAX)
    throw new TripwatchError(
      'permanent',
      'secret-key-invalid',
      `The key file ${path} holds ${keys.length} keys already. Take away those that nothing needs: tripwatch keys forget ID.`,
    );
  const key = randomBytes(KEY_BYTES);
  write(path, [key, ...keys]);
  return keyIdOf(key);
}

/** Takes a key out of the file; the current one stays. Returns whether it was there. */
export function removeKey(path: string, id: string): boolean {
  const [current, ...old] = read(path);
  const left = old.filter((key) => keyIdOf(key) !== id);
  if (left.length === old.length) return false;
  write(path, [current!, ...left]);
  return true;
}

function ringOf(keys: readonly Buffer[], again?: () => readonly Buffer[]): Keyring {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  const ids = [...byId.keys()];
  return {
    current: { id: ids[0]!, key: keys[0]! },
    ids,
    key: (id) => {
      const found = byId.get(id);
      if (found !== undefined || again === undefined) return found;
      for (const key of again()) byId.set(keyIdOf(key), key);
      return byId.get(id);
    },
  };
}

function parse(text: string, fault: () => string): readonly Buffer[] {
  const lines = text.split(/[\s,]+/).filter((line) => line !== '');
  if (lines.length === 0 || lines.length > KEYS_MAX || !lines.every((line) => /^[0-9a-fA-F]{64}$/.test(line)))
    throw new TripwatchError('permanent', 'secret-key-invalid', fault());
  return lines.map((line) => Buffer.from(line, 'hex'));
}

function readOrMake(path: string): readonly Buffer[] {
  try {
    return read(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Written whole under another name and then linked, so that two processes starting at once agree on one key.
  const temporary = writeTemporary(path, [randomBytes(KEY_BYTES)]);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
  syncFolderOf(path);
  return read(path);
}

function write(path: string, keys: readonly Buffer[]): void {
  renameSync(writeTemporary(path, keys), path);
  syncFolderOf(path);
}

function writeTemporary(path: string, keys: readonly Buffer[]): string {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, keys.map((key) => `${key.toString('hex')}\n`).join(''));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

function read(path: string): readonly Buffer[] {
  const keys = parse(
    readFileSync(path, 'utf8'),
    () =>
      `The key file ${path} must hold 64 hex digits a line. Restore it from a backup; a new key cannot open the old secrets.`,
  );
  try {
    chmodSync(path, 0o600);
  } catch {
    // A key mounted read-only by someone else is theirs to protect.
  }
  return keys;
}

function syncFolderOf(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Not every system lets a folder be synced.
  }
}
