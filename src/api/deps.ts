import type { Config } from '../contracts/config.ts';
import type { StatusReport } from '../contracts/http/status.ts';
import type { Topic } from '../contracts/topics.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { MailboxKind, MailboxPush, MailboxPushVerdict } from '../ports/mailbox.ts';
import type { MailboxDesk } from '../ports/mailbox-desk.ts';
import type { PushRequest } from '../ports/provider.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { MailReceipt } from '../ports/store/mails.ts';
import type { WatchRef } from '../ports/store/watches.ts';
import type { Store, Tx } from '../ports/store.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import type { Figures } from './metrics.ts';

/** What the commands shared by REST and CLI need. */
export interface CommandDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secrets: Secrets;
  readonly config: Pick<Config, 'smtp' | 'http' | 'providers'>;
  /** Names of all stages, to tell a typing mistake from an empty answer. Absent: nothing is checked. */
  readonly stages?: readonly string[];
  /** Refuses webhook addresses that we would not call. Absent: nothing is checked at creation (the sender still does). */
  readonly webhooks?: Pick<WebhookPost, 'check'>;
  /** Too much waits to be worked on: what would add to it is refused for a while. Absent: everything is taken. */
  readonly overloaded?: () => boolean;
  /** Connecting mailboxes. Absent: only forwarding addresses can be made. */
  readonly mailboxes?: () => Promise<MailboxDesk>;
  /** How new mails of a kind of mailbox make themselves known here. Absent: nothing is said of it. */
  readonly pushOffer?: (kind: MailboxKind) => PushOffer;
  /** The owner's word that a mail is to be read after all; false: there is nothing to ask for. Absent: not offered. */
  readonly askToRead?: (tx: Tx, receipt: MailReceipt, by: string, now: number) => Promise<boolean>;
}

export interface ApiDeps extends CommandDeps {
  readonly logger: Logger;
  readonly status: () => StatusReport | Promise<StatusReport>;
  /** A provider's pushed message for an account; undefined: there is no such account. Must answer within a second. */
  readonly push?: (account: string, request: PushRequest) => Promise<PushAnswer | undefined>;
  /** A mail provider's push for a kind of mailbox; undefined: none are taken. Must answer within a second. */
  readonly pushMailbox?: (kind: string, push: MailboxPush) => Promise<MailboxPushVerdict | undefined>;
  /** `health`: nothing but whether the process is well; another process answers people. */
  readonly only?: 'health' | undefined;
  /** Folder of the web page. */
  readonly webRoot?: string;
  /** Consumers of the stage table, so that explain can say what an event still waits for. */
  readonly consumers?: readonly { readonly name: string; readonly reads: Topic }[];
  /** Called when deliveries were queued (test delivery): wakes the sender. */
  readonly onDeliveries?: () => void;
  /** Called when an event was appended by a command: wakes the consumers where they do not see it by themselves. */
  readonly onAppend?: () => void;
  /** Called when a mailbox was added, changed or is to be looked at: this process looks at once. */
  readonly onMailboxes?: (refs: readonly WatchRef[]) => void;
  /** Called when something was paused or resumed: this process looks at once. */
  readonly onPauses?: () => void;
  /** What this process knows of itself, for metrics. */
  readonly figures?: () => Promise<Figures>;
  /** Between the pings of a change stream, real ms. Default 15 s. */
  readonly pingMs?: number;
  /** Throws on an answer that is not as documented: for tests. */
  readonly checkResponses?: boolean;
}

/** `missing`: what an operator would have to set so that mails are told of, not looked for. */
export type PushOffer =
  | { readonly by: 'connection' | 'notices' }
  | { readonly by: 'looking'; readonly missing: string };

export type PushAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };
