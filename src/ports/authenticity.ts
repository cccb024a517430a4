import type { Verdict } from '../domain/trust/verdict.ts';

/** Finds out whether a mail is what it says, from its raw bytes and from what the DNS says now. */
export interface Authenticity {
  /**
   * Never throws for what a mail or the DNS is like: what cannot be checked is `unproven`. Rejects with the signal's reason
   * when aborted. `transient`: keys that matter could not be asked for; another look later may say more.
   */
  check(mail: MailToCheck, signal: AbortSignal): Promise<{ readonly verdict: Verdict; readonly transient: boolean }>;
  close(): Promise<void>;
}

export interface MailToCheck {
  /** As received; at most the size that mails are read with. */
  readonly bytes: Uint8Array;
  /** Epoch ms. */
  readonly receivedAt: number;
  /** It came just now (SMTP, a live mailbox), not with an import or a backfill. */
  readonly live: boolean;
  /** How it was handed to us, for mails that we take by SMTP. */
  readonly envelope?: MailEnvelope;
  /**
   * What the host that received it for the traveller calls itself in Authentication-Results; its topmost ones are believed.
   * `''`: a host that writes no name (Microsoft 365). Empty or absent: nobody's are.
   */
  readonly authservIds?: readonly string[];
  /** The traveller's own addresses, where they are known. */
  readonly addresses?: readonly string[];
}

export interface MailEnvelope {
  /** Of the connecting host. */
  readonly ip: string;
  readonly helo?: string;
  /** MAIL FROM; empty for a bounce. */
  readonly sender: string;
}

/** How hosts of each kind of mailbox sign their Authentication-Results; those of an IMAP host are told with the mailbox. */
export const AUTHSERV_IDS: Readonly<Record<string, readonly string[]>> = {
  gmail: ['mx.google.com'],
  graph: [''],
};
