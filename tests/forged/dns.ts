import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** Keys and a DNS of our own: nothing of the corpus exists anywhere. */

export interface Signer {
  readonly domain: string;
  readonly selector: string;
  readonly key: string;
}

const rsa = (bits: number): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('rsa', { modulusLength: bits });
const KEYS = { strong: rsa(2048), enough: rsa(1024), weak: rsa(512), ed25519: generateKeyPairSync('ed25519') } as const;
export type KeyName = keyof typeof KEYS;

export class FakeDns {
  readonly #records = new Map<string, unknown>();
  asked = 0;

  set(name: string, type: string, ...values: string[]): void {
    this.#records.set(`${type} ${name}`, type === 'TXT' ? values.map((value) => [value]) : values);
  }

  /** Publishes a key and returns who signs with it. */
  signer(domain: string, key: KeyName = 'strong', selector: string = key): Signer {
    const { publicKey, privateKey } = KEYS[key];
    const der = publicKey.export({ format: 'der', type: 'spki' });
    const text =
      key === 'ed25519'
        ? `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString('base64')}`
        : `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
    this.set(`${selector}._domainkey.${domain}`, 'TXT', text);
    return { domain, selector, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string };
  }

  readonly lookup = async (name: string, type: string): Promise<unknown> => {
    this.asked++;
    const found = this.#records.get(`${type} ${name}`);
    if (found === undefined) throw Object.assign(new Error(`ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    return found;
  };
}
