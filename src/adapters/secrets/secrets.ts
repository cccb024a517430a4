import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { TripwatchError } from '../../domain/errors.ts';
import type { Secrets } from '../../ports/secrets.ts';

const KEY_BYTES = 32;
/** The size that NIST SP 800-38D recommends for GCM; random, which is safe for far more secrets than one key sees. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Secrets sealed with AES-256-GCM under the key in the file `path` (hex), which is made with mode 0600 when missing.
 * Whoever has the data folder without the key file can read none of them; whoever loses the key file has lost them.
 * A sealed text is `v1.<key id>.<nonce, ciphertext, tag in base64url>`.
 * Errors: permanent `secret-key-invalid` for a damaged key file.
 */
export function openSecrets(path: string): Secrets {
  return secretsWith(readOrMakeKey(path));
}

/** The same with a key that is kept elsewhere: 64 hex digits. Errors: permanent `secret-key-invalid`. */
export function openSecretsWithKey(text: string): Secrets {
  if (!/^[0-9a-fA-F]{64}$/.test(text.trim()))
    throw new TripwatchError(
      'permanent',
      'secret-key-invalid',
      'The key of the installation (secrets.key) must be 64 hex digits, as the file `key` of a data folder holds them.',
    );
  return secretsWith(Buffer.from(text.trim(), 'hex'));
}

function secretsWith(key: Buffer): Secrets {
  const keyId = createHash('sha256').update('tripwatch key id').update(key).digest('hex').slice(0, 8);
  return {
    keyId,
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(`v1.${keyId}.${context}`, 'utf8'));
      const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${keyId}.${body.toString('base64url')}`;
    },
    open: (sealed, context) => {
      const parts = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(sealed);
      const body = Buffer.from(parts?.[2] ?? '', 'base64url');
      if (parts === null || body.length < NONCE_BYTES + TAG_BYTES) throw unreadable('it is not a sealed secret');
      if (parts[1] !== keyId) {
        throw unreadable(`it was sealed with key ${parts[1]}, but the key file holds ${keyId}. Restore the key file`);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(`v1.${keyId}.${context}`, 'utf8'));
      decipher.setAuthTag(body.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
          'utf8',
        );
      } catch {
        throw unreadable('it was changed, or belongs to something else');
      }
    },
  };
}

function unreadable(why: string): TripwatchError {
  return new TripwatchError('permanent', 'secret-unreadable', `A stored secret cannot be opened: ${why}.`);
}

function readOrMakeKey(path: string): Buffer {
  try {
    return readKey(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Written whole under another name and then linked, so that two processes starting at once agree on one key.
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
  syncFolderOf(path);
  return readKey(path);
}

function readKey(path: string): Buffer {
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new TripwatchError(
      'permanent',
      'secret-key-invalid',
      `The key file ${path} must hold 64 hex digits. Restore it from a backup; a new key cannot open the old secrets.`,
    );
  }
  try {
    chmodSync(path, 0o600);
  } catch {
    // A key mounted read-only by someone else is theirs to protect.
  }
  return Buffer.from(text, 'hex');
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
