import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { TripwatchError } from '../../domain/errors.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { type Keyring, keyringOf, openKeyring } from './keyring.ts';

/** The size that NIST SP 800-38D recommends for GCM; random, which is safe for far more secrets than one key sees. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Secrets sealed with AES-256-GCM under the current key of a ring (keyring.ts). Whoever has the data folder without the
 * key file can read none of them; whoever loses the key file has lost them. A sealed text is
 * `v1.<key id>.<nonce, ciphertext, tag in base64url>`.
 */
export function secretsWith(ring: Keyring): Secrets {
  return {
    keyId: ring.current.id,
    seal: (plain, context) => {
      const { id, key } = ring.current;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(`v1.${id}.${context}`, 'utf8'));
      const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${id}.${body.toString('base64url')}`;
    },
    open: (sealed, context) => {
      const id = sealedWith(sealed);
      const body = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
      if (id === undefined || body.length < NONCE_BYTES + TAG_BYTES) throw unreadable('it is not a sealed secret');
      const key = ring.key(id);
      if (key === undefined) {
        const held = ring.ids.join(', ');
        throw unreadable(`it was sealed with key ${id}, but the key file holds ${held}. Restore the key file`);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(`v1.${id}.${context}`, 'utf8'));
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

/** With the keys of a file, which is made when missing. Errors: permanent `secret-key-invalid` for a damaged one. */
export function openSecrets(path: string): Secrets {
  return secretsWith(openKeyring(path));
}

/** The same with keys that are kept elsewhere: 64 hex digits. Errors: permanent `secret-key-invalid`. */
export function openSecretsWithKey(text: string): Secrets {
  return secretsWith(keyringOf(text));
}

/** The id of the key that a text is sealed with; undefined: it is no sealed text. */
export function sealedWith(sealed: string): string | undefined {
  return /^v1\.([0-9a-f]{8})\.[A-Za-z0-9_-]+$/.exec(sealed)?.[1];
}

function unreadable(why: string): TripwatchError {
  return new TripwatchError('permanent', 'secret-unreadable', `A stored secret cannot be opened: ${why}.`);
}
