import { z } from 'zod';
import { KINDS } from '../../domain/facts.ts';
import { toldAlertSchema } from '../alerts.ts';
import { changeSchema } from '../observation.ts';
import { attemptSchema, deadLetterViewSchema } from './dead-letters.ts';

/** What the API answers. Readers must tolerate new fields; these only grow by adding. Times of travel keep their zone. */

const instant = z.iso.datetime();
const factValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const kind = z.enum(KINDS);

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  code: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export const travellerViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  zone: z.string(),
  locale: z.string(),
  createdAt: instant,
});
export type TravellerView = z.infer<typeof travellerViewSchema>;

export const mailboxViewSchema = z.object({
  id: z.string(),
  traveller: z.string(),
  kind: z.enum(['forward', 'import', 'imap', 'gmail', 'graph', 'jmap']),
  label: z.string(),
  address: z.string().optional(),
  state: z.enum(['active', 'paused', 'removed']),
  createdAt: instant,
  watch: z
    .object({
      state: z.string(),
      reasonCode: z.string(),
      reason: z.string().describe('how it stands, and what to do where something can be done'),
      stateAt: instant,
      checkedAt: instant.optional().describe('last read to its end'),
      since: instant.describe('mails received before are not read'),
      folders: z.array(z.string()).optional(),
      backfill: z.object({ done: z.boolean(), left: z.int().optional() }).describe('the older mails'),
      needsSince: instant.optional().describe('since when it needs its owner; until it works again'),
      news: z
        .object({ by: z.enum(['connection', 'notices', 'looking']), note: z.string() })
        .optional()
        .describe('how new mails make themselves known, and what would make that sooner'),
    })
    .optional()
    .describe('of one that is connected'),
  mails: z
    .object({
      seen: z.int(),
      imported: z.int(),
      needsYou: z.int().describe('opened; their owner has to do something, as their receipts say'),
      opened: z.int().describe('read without finding anything new'),
      skipped: z.int(),
      waiting: z.int(),
      failed: z.int(),
    })
    .optional(),
});
export type MailboxView = z.infer<typeof mailboxViewSchema>;

export const ruleViewSchema = z.object({
  id: z.string(),
  action: z.enum(['allow', 'deny']),
  field: z.enum(['sender', 'domain', 'subject', 'folder']),
  pattern: z.string(),
  createdAt: instant,
});

export const attributionViewSchema = z.object({
  observation: z.string(),
  source: z.enum(['mail', 'provider', 'person']),
  ref: z.string().describe('mail, subject or token id: what to ask `explain` about'),
  label: z.string().describe('who says so, in words'),
  authority: z.string(),
  assertedAt: instant.describe('when the source says it was so'),
  observedAt: instant.describe('when we received or fetched it'),
  evidence: z.object({ where: z.string(), raw: z.string().optional() }).optional(),
});

export const fieldViewSchema = z.object({
  value: factValue,
  by: attributionViewSchema,
  beside: z
    .object({ value: factValue, by: attributionViewSchema })
    .optional()
    .describe("what another source newly says beside a person's own value"),
});

/** A start or an end, ready to show. */
export const pointViewSchema = z.object({
  time: z.string().optional().describe('the best known: actual, else estimated, else scheduled; RFC 9557'),
  scheduled: z.string().optional(),
  at: instant.optional().describe('the same as an instant, where the zone is known'),
  zone: z.string().optional(),
  basis: z.enum(['actual', 'estimated', 'scheduled']).optional(),
  lateMinutes: z.int().optional().describe('against schedule; negative: early'),
  code: z.string().optional(),
  name: z.string().optional(),
  city: z.string().optional(),
  address: z.string().optional(),
  terminal: z.string().optional(),
  gate: z.string().optional(),
  platform: z.string().optional(),
  desk: z.string().optional(),
  belt: z.string().optional(),
});
export type PointView = z.infer<typeof pointViewSchema>;

export const legViewSchema = z.object({
  id: z.string(),
  kind,
  title: z.string(),
  state: z.string().describe('operation if a status source says it, else booking status'),
  cancelled: z.boolean(),
  start: pointViewSchema,
  end: pointViewSchema,
  passengers: z.array(z.object({ name: z.string(), seat: z.string().optional(), class: z.string().optional() })),
  beside: z
    .array(z.object({ path: z.string(), shown: factValue, value: factValue, label: z.string() }))
    .optional()
    .describe('fields where another source says something newer than what is shown, and who says so'),
});
export type LegView = z.infer<typeof legViewSchema>;

export const freshnessViewSchema = z.object({
  subject: z.string(),
  account: z.string(),
  label: z.string().describe('who was asked: AeroDataBox'),
  about: z.string().describe('what about: LH 400 of 1 Dec'),
  checkedAt: instant.optional(),
  ageSeconds: z.int().optional(),
  changedAt: instant.optional(),
  state: z
    .enum(['ok', 'not-checked-yet', 'unverified-since', 'stands-by', 'ended'])
    .describe('stands-by: another account is asked about it'),
  unverifiedSince: instant.optional(),
  reason: z.string().optional(),
  due: instant.optional().describe('next check at the latest, as promised; absent: as soon as it can be asked'),
  lateSeconds: z
    .int()
    .optional()
    .describe('so much later than promised it is asked; see shortfallSeconds of the account in the status'),
});
export type FreshnessView = z.infer<typeof freshnessViewSchema>;

export const reservationSummarySchema = z.object({
  id: z.string(),
  traveller: z.string(),
  version: z.int(),
  title: z.string(),
  kind: kind.optional(),
  status: z.string(),
  cancelled: z.boolean(),
  removed: z.boolean(),
  reference: z.string().optional(),
  provider: z.string().optional(),
  startsAt: instant.optional(),
  endsAt: instant.optional(),
  updatedAt: instant.optional(),
  legs: z.array(legViewSchema),
});
export type ReservationSummary = z.infer<typeof reservationSummarySchema>;

export const reservationViewSchema = reservationSummarySchema.extend({
  fields: z.record(z.string(), fieldViewSchema),
  legs: z.array(legViewSchema.extend({ keys: z.array(z.string()), fields: z.record(z.string(), fieldViewSchema) })),
  freshness: z.array(freshnessViewSchema),
  unverifiedSince: instant.optional().describe('since when no account confirms something of it'),
  alerts: z.array(toldAlertSchema).optional().describe('what the traveller was told of it last, newest first'),
  observations: z.array(z.string()),
  /** What mails say that nothing proves: shown beside, asked of the provider, never taken over. */
  unproven: z
    .array(
      z.object({
        /** Who says so: `mail from … of 1 Dec`. */
        label: z.string(),
        /** The mail. */
        ref: z.string(),
        observedAt: instant,
        said: z.array(z.object({ leg: z.string().optional(), path: z.string(), value: factValue })),
      }),
    )
    .optional(),
});
export type ReservationView = z.infer<typeof reservationViewSchema>;

export const historyViewSchema = z.object({
  reservation: z.string(),
  versions: z.array(
    z.object({
      version: z.int(),
      at: instant,
      sentences: z.array(z.string()),
      changes: z.array(changeSchema),
    }),
  ),
});
export type HistoryView = z.infer<typeof historyViewSchema>;

export const tripViewSchema = z.object({
  id: z.string(),
  traveller: z.string(),
  title: z.string(),
  state: z.enum(['upcoming', 'under-way', 'past', 'undated']),
  startsAt: instant.optional(),
  endsAt: instant.optional(),
  cancelled: z.boolean(),
  legs: z.array(
    legViewSchema.extend({
      reservation: z.string(),
      version: z.int(),
      reference: z.string().optional(),
      provider: z.string().optional(),
      freshness: z.array(freshnessViewSchema),
    }),
  ),
});
export type TripView = z.infer<typeof tripViewSchema>;

export const receiptViewSchema = z.object({
  id: z.string(),
  traveller: z.string(),
  mailbox: z.string(),
  from: z.string(),
  fromName: z.string().optional(),
  subject: z.string(),
  date: instant.optional(),
  receivedAt: instant,
  updatedAt: instant,
  size: z.int(),
  via: z.enum(['smtp', 'import', 'imap', 'gmail', 'graph', 'jmap']),
  folder: z.string().optional(),
  kept: z.boolean().describe('whether the mail itself is still here'),
  askable: z.boolean().describe('whether it can be read after all: POST /v1/receipts/{id}/read'),
  disposition: z.string(),
  meaning: z.string(),
  reasonCode: z.string(),
  reason: z.string(),
  undo: z.string().describe('what one can do to undo it, or to go on'),
  reservations: z.array(z.string()),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
  timesSeen: z.int(),
});
export type ReceiptView = z.infer<typeof receiptViewSchema>;

export const endpointViewSchema = z.object({
  id: z.string(),
  url: z.string(),
  traveller: z.string().optional(),
  state: z.enum(['active', 'disabled']),
  stateReason: z.string().optional(),
  secrets: z.int().describe('2 while a rotated secret still signs'),
  createdAt: instant,
});
export type EndpointView = z.infer<typeof endpointViewSchema>;

export const deliveryViewSchema = z.object({
  id: z.string(),
  endpoint: z.string(),
  event: z.string(),
  state: z.enum(['pending', 'sent', 'dead']),
  attempts: z.int(),
  nextAt: instant.optional(),
  lastStatus: z.int().optional(),
  lastError: z.string().optional(),
  createdAt: instant,
  settledAt: instant.optional(),
});
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

export const tokenViewSchema = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.enum(['read', 'write', 'operate'])),
  traveller: z.string().optional(),
  use: z.enum(['api', 'feed']),
  createdAt: instant,
  revokedAt: instant.optional(),
});
export type TokenView = z.infer<typeof tokenViewSchema>;

export const changeEventSchema = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().optional(),
    time: instant,
    data: z.unknown(),
  })
  .describe('a CloudEvent; see the AsyncAPI document for the data of each type');

export const explainViewSchema = z.object({
  id: z.string(),
  correlation: z.string().optional(),
  summary: z.array(z.string()).describe('the story in plain words'),
  events: z.array(
    z.object({
      id: z.string(),
      topic: z.string(),
      subject: z.string(),
      time: instant,
      source: z.string(),
      causation: z.string().optional(),
      recipient: z.string().optional().describe('only for this stage: a dead letter replayed with changes'),
      processed: z.array(
        z.object({
          consumer: z.string(),
          at: instant,
          failed: z.array(attemptSchema).optional().describe('the attempts before, which failed'),
        }),
      ),
      waitingFor: z.array(z.string()),
      parked: z.array(z.object({ consumer: z.string(), nextAt: instant, attempts: z.array(attemptSchema) })),
      deadLetters: z.array(deadLetterViewSchema),
      notifications: z.array(deliveryViewSchema),
      sentences: z.array(z.string()).optional(),
    }),
  ),
  receipts: z.array(receiptViewSchema),
  reservations: z.array(reservationViewSchema),
  truncated: z.boolean(),
});
export type ExplainView = z.infer<typeof explainViewSchema>;
