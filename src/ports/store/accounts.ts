import type { EndpointId, MailboxId, TenantId, TokenId, TravellerId } from '../../domain/ids.ts';
import type { MailboxKind } from '../mailbox.ts';

export interface Traveller {
  readonly id: TravellerId;
  readonly tenant: TenantId;
  readonly name: string;
  /** IANA zone and BCP 47 locale for alerts and pages. */
  readonly zone: string;
  readonly locale: string;
  readonly createdAt: number;
}

export interface Mailbox {
  readonly id: MailboxId;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly kind: 'forward' | 'import' | MailboxKind;
  readonly label: string;
  /** Forwarding address, for kind `forward`: `plans+<token>@<domain>`; of a connected one what its owner signs in with. */
  readonly address: string | undefined;
  readonly state: 'active' | 'paused' | 'removed';
  readonly createdAt: number;
}

export interface Rule {
  readonly id: string;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly action: 'allow' | 'deny';
  readonly field: 'sender' | 'domain' | 'subject';
  /** sender: whole address; domain: the domain or a parent of it; subject: words contained, without case. */
  readonly pattern: string;
  readonly createdAt: number;
}

export const SCOPES = {
  read: 'read trips, receipts and changes',
  write: 'add, edit and remove reservations, rules and endpoints',
  operate: 'dead letters, doctor, every traveller of the tenant',
} as const;
export type Scope = keyof typeof SCOPES;

export interface ApiToken {
  readonly id: TokenId;
  readonly tenant: TenantId;
  /** Absent: every traveller of the tenant. */
  readonly traveller: TravellerId | undefined;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly revokedAt: number | undefined;
  /** `api` for REST and SSE; `feed` opens the iCal feed of its traveller and nothing else. */
  readonly use: 'api' | 'feed';
}

export interface Endpoint {
  readonly id: EndpointId;
  readonly tenant: TenantId;
  /** Absent: changes of every traveller of the tenant. */
  readonly traveller: TravellerId | undefined;
  readonly url: string;
  /** Sealed by the Secrets port with the endpoint id as context. Two during rotation. */
  readonly sealedSecrets: readonly string[];
  readonly state: 'active' | 'disabled';
  readonly stateReason: string | undefined;
  readonly createdAt: number;
}

export interface AccountRepo {
  /**
   * For what is looked at and then changed (a limit on their number, two secrets of which the older goes): whoever else
   * changes something of the tenant in this way waits until this transaction has ended. Call it before looking.
   */
  change(tenant: TenantId): Promise<void>;
  ensureTenant(id: TenantId, name: string, now: number): Promise<void>;
  addTraveller(traveller: Traveller): Promise<void>;
  getTraveller(tenant: TenantId, id: TravellerId): Promise<Traveller | undefined>;
  listTravellers(tenant: TenantId): Promise<readonly Traveller[]>;
  /** `addressHash` is the SHA-256 (hex) of the address in lower case: the look-up at RCPT. */
  addMailbox(mailbox: Mailbox, addressHash: string | undefined): Promise<void>;
  /** Operator-wide: the address chooses tenant and traveller. */
  findMailboxByAddress(addressHash: string): Promise<Mailbox | undefined>;
  getMailbox(tenant: TenantId, id: MailboxId): Promise<Mailbox | undefined>;
  listMailboxes(tenant: TenantId, traveller?: TravellerId): Promise<readonly Mailbox[]>;
  /** A watch of it hears of it too. */
  setMailboxState(tenant: TenantId, id: MailboxId, state: Mailbox['state']): Promise<boolean>;
  addRule(rule: Rule): Promise<void>;
  removeRule(tenant: TenantId, id: string): Promise<boolean>;
  listRules(tenant: TenantId, traveller: TravellerId): Promise<readonly Rule[]>;
  /** Only the SHA-256 (hex) of a token is kept. */
  addToken(token: ApiToken, hash: string): Promise<void>;
  /** Operator-wide: the token chooses the tenant. Revoked ones are not found. */
  findToken(hash: string): Promise<ApiToken | undefined>;
  listTokens(tenant: TenantId): Promise<readonly ApiToken[]>;
  revokeToken(tenant: TenantId, id: TokenId, now: number): Promise<boolean>;
  addEndpoint(endpoint: Endpoint): Promise<void>;
  getEndpoint(tenant: TenantId, id: EndpointId): Promise<Endpoint | undefined>;
  listEndpoints(tenant: TenantId): Promise<readonly Endpoint[]>;
  updateEndpoint(
    tenant: TenantId,
    id: EndpointId,
    change: Partial<Pick<Endpoint, 'url' | 'sealedSecrets' | 'state' | 'stateReason'>>,
  ): Promise<boolean>;
  removeEndpoint(tenant: TenantId, id: EndpointId): Promise<boolean>;
}
