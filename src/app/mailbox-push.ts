import { hkdfSync } from 'node:crypto';
import type { NoticeKeys } from '../adapters/mailbox/graph/push.ts';
import type { Keyring } from '../adapters/secrets/keyring.ts';
import type { PushOffer } from '../api/deps.ts';
import type { Config } from '../contracts/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { MailboxKind } from '../ports/mailbox.ts';

/** Where mail providers call us, if they can; and the keys by which we know our own notices again. */

/** How new mails of a kind make themselves known here. */
export function pushOffer(config: Config, kind: MailboxKind): PushOffer {
  if (kind === 'imap' || kind === 'jmap') return { by: 'connection' };
  const { publicUrl } = config.http;
  const looking = (missing: string): PushOffer => ({ by: 'looking', missing });
  if (publicUrl === undefined) return looking('this installation has no public address (http.publicUrl)');
  if (!reachable(publicUrl)) return looking('its public address (http.publicUrl) is not https');
  if (kind === 'gmail' && config.oauth.google?.push === undefined)
    return looking('no topic is set that Gmail publishes to (oauth.google.push)');
  return { by: 'notices' };
}

/** Where pushes of a kind come in. */
export function pushUrl(config: Config, kind: MailboxKind): string {
  return `${(config.http.publicUrl ?? '').replace(/\/+$/, '')}/push/mailboxes/${kind}`;
}

/** Providers call https only. Loopback is for the sandbox: there the provider is on this machine too. */
function reachable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

/** A key that another process has taken into use is looked for so often: strangers name keys that there are not. */
const LOOK_MS = 10_000;

/** One key for each of the ring's, good for nothing else. */
export function noticeKeys(ring: Keyring, clock: Pick<Clock, 'monotonic'>): NoticeKeys {
  const derived = new Map<string, Uint8Array>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  const of = (id: string, key: Uint8Array): Uint8Array => {
    const made = derived.get(id) ?? new Uint8Array(hkdfSync('sha256', key, '', 'tripwatch mailbox notices', 32));
    derived.set(id, made);
    return made;
  };
  for (const id of ring.ids) of(id, ring.key(id)!);
  return {
    current: { id: ring.current.id, key: of(ring.current.id, ring.current.key) },
    key: (id) => {
      const known = derived.get(id);
      if (known !== undefined || clock.monotonic() - lookedAt < LOOK_MS) return known;
      lookedAt = clock.monotonic();
      const found = ring.key(id);
      return found === undefined ? undefined : of(id, found);
    },
  };
}
