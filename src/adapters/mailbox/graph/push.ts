import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MailboxId } from '../../../domain/ids.ts';
import type { MailboxPush, MailboxPushVerdict } from '../../../ports/mailbox.ts';
import { jsonOf } from '../api/calls.ts';
import { noticesSchema } from './schema.ts';

/** Keys of at least 32 bytes each: the current one seals, all are known again. */
export interface NoticeKeys {
  readonly current: { readonly id: string; readonly key: Uint8Array };
  key(id: string): Uint8Array | undefined;
}

/**
 * Notices of Graph carry the `clientState` that we gave at the subscription. It names the mailbox and is sealed with a
 * key of ours, so that a notice can be checked without looking anything up: `<mailbox>.<key>.<nonce>.<mac>`, at most 128
 * characters.
 */
export function clientStateOf(mailbox: MailboxId, nonce: string, { current: { id, key } }: NoticeKeys): string {
  return `${mailbox}.${id}.${nonce}.${macOf(mailbox, nonce, key)}`;
}

const CLIENT_STATE = /^(mbx_[a-z0-9_-]{1,50})\.([\w-]{1,16})\.([\w-]{1,16})\.([\w-]{43})$/i;

/** The mailbox that a clientState of ours names; undefined: it is none of ours. */
export function mailboxOf(clientState: string, keys: NoticeKeys): MailboxId | undefined {
  const [, mailbox, id, nonce, mac] = CLIENT_STATE.exec(clientState) ?? [];
  const key = id === undefined ? undefined : keys.key(id);
  if (mailbox === undefined || nonce === undefined || mac === undefined || key === undefined) return undefined;
  const wanted = Buffer.from(macOf(mailbox, nonce, key), 'latin1');
  return timingSafeEqual(wanted, Buffer.from(mac, 'latin1')) ? (mailbox as MailboxId) : undefined;
}

/** Sealed with the key of today: with one that goes, its notices would be refused. */
export function isCurrent(clientState: string, keys: NoticeKeys): boolean {
  return CLIENT_STATE.exec(clientState)?.[2] === keys.current.id;
}

function macOf(mailbox: string, nonce: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`graph clientState ${mailbox} ${nonce}`).digest('base64url');
}

/** A token of a handshake is longer than this in no honest case. */
const TOKEN_CHARS_MAX = 4096;

/** Both addresses, that of notices and that of lifecycle notices, lead here. */
export function receiveGraphPush(request: MailboxPush, keys: NoticeKeys): MailboxPushVerdict {
  const token = request.query.validationToken;
  if (token !== undefined) {
    if (token.length > TOKEN_CHARS_MAX) return refused('push-unreadable', 'The token of the handshake is too long.');
    return { kind: 'reply', text: token };
  }
  const body = noticesSchema.safeParse(jsonOf(request.body));
  if (!body.success) return refused('push-unreadable', 'The push is no notice of Microsoft Graph.');
  const accounts = new Set<string>();
  const mailboxes = new Set<MailboxId>();
  const renew = new Set<MailboxId>();
  for (const { subscriptionId, clientState, lifecycleEvent } of body.data.value) {
    const mailbox = mailboxOf(clientState ?? '', keys);
    // One forged among good ones: the good ones still wake.
    if (mailbox === undefined) continue;
    accounts.add(subscriptionId);
    mailboxes.add(mailbox);
    // `missed` wakes like any other; a kind that is new to us too.
    if (lifecycleEvent === 'reauthorizationRequired' || lifecycleEvent === 'subscriptionRemoved') renew.add(mailbox);
  }
  if (mailboxes.size === 0) return refused('push-client-state-wrong', 'No notice carries a clientState of ours.');
  return { kind: 'hint', accounts: [...accounts], mailboxes: [...mailboxes], renew: [...renew] };
}

function refused(code: string, message: string): MailboxPushVerdict {
  return { kind: 'refused', code, message };
}
