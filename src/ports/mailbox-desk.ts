import type { StoredCredentials } from '../contracts/mailbox.ts';
import type { MailboxId, TenantId } from '../domain/ids.ts';
import type { MailRule } from '../domain/rules.ts';
import type { MailboxCapabilities, MailboxKind } from './mailbox.ts';
import type { Watch } from './store/watches.ts';

/**
 * What connecting a mailbox needs of the outside: settings by address, a look into it, signing in at a provider. Called for
 * a person who waits; everything ends within a minute.
 */
export interface MailboxDesk {
  /** What can be connected here, and what is missing for the others. */
  kinds(): readonly MailboxOffer[];
  /** Settings for an address. Errors: permanent `mailbox-settings-invalid` for what is no address. */
  discover(address: string): Promise<FoundMailbox>;
  /** Connects, looks and changes nothing. Errors: those of the connector. */
  test(account: AccountToTest, signal: AbortSignal): Promise<MailboxTest>;
  /** Of a stored mailbox. */
  testStored(watch: Watch, rules: readonly MailRule[], signal: AbortSignal): Promise<MailboxTest>;
  /** Where to send the browser. Errors: permanent `sign-in-not-set-up`. */
  signInUrl(ask: SignInAsk): string;
  /** Errors: `unauthorised` `consent-needed`, permanent `sign-in-…`, transient. */
  signedIn(answer: SignInAnswer, signal: AbortSignal): Promise<Extract<StoredCredentials, { kind: 'oauth' }>>;
}

export interface MailboxOffer {
  readonly kind: MailboxKind | 'forward';
  /** Shown to people: `Gmail`. */
  readonly label: string;
  readonly signIn: 'password' | 'provider' | 'none';
  /** Undefined: ready. What the operator has to do first. */
  readonly missing?: string;
}

export type FoundMailbox =
  | {
      readonly kind: 'imap';
      readonly host: string;
      readonly port: number;
      readonly security: 'tls' | 'starttls' | 'plain';
      readonly user: string;
      readonly login: 'password' | 'app-password';
      /** The server is not of the address's own domain: the owner is to say yes before a password goes there. */
      readonly confirm: boolean;
      readonly note?: string;
    }
  | { readonly kind: 'sign-in'; readonly with: 'gmail' | 'graph'; readonly note: string }
  | { readonly kind: 'none'; readonly note: string };

export interface AccountToTest {
  readonly kind: MailboxKind;
  readonly tenant: TenantId;
  readonly mailbox: MailboxId;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: StoredCredentials;
  readonly since: number;
  readonly rules: readonly MailRule[];
}

/** What is there, and what would be read of it. */
export interface MailboxTest {
  readonly label: string;
  readonly push: MailboxCapabilities['push'];
  readonly folders: readonly { readonly name: string; readonly role?: string }[];
  /** The newest mails, with what would become of each. Nothing but their headers was read. */
  readonly sample: readonly {
    readonly from: string;
    readonly subject: string;
    readonly folder: string;
    readonly receivedAt: number;
    readonly read: boolean;
    readonly why: string;
  }[];
  /** How many older mails there are, where the server says so. */
  readonly older?: number;
}

export interface SignInAsk {
  readonly kind: MailboxKind;
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  readonly address?: string | undefined;
}

export interface SignInAnswer {
  readonly kind: MailboxKind;
  readonly code: string;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly address?: string | undefined;
}
