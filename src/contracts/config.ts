import { z } from 'zod';
import { IN_FLIGHT_MAX, OPERATIONS } from '../domain/limits.ts';

/**
 * The one configuration: defaults, then the file (`--config`, else `tripwatch.config.json` in the data folder), then
 * `TRIPWATCH_…` variables. Read once at start; every fault is reported together. Secrets are references, never values.
 */

/** `env:NAME`, `file:/path` or `command:…` (its first output): where a secret is read from at start. */
export const secretRefSchema = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|command:.+)$/,
    'must be env:NAME or file:/path (or command:…), so that no secret stands in the file',
  );

const unit = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

const port = z.int().min(0).max(65535).describe('0: any free port');

export const providerAccountSchema = z
  .strictObject({
    account: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/)
      .describe('name of this account, your choice; stays the same for ever'),
    connector: z.string().max(40).describe('which system it is at: the name of its page in docs/connectors'),
    label: z.string().min(1).max(60).optional().describe("what people read; default: the system's own name"),
    url: z.url().optional().describe("base address; default: the vendor's"),
    key: secretRefSchema.optional().describe('API key, token or password, where the system wants one'),
    webhookSecret: secretRefSchema.optional().describe('secret that the vendor signs its webhooks with'),
    secrets: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,39}$/), secretRefSchema)
      .default({})
      .describe('further secrets that the system wants, by the names its page gives'),
    options: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('what else the system wants to know, by the names its page gives'),
    calls: z
      .array(
        z.strictObject({
          max: z.int().min(1),
          perSeconds: z.int().min(1),
          unit: unit.optional().describe('what is counted: `result-sets`, `credits`; absent: calls'),
        }),
      )
      .min(1)
      .optional()
      .describe(
        'how many calls in how many seconds, all limits together; default: what is known of the system, else one a second',
      ),
    costs: z
      .partialRecord(z.enum(OPERATIONS), z.record(unit, z.int().min(0)))
      .optional()
      .describe('what one operation costs, by unit (`calls` for those that name none); default: one of each'),
    inFlightMax: z
      .int()
      .min(1)
      .max(IN_FLIGHT_MAX)
      .default(IN_FLIGHT_MAX)
      .describe(
        'questions out at the same time at most, and connections; how many are sensible is found out by itself',
      ),
    freshSeconds: z.int().min(30).max(86_400).default(300).describe('how old an answer may get where the calls allow'),
  })
  .superRefine(({ calls = [], costs = {} }, context) => {
    // A cost in a unit that no limit counts would do nothing, silently.
    const counted = new Set(['calls', ...calls.map((limit) => limit.unit ?? 'calls')]);
    for (const [operation, cost] of Object.entries(costs))
      for (const name of Object.keys(cost))
        if (!counted.has(name))
          context.addIssue({
            code: 'custom',
            path: ['costs', operation, name],
            message: `no limit in calls counts ${JSON.stringify(name)}; there are ${[...counted].join(', ')}`,
          });
  });
export type ProviderAccountConfig = z.infer<typeof providerAccountSchema>;

/** This installation as an application at a mail provider: made once in the provider's console (docs/operating/mailboxes.md). */
export const oauthClientSchema = z.strictObject({
  clientId: z.string().min(1).max(300),
  clientSecret: secretRefSchema.optional().describe('where the provider gives one to desktop or web applications'),
  authorizeUrl: z.url().optional().describe("where people sign in; default: the provider's"),
  tokenUrl: z.url().optional().describe("where tokens are had; default: the provider's"),
  apiUrl: z.url().optional().describe("where mails are read; default: the provider's"),
});
export type OauthClientConfig = z.infer<typeof oauthClientSchema>;

/** Gmail tells of new mails by way of a Pub/Sub topic of the operator's, whose push subscription calls us. */
const gmailPushSchema = z.strictObject({
  topic: z
    .string()
    .regex(/^projects\/[^/]+\/topics\/[^/]+$/, 'must be projects/PROJECT/topics/TOPIC')
    .describe('that Gmail publishes to: gmail-api-push@system.gserviceaccount.com must be a publisher of it'),
  serviceAccount: z.string().min(3).max(320).describe('whose tokens the push subscription sends'),
  subscription: z.string().max(500).optional().describe('projects/PROJECT/subscriptions/NAME; default: any of it'),
  audience: z
    .string()
    .max(2000)
    .optional()
    .describe('of its tokens; default: its address, http.publicUrl with /push/mailboxes/gmail'),
  keysUrl: z.url().optional().describe("where the keys are that sign its tokens; default: Google's"),
});

export const configSchema = z.strictObject({
  http: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(8420),
      publicUrl: z
        .url()
        .optional()
        .describe('address under which others reach this, for feeds, provider webhooks and notices of mail providers'),
    })
    .prefault({}),
  smtp: z
    .strictObject({
      enabled: z.boolean().default(true),
      host: z.string().default('127.0.0.1'),
      port: port.default(2525),
      domain: z.string().default('in.tripwatch.localhost').describe('domain of the forwarding addresses'),
      lmtp: z
        .boolean()
        .default(false)
        .describe('speak LMTP (RFC 2033), for a mail server of yours that hands mails over and keeps strangers away'),
      maxBytes: z
        .int()
        .min(1024)
        .max(100 * 1024 * 1024)
        .default(25 * 1024 * 1024),
      tls: z
        .strictObject({
          key: secretRefSchema.describe(
            'private key, PEM; with key and certificate STARTTLS is offered, without them mails come in unencrypted',
          ),
          cert: secretRefSchema.describe('certificate with its chain, PEM'),
        })
        .optional(),
    })
    .prefault({}),
  mails: z
    .strictObject({
      keepDays: z
        .int()
        .min(0)
        .max(3650)
        .default(30)
        .describe('how long raw mails are kept after they were read; receipts and reservations stay'),
      trustedKeys: z
        .array(z.strictObject({ name: z.string().min(1).max(255), text: z.string().min(1).max(4096) }))
        .max(100)
        .default([])
        .describe(
          'TXT records that count as if they were in the DNS, `*` for any labels: keys of senders that are in none',
        ),
      forwarders: z
        .array(z.string().max(253))
        .max(100)
        .default([])
        .describe('domains of forwarders whose word about senders (ARC) is believed, beside the large mail hosts'),
      authservIds: z
        .array(z.string().max(253))
        .max(20)
        .default([])
        .describe(
          'how your mail server in front of the SMTP listener signs Authentication-Results; it must remove forged ones',
        ),
    })
    .prefault({}),
  events: z
    .strictObject({
      keepDays: z
        .int()
        .min(1)
        .max(36_500)
        .default(400)
        .describe(
          'how long events are kept that everybody is done with: what `explain` tells, and how far back the change stream goes; reservations, their histories and receipts stay',
        ),
    })
    .prefault({}),
  mailboxes: z
    .strictObject({
      allowPrivate: z
        .boolean()
        .default(false)
        .describe('let mailboxes be at private and loopback addresses and other ports: for a mail server beside this'),
      allowPlain: z.boolean().default(false).describe('let mailboxes be read without encryption'),
      ca: z.string().optional().describe('file with certificates (PEM) of authorities to trust beside the usual ones'),
    })
    .prefault({}),
  oauth: z
    .strictObject({
      google: oauthClientSchema
        .extend({
          push: gmailPushSchema.optional().describe('absent: Gmail mailboxes are looked at every few minutes'),
        })
        .optional()
        .describe('for Gmail mailboxes'),
      microsoft: oauthClientSchema.optional().describe('for Microsoft 365 and Outlook mailboxes'),
    })
    .prefault({}),
  providers: z.array(providerAccountSchema).default([]),
  webhooks: z
    .strictObject({
      allowPrivate: z.boolean().default(false).describe('let webhooks go to private and loopback addresses over http'),
    })
    .prefault({}),
  store: z
    .strictObject({
      url: secretRefSchema
        .optional()
        .describe('where the address of a PostgreSQL server stands; absent: SQLite in the data folder'),
      schema: z.string().default('tripwatch').describe('where the tables are, so that a database may be shared'),
      shards: z
        .int()
        .min(1)
        .max(256)
        .default(16)
        .describe('at most so many processes share the work of a stage; fixed when the installation is made'),
    })
    .prefault({}),
  broker: z
    .strictObject({
      url: secretRefSchema
        .optional()
        .describe('where the address of the NATS servers stands; absent: events are read from the store'),
      replicas: z
        .union([z.literal(1), z.literal(3), z.literal(5)])
        .default(1)
        .describe('copies of each event that NATS keeps'),
      keepDays: z
        .number()
        .min(0.01)
        .max(3650)
        .default(3)
        .describe('how long NATS keeps events, for your own readers there; Tripwatch has them in its store'),
      syncsAlways: z
        .boolean()
        .default(false)
        .describe('the servers are configured with sync_interval: always; a client cannot ask them'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,60}$/)
        .optional()
        .describe('of this process, never used by two at a time; one that starts again takes its work back at once'),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      key: secretRefSchema
        .optional()
        .describe('the key that seals stored secrets, 64 hex digits; absent: the file `key` in the data folder'),
    })
    .prefault({}),
  workers: z.int().min(1).max(64).optional().describe('parsing threads; default: cores − 1'),
  clock: z
    .strictObject({
      speed: z.number().min(0.001).max(100_000).default(1),
      startAt: z.iso.datetime().optional().describe('what this clock shows at `anchor`'),
      anchor: z.int().optional().describe('real epoch ms at which the clock shows `startAt`'),
    })
    .refine((c) => c.speed === 1 || (c.startAt !== undefined && c.anchor !== undefined), {
      message: 'a speed other than 1 needs startAt and anchor',
    })
    .prefault({})
    .describe('for the sandbox only'),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});
export type Config = z.infer<typeof configSchema>;
