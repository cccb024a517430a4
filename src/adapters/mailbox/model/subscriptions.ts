import { createHash } from 'node:crypto';
import type { MailboxId } from '../../../domain/ids.ts';
import type { Random } from '../../../ports/clock.ts';
import type { MailboxPush, MailboxPushVerdict, MailboxSubscription } from '../../../ports/mailbox.ts';
import { clientStateOf, type NoticeKeys, receiveGraphPush } from '../graph/push.ts';

export interface ModelSubscriptionsOptions {
  /** The provider's clock, epoch ms. */
  readonly now: () => number;
  readonly random: Random;
  /** Life of a subscription that nobody prolongs, ms. */
  readonly lifeMs: number;
}

interface Subscription {
  readonly id: string;
  readonly mailbox: MailboxId;
  readonly clientState: string;
  expiresAt: number;
}

/**
 * Subscriptions of mailboxes at a provider that calls us: they end in their time, are lost without a word, or are taken
 * back with one. Notices have the form of Graph, so that what verifies Graph's is what verifies these.
 */
export class ModelSubscriptions {
  /** Of what has happened: made, prolonged, and asked to be prolonged when it had ended. */
  made = 0;
  renewed = 0;
  ended = 0;
  readonly #options: ModelSubscriptionsOptions;
  readonly #all = new Map<string, Subscription>();
  readonly #keys: NoticeKeys;

  constructor(options: ModelSubscriptionsOptions) {
    this.#options = options;
    const key = digest('a key of the installation');
    this.#keys = { current: { id: 'k1', key }, key: (id) => (id === 'k1' ? key : undefined) };
  }

  /** Prolongs the one that `state` names where it lives, else makes another, which the old one knows nothing of. */
  subscribe(mailbox: MailboxId, state: string | undefined): MailboxSubscription {
    const { now, lifeMs } = this.#options;
    for (const [id, { expiresAt }] of this.#all) if (expiresAt <= now()) this.#all.delete(id);
    let one = state === undefined ? undefined : this.#all.get(state);
    if (one !== undefined) this.renewed++;
    else {
      if (state !== undefined) this.ended++;
      const id = `sub-${++this.made}`;
      one = { id, mailbox, clientState: clientStateOf(mailbox, this.#nonce(), this.#keys), expiresAt: 0 };
      this.#all.set(id, one);
    }
    one.expiresAt = now() + lifeMs;
    return { state: one.id, name: one.id, renewAt: now() + lifeMs / 2 };
  }

  /** Whether anything that comes for the mailbox would be told. */
  lives(mailbox: MailboxId): boolean {
    return this.#of(mailbox).length > 0;
  }

  /** What is sent when something comes: one for each subscription. `about`: what the notice says beside. */
  notices(mailbox: MailboxId, about: object = {}): readonly Uint8Array[] {
    return this.#of(mailbox).map((one) => noticeOf(one, about));
  }

  /** All of a mailbox end without a word. How many these were. */
  lapse(mailbox: MailboxId): number {
    const gone = this.#of(mailbox);
    for (const { id } of gone) this.#all.delete(id);
    return gone.length;
  }

  /** All of a mailbox end, or are about to; the notices that say so. */
  end(mailbox: MailboxId, lifecycleEvent: 'subscriptionRemoved' | 'reauthorizationRequired'): readonly Uint8Array[] {
    const notices = this.#of(mailbox).map((one) => noticeOf(one, { lifecycleEvent }));
    if (lifecycleEvent === 'subscriptionRemoved') this.lapse(mailbox);
    return notices;
  }

  /** What a stranger sends who knows our address, the names of mailboxes and even of subscriptions, but no key. */
  forged(mailbox: MailboxId, about: object = {}): Uint8Array {
    const id = this.#of(mailbox)[0]?.id ?? 'sub-0';
    const strange = digest('a key of somebody else');
    const keyed = (name: string): string =>
      clientStateOf(mailbox, this.#nonce(), { current: { id: name, key: strange }, key: () => strange });
    const bodies = [
      () => noticeOf({ id, clientState: keyed('k1') }, about),
      () => noticeOf({ id, clientState: keyed('k2') }, about),
      () => noticeOf({ id, clientState: keyed('k1') }, { lifecycleEvent: 'subscriptionRemoved' }),
      () => noticeOf({ id, clientState: `${mailbox}.k1.AAAA.${'A'.repeat(43)}` }, about),
      // As sent for one mailbox, and said to be of another.
      () => noticeOf({ id, clientState: this.#stateOf('mbx_else' as MailboxId).replace('mbx_else', mailbox) }, about),
      () => noticeOf({ id, clientState: null }, about),
      () => Buffer.from(`{"value": [{"subscriptionId": "${id}"`),
    ];
    return bodies[Math.floor(this.#options.random.number() * bodies.length)]!();
  }

  receive(request: MailboxPush): MailboxPushVerdict {
    return receiveGraphPush(request, this.#keys);
  }

  #of(mailbox: MailboxId): readonly Subscription[] {
    const now = this.#options.now();
    return [...this.#all.values()].filter((one) => one.mailbox === mailbox && one.expiresAt > now);
  }

  #stateOf(mailbox: MailboxId): string {
    return clientStateOf(mailbox, this.#nonce(), this.#keys);
  }

  #nonce(): string {
    return Buffer.from(this.#options.random.bytes(9)).toString('base64url');
  }
}

/** A request with such a body, as the endpoint hands it on. */
export function pushOf(body: Uint8Array, receivedAt: number): MailboxPush {
  return { headers: { 'content-type': 'application/json' }, query: {}, body, receivedAt };
}

function noticeOf({ id, clientState }: { readonly id: string; readonly clientState: string | null }, more: object) {
  return Buffer.from(JSON.stringify({ value: [{ subscriptionId: id, clientState, changeType: 'created', ...more }] }));
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
