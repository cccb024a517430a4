import type { Generated, Kysely } from 'kysely';

/**
 * Tables, for SQLite today and PostgreSQL later. Times are epoch milliseconds, booleans 0 or 1, JSON is text, an
 * absent value is null. Tables that a tenant owns have the tenant first in their key.
 */
export interface Schema {
  tenant: { id: string; name: string; created_at: number };
  traveller: { tenant: string; id: string; name: string; zone: string; locale: string; created_at: number };
  mailbox: {
    tenant: string;
    id: string;
    traveller: string;
    kind: string;
    label: string;
    address: string | null;
    address_hash: string | null;
    state: string;
    created_at: number;
  };
  rule: {
    tenant: string;
    id: string;
    traveller: string;
    action: string;
    field: string;
    pattern: string;
    created_at: number;
  };
  api_token: {
    tenant: string;
    id: string;
    traveller: string | null;
    label: string;
    scopes: string;
    purpose: string;
    hash: string;
    created_at: number;
    revoked_at: number | null;
  };
  endpoint: {
    tenant: string;
    id: string;
    traveller: string | null;
    url: string;
    sealed_secrets: string;
    state: string;
    state_reason: string | null;
    created_at: number;
  };
  mail: {
    tenant: string;
    id: string;
    traveller: string;
    mailbox: string;
    /** What makes it one mail of its mailbox: its blob, or `head:` and the digest of its header block. */
    identity: string;
    /** The blob; null until it is fetched. */
    raw: string | null;
    /** Where in the mailbox it can be fetched, for mails that are not brought to us. */
    ref: string | null;
    folder: string | null;
    size: number;
    from_address: string;
    from_name: string;
    subject: string;
    date_at: number | null;
    message_id: string | null;
    received_at: number;
    via: string;
    disposition: string;
    reason_code: string;
    reason: string;
    warnings: string;
    times_seen: number;
    updated_at: number;
    /** What its receipt says of what is in it, before it is known what that changed. */
    found: string | null;
    /** It is a host's question: whose mails are to be forwarded here. */
    asks_for: string | null;
  };
  watch: {
    tenant: string;
    mailbox: string;
    traveller: string;
    kind: string;
    settings: string;
    sealed_credentials: string | null;
    since_at: number;
    live_cursor: string | null;
    backfill_cursor: string | null;
    backfill_done: number;
    backfill_left: number | null;
    state: string;
    reason_code: string;
    reason: string;
    state_at: number;
    checked_at: number | null;
    due_at: number | null;
    seen: number;
    subscription: string | null;
    renew_at: number | null;
    push_name: string | null;
    push_fault: string | null;
    needs_since: number | null;
    created_at: number;
    shard: number;
    /** The owner lets it rest. */
    resting: number;
    /** Removed; the row stays so that whoever watches it hears of it. */
    gone: number;
    touched_at: number;
    wake_at: number;
  };
  mail_reservation: { tenant: string; mail: string; reservation: string };
  /** What a mail said, and what that did; null until it is known. */
  mail_observation: { tenant: string; mail: string; observation: string; effect: string | null };
  observation: { tenant: string; id: string; traveller: string; body: string; added_at: number };
  observation_key: { tenant: string; traveller: string; key: string; observation: string };
  reservation: {
    tenant: string;
    id: string;
    traveller: string;
    version: number;
    body: string;
    merged_into: string | null;
    updated_at: number;
  };
  reservation_version: { tenant: string; reservation: string; version: number; changes: string; at: number };
  reservation_observation: { tenant: string; observation: string; reservation: string };
  subject: {
    id: string;
    account: string;
    spec: string;
    state: string;
    answer: string | null;
    answer_digest: string | null;
    checked_at: number | null;
    changed_at: number | null;
    failing_since: number | null;
    failure: string | null;
    /** Put, ended or woken, by the store's clock. */
    touched_at: number;
    /** Grows with every wake; one that is above `heard_at` has not been followed yet. */
    wake_at: number;
    wake_why: string | null;
    heard_at: number;
  };
  /** Notices that providers pushed, by the digest of the provider's own id. `at`: epoch ms by our clock. */
  notice: { account: string; id: string; signed: number; at: number };
  /** `body`: what was told of a reservation (src/domain/alerts/alert.ts); `due_at`: to be looked at by the clock. */
  told: { tenant: string; reservation: string; traveller: string; body: string; due_at: number | null };
  /** `body`: what a traveller wants to be told otherwise than the rules say. */
  alert_setting: { tenant: string; traveller: string; body: string; updated_at: number };
  /** See src/contracts/provider-state.ts. */
  provider_state: { account: string; body: string; updated_at: number };
  follower: { subject: string; tenant: string; reservation: string; traveller: string };
  itinerary: {
    tenant: string;
    reservation: string;
    traveller: string;
    version: number;
    starts_at: number | null;
    ends_at: number | null;
    cancelled: number;
    removed: number;
    /** 1: taken out of the read side; the version stays, so that an older event cannot bring it back. */
    gone: number;
    updated_at: number;
  };
  feed: { seq: Generated<number>; tenant: string; traveller: string; event_id: string; event: string };
  /** In which life of this store numbers of the feed above `after_seq` were given, until the next one begins. */
  feed_epoch: { epoch: string; after_seq: number; begun_at: number };
  notification: {
    id: string;
    tenant: string;
    endpoint: string;
    event_id: string;
    body: string;
    state: string;
    attempts: number;
    next_at: number;
    last_status: number | null;
    last_error: string | null;
    created_at: number;
    settled_at: number | null;
    correlation: string;
  };
  log: {
    /** Grows for ever; a number is never given twice, also not after the newest rows were removed. */
    seq: Generated<number>;
    id: string;
    tenant: string;
    topic: string;
    key: string;
    correlation: string;
    subject: string;
    at: number;
    /** Of its key. */
    shard: number;
    /** The whole event. */
    body: string;
  };
  /** `attempts`: AttemptRecord[] of those that failed before, null where there are none. */
  processed: { event_id: string; consumer: string; at: number; attempts: string | null };
  dead_letter: {
    tenant: string;
    id: string;
    consumer: string;
    topic: string;
    event_id: string;
    key: string;
    correlation: string;
    /** Place of the event in the log; 0 where it is gone. */
    event_seq: number;
    provider: string | null;
    /** AttemptRecord[] */
    attempts: string;
    kind: string;
    code: string;
    message: string;
    state: string;
    created_at: number;
    decided_at: number | null;
    decided_by: string | null;
    decision: string | null;
    edited_event: string | null;
  };
  /** What operators did; rows are only added. `details`: JSON object. */
  audit: { tenant: string; id: string; at: number; actor: string; action: string; target: string; details: string };
  /** One shard of a consumer of the log: every event of topic and shard up to `seq` is done or is in `delivery`. */
  consumer_cursor: { consumer: string; shard: number; topic: string; seq: number };
  /** Events that a consumer has seen and not settled: parked for a retry, or counted before the work. */
  delivery: {
    consumer: string;
    seq: number;
    topic: string;
    key: string;
    event_id: string;
    /** `parked`: due at `next_at`. Other states belong to the broker. */
    state: string;
    attempts: number;
    first_at: number;
    next_at: number;
    /** AttemptRecord[] */
    history: string;
    shard: number;
  };
  /** Facts about the installation: how many shards the log has. */
  meta: { name: string; value: string };
  /** Who works on what; `expires_at` 0: nobody. */
  lease: { resource: string; owner: string; token: number; expires_at: number };
  /** Processes that take leases. `groups`: string[]; `load`: events that wait, by group. */
  worker: { id: string; groups: string; label: string; started_at: number; seen_at: number; load: string };
  /** Work that operators have stopped. `tenant` is empty for what belongs to none. */
  pause: { tenant: string; kind: string; id: string; reason: string; actor: string; at: number };
  /** All events of a consumer's shard up to `seq` are accounted for; `turn`: place in the walk through `unsettled`. */
  audited: { consumer: string; shard: number; seq: number; turn: number; checked_at: number };
  /** Of one tenant in a consumer's shard: see Tally in src/ports/store/conservation.ts; `passed` and `settled` are sums. */
  balance: {
    consumer: string;
    shard: number;
    tenant: string;
    passed: number;
    settled: number;
    ahead: number;
    ahead_settled: number;
    failed: number;
    overdue: number;
    lost: number;
    recovered: number;
  };
  /** Events behind the mark of `audited` that were not done at the last look. */
  unsettled: { consumer: string; shard: number; seq: number; event_id: string; tenant: string };
  /** How far the log has been published by NATS: one row a relay; see the migration. */
  relay: {
    relay: number;
    seq: number;
    stream_seq: number;
    audited_seq: number;
    audited_stream_seq: number;
    epoch: string;
  };
}

export type Db = Kysely<Schema>;
