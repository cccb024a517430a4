import type { Migration } from './ddl.ts';

export const first: Migration = {
  id: 1,
  name: 'first',
  up: ({ int, counter, clustered, base }) => [
    ...base,
    `CREATE TABLE tenant (id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at ${int} NOT NULL)`,
    `CREATE TABLE traveller (
      tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, zone TEXT NOT NULL, locale TEXT NOT NULL,
      created_at ${int} NOT NULL, PRIMARY KEY (tenant, id))`,
    `CREATE TABLE mailbox (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
      address TEXT, address_hash TEXT UNIQUE, state TEXT NOT NULL, created_at ${int} NOT NULL,
      PRIMARY KEY (tenant, id))`,
    `CREATE TABLE rule (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT NOT NULL, action TEXT NOT NULL, field TEXT NOT NULL,
      pattern TEXT NOT NULL, created_at ${int} NOT NULL, PRIMARY KEY (tenant, id))`,
    'CREATE INDEX rule_of ON rule (tenant, traveller)',
    `CREATE TABLE api_token (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT, label TEXT NOT NULL, scopes TEXT NOT NULL,
      purpose TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_at ${int} NOT NULL, revoked_at ${int},
      PRIMARY KEY (tenant, id))`,
    `CREATE TABLE endpoint (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT, url TEXT NOT NULL, sealed_secrets TEXT NOT NULL,
      state TEXT NOT NULL, state_reason TEXT, created_at ${int} NOT NULL, PRIMARY KEY (tenant, id))`,

    `CREATE TABLE mail (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT NOT NULL, mailbox TEXT NOT NULL, raw TEXT NOT NULL,
      size ${int} NOT NULL, from_address TEXT NOT NULL, from_name TEXT NOT NULL, subject TEXT NOT NULL,
      date_at ${int}, message_id TEXT, received_at ${int} NOT NULL, via TEXT NOT NULL, disposition TEXT NOT NULL,
      reason_code TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL, times_seen ${int} NOT NULL,
      updated_at ${int} NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, mailbox, raw))`,
    'CREATE INDEX mail_newest ON mail (tenant, received_at, id)',
    'CREATE INDEX mail_newest_of ON mail (tenant, traveller, received_at, id)',
    // Answers the counts by itself: they are asked for often.
    'CREATE INDEX mail_disposition ON mail (tenant, traveller, disposition)',
    `CREATE TABLE mail_reservation (
      tenant TEXT NOT NULL, mail TEXT NOT NULL, reservation TEXT NOT NULL,
      PRIMARY KEY (tenant, mail, reservation))${clustered}`,

    `CREATE TABLE observation (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT NOT NULL, body TEXT NOT NULL, added_at ${int} NOT NULL,
      PRIMARY KEY (tenant, id))`,
    `CREATE TABLE observation_key (
      tenant TEXT NOT NULL, traveller TEXT NOT NULL, key TEXT NOT NULL, observation TEXT NOT NULL,
      PRIMARY KEY (tenant, traveller, key, observation))${clustered}`,
    'CREATE INDEX observation_key_of ON observation_key (tenant, observation)',
    `CREATE TABLE reservation (
      tenant TEXT NOT NULL, id TEXT NOT NULL, traveller TEXT NOT NULL, version ${int} NOT NULL, body TEXT NOT NULL,
      merged_into TEXT, updated_at ${int} NOT NULL, PRIMARY KEY (tenant, id))`,
    'CREATE INDEX reservation_of ON reservation (tenant, traveller, id)',
    `CREATE TABLE reservation_version (
      tenant TEXT NOT NULL, reservation TEXT NOT NULL, version ${int} NOT NULL, changes TEXT NOT NULL,
      at ${int} NOT NULL, PRIMARY KEY (tenant, reservation, version))${clustered}`,
    `CREATE TABLE reservation_observation (
      tenant TEXT NOT NULL, observation TEXT NOT NULL, reservation TEXT NOT NULL,
      PRIMARY KEY (tenant, observation, reservation))${clustered}`,
    'CREATE INDEX reservation_observation_of ON reservation_observation (tenant, reservation)',

    `CREATE TABLE subject (
      id TEXT PRIMARY KEY, account TEXT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL, answer TEXT,
      answer_digest TEXT, checked_at ${int}, changed_at ${int}, failing_since ${int}, failure TEXT)`,
    'CREATE INDEX subject_state ON subject (state, account)',
    `CREATE TABLE follower (
      subject TEXT NOT NULL, tenant TEXT NOT NULL, reservation TEXT NOT NULL, traveller TEXT NOT NULL,
      PRIMARY KEY (subject, tenant, reservation))${clustered}`,
    'CREATE INDEX follower_reservation ON follower (tenant, reservation)',

    `CREATE TABLE itinerary (
      tenant TEXT NOT NULL, reservation TEXT NOT NULL, traveller TEXT NOT NULL, version ${int} NOT NULL,
      starts_at ${int}, ends_at ${int}, cancelled ${int} NOT NULL, removed ${int} NOT NULL, gone ${int} NOT NULL,
      updated_at ${int} NOT NULL, PRIMARY KEY (tenant, reservation))`,
    'CREATE INDEX itinerary_of ON itinerary (tenant, traveller, starts_at)',
    `CREATE TABLE feed (
      seq ${counter}, tenant TEXT NOT NULL, traveller TEXT NOT NULL, event_id TEXT NOT NULL, event TEXT NOT NULL,
      UNIQUE (tenant, event_id))`,
    'CREATE INDEX feed_tenant ON feed (tenant, seq)',
    'CREATE INDEX feed_traveller ON feed (tenant, traveller, seq)',
    `CREATE TABLE notification (
      id TEXT PRIMARY KEY, tenant TEXT NOT NULL, endpoint TEXT NOT NULL, event_id TEXT NOT NULL, body TEXT NOT NULL,
      state TEXT NOT NULL, attempts ${int} NOT NULL, next_at ${int} NOT NULL, last_status ${int}, last_error TEXT,
      created_at ${int} NOT NULL, settled_at ${int}, correlation TEXT NOT NULL, UNIQUE (endpoint, event_id))`,
    "CREATE INDEX notification_due ON notification (next_at) WHERE state = 'pending'",
    'CREATE INDEX notification_newest ON notification (tenant, created_at)',
    'CREATE INDEX notification_event ON notification (tenant, event_id)',

    `CREATE TABLE log (
      seq ${counter}, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL,
      correlation TEXT NOT NULL, subject TEXT NOT NULL, at ${int} NOT NULL, body TEXT NOT NULL)`,
    'CREATE INDEX log_topic ON log (topic, seq)',
    'CREATE INDEX log_correlation ON log (tenant, correlation, seq)',
    'CREATE INDEX log_subject ON log (tenant, subject, seq)',
    `CREATE TABLE processed (
      event_id TEXT NOT NULL, consumer TEXT NOT NULL, at ${int} NOT NULL,
      PRIMARY KEY (event_id, consumer))${clustered}`,
    `CREATE TABLE dead_letter (
      tenant TEXT NOT NULL, id TEXT NOT NULL, consumer TEXT NOT NULL, topic TEXT NOT NULL, event_id TEXT NOT NULL,
      key TEXT NOT NULL, correlation TEXT NOT NULL, attempts TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
      state TEXT NOT NULL, created_at ${int} NOT NULL, decided_at ${int}, decision TEXT, PRIMARY KEY (tenant, id))`,
    'CREATE INDEX dead_letter_newest ON dead_letter (tenant, state, created_at)',
    `CREATE TABLE consumer_cursor (consumer TEXT PRIMARY KEY, topic TEXT NOT NULL, seq ${int} NOT NULL)`,
    `CREATE TABLE delivery (
      consumer TEXT NOT NULL, seq ${int} NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL, event_id TEXT NOT NULL,
      state TEXT NOT NULL, attempts ${int} NOT NULL, first_at ${int} NOT NULL, next_at ${int} NOT NULL,
      history TEXT NOT NULL, PRIMARY KEY (consumer, seq))${clustered}`,
    'CREATE INDEX delivery_due ON delivery (consumer, next_at)',
    'CREATE INDEX delivery_key ON delivery (consumer, key)',
    'CREATE INDEX delivery_event ON delivery (event_id)',
  ],
};
