import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/**
 * Signs the sandbox's mails as their senders would (DKIM, RFC 6376 and 8463): all invented companies share one Ed25519 key,
 * which is no secret. The service is told the key by configuration, since these domains are in no DNS.
 */
const KEY = createPrivateKey({
  key: Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    createHash('sha256').update('tripwatch sandbox: no secret').digest(),
  ]),
  format: 'der',
  type: 'pkcs8',
});
const SELECTOR = 'sandbox';
const PUBLIC = createPublicKey(KEY).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');

/** For `mails.trustedKeys` of the service that takes the sandbox's mails. */
export const SANDBOX_MAIL_KEYS = [
  { name: `${SELECTOR}._domainkey.*.example`, text: `v=DKIM1; k=ed25519; p=${PUBLIC}` },
] as const;

const SIGNED = ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'];

/** The mail with a signature of `domain` on top. The same mail gets the same signature. */
export function signMail(mail: Buffer, domain: string): Buffer {
  const end = mail.indexOf('\r\n\r\n');
  const fields = new Map<string, string>();
  for (const line of mail
    .toString('latin1', 0, end)
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    fields.set(name, relaxed(line.slice(colon + 1)));
  }
  const names = SIGNED.filter((name) => fields.has(name));
  const hash = createHash('sha256')
    .update(relaxedBody(mail.subarray(end + 4)))
    .digest('base64');
  const unsigned = `v=1; a=ed25519-sha256; c=relaxed/relaxed; d=${domain}; s=${SELECTOR}; h=${names.join(':')}; bh=${hash}; b=`;
  const head = [...names.map((name) => `${name}:${fields.get(name)}\r\n`), `dkim-signature:${unsigned}`].join('');
  const digest = createHash('sha256').update(Buffer.from(head, 'latin1')).digest();
  const signature = sign(null, digest, KEY).toString('base64');
  return Buffer.concat([Buffer.from(`DKIM-Signature: ${unsigned}${signature}\r\n`, 'latin1'), mail]);
}

function relaxed(value: string): string {
  return value.replace(/[ \t]+/g, ' ').trim();
}

function relaxedBody(body: Buffer): Buffer {
  const lines = body
    .toString('latin1')
    .split('\r\n')
    .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}
