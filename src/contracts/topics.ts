import { z } from 'zod';
import { PROOFS, TRUST_FLAGS, TRUST_LEVELS, type TrustFlag } from '../domain/trust/verdict.ts';
import { alertSchema } from './alerts.ts';
import { changeSchema, observationSchema, reservationSchema } from './observation.ts';

/** The topics and the schema of each one's data. Grow by adding optional fields; otherwise make a new version. */

const blobRef = z.templateLiteral(['sha256:', z.string()]);
const instant = z.iso.datetime();

/** What collect may decide on without opening the mail. */
export const mailHeadSchema = z.object({
  fromAddress: z.string(),
  fromName: z.string().optional(),
  subject: z.string(),
  date: instant.optional(),
  messageId: z.string().optional(),
  /** Its headers say that many got it: it came by a list, or only offers to unsubscribe. */
  bulk: z.enum(['unsubscribe', 'list']).optional(),
});

const mailCommon = {
  mailId: z.templateLiteral(['mail_', z.string()]),
  mailboxId: z.templateLiteral(['mbx_', z.string()]),
  head: mailHeadSchema,
  size: z.int().min(0),
  receivedAt: instant,
  via: z.enum(['smtp', 'import', 'imap', 'gmail', 'graph', 'jmap']),
  /** Folder of a connected mailbox that it was listed in. */
  folder: z.string().optional(),
};

const factValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const facts = z.record(
  z.string(),
  z.object({ value: factValue, evidence: z.object({ where: z.string(), raw: z.string().optional() }).optional() }),
);

/** A provider's answer in our vocabulary: what an observation will carry, without an owner. */
export const answerSchema = z.object({
  authority: z.enum(['status', 'booking']),
  assertedAt: instant,
  bookingKeys: z.array(z.string()),
  facts,
  legs: z.array(
    z.object({
      kind: observationSchema.shape.legs.element.shape.kind,
      keys: z.array(z.string()),
      facts,
    }),
  ),
});
export type Answer = z.infer<typeof answerSchema>;

/**
 * When the provider was asked about this the last time before, and said something else: the change cannot have been
 * visible earlier. Absent where it was asked for the first time.
 */
const checkedBefore = instant.optional();

const follower = z.object({
  tenant: z.templateLiteral(['tnt_', z.string()]),
  traveller: z.templateLiteral(['trv_', z.string()]),
  reservation: z.templateLiteral(['rsv_', z.string()]),
});

const judged = {
  level: z.enum(TRUST_LEVELS),
  sender: z.string().max(400),
  registered: z.boolean(),
  by: z.array(z.enum(PROOFS)),
  flags: z.array(z.enum(Object.keys(TRUST_FLAGS) as TrustFlag[])),
  sentence: z.string(),
};
/** What was found out about a mail's sender on its bytes: src/domain/trust/verdict.ts. */
const verdict = z.object({ ...judged, attached: z.object(judged).optional() });

export const TOPICS = {
  'mail.seen': z.object({
    ...mailCommon,
    /** Its bytes, where it was brought to us. */
    raw: blobRef.optional(),
    /** How it was handed to us by SMTP. */
    envelope: z.object({ ip: z.string(), helo: z.string().optional(), sender: z.string() }).optional(),
    /** Where it can be fetched, where it was only listed. */
    ref: z.string().optional(),
    /** Its parts without their content, where the mailbox tells them. */
    parts: z
      .array(z.object({ type: z.string(), name: z.string().optional(), size: z.int().min(0).optional() }))
      .optional(),
    /** Its owner wants it read, whatever rules and scores say. */
    asked: z.boolean().optional(),
    /** It was there before the mailbox was connected. */
    backfill: z.boolean().optional(),
  }),
  'mail.collected': z.object({ ...mailCommon, raw: blobRef, reason: z.string(), verdict: verdict.optional() }),
  'observation.recorded': z.object({ observation: observationSchema, checkedBefore }),
  'reservation.changed': z.object({
    reservation: reservationSchema,
    changes: z.array(changeSchema),
    changedAt: instant,
    /** When the outside source said it, and when we fetched or received it: for the freshness figures. */
    assertedAt: instant.optional(),
    observedAt: instant.optional(),
    checkedBefore,
    /** Set when this reservation was joined into another one and is gone. */
    mergedInto: z.templateLiteral(['rsv_', z.string()]).optional(),
  }),
  'subject.observed': z.object({
    subjectId: z.templateLiteral(['sub_', z.string()]),
    account: z.string(),
    label: z.string(),
    answer: answerSchema,
    fetchedAt: instant,
    checkedBefore,
    /** Continue after this follower (fan-out goes in bounded batches). */
    after: z.string().optional(),
    /** Only for this one, who began to follow after the answer came. */
    only: follower.optional(),
  }),
  'itinerary.updated': z.object({
    reservationId: z.templateLiteral(['rsv_', z.string()]),
    version: z.int(),
    title: z.string(),
    /** One plain sentence a change, in English; clients may build their own from `changes`. */
    sentences: z.array(z.string()),
    /** Empty: nothing changed, and `alerts` are told by the clock. */
    changes: z.array(changeSchema),
    /** What of it the traveller is told, in the traveller's language; absent: nothing. */
    alerts: z.array(alertSchema).optional(),
    changedAt: instant,
    assertedAt: instant.optional(),
    observedAt: instant.optional(),
    checkedBefore,
    publishedAt: instant,
    /** Whose word it is, and how near the journey was when it was published: for the proof of freshness. */
    confirmation: z.object({ account: z.string(), urgency: z.string() }).optional(),
    mergedInto: z.templateLiteral(['rsv_', z.string()]).optional(),
  }),
  /** A connected mailbox cannot go on without its owner, or can again. Once for each time that it stops. */
  'mailbox.changed': z.object({
    mailboxId: z.templateLiteral(['mbx_', z.string()]),
    kind: z.enum(['imap', 'gmail', 'graph', 'jmap']),
    address: z.string().optional(),
    state: z.enum(['needs-you', 'works-again']),
    /** `password-refused`, `consent-needed`, …: docs/errors.md. */
    reasonCode: z.string(),
    /** Why, and what to do. */
    reason: z.string(),
    title: z.string(),
    /** What happened in plain words, as on the change stream. */
    sentences: z.array(z.string()),
    changedAt: instant,
    publishedAt: instant,
  }),
  'notification.sent': z.object({
    endpointId: z.templateLiteral(['whe_', z.string()]),
    eventId: z.string(),
    state: z.enum(['sent', 'dead']),
    attempts: z.int(),
    lastStatus: z.int().optional(),
    reason: z.string().optional(),
  }),
} as const;

export type Topic = keyof typeof TOPICS;
export type TopicData<T extends Topic> = z.infer<(typeof TOPICS)[T]>;

/** CloudEvents `type` of a topic: reverse domain style, with the schema's major version. */
export function eventType(topic: Topic): string {
  return `dev.tripwatch.${topic}.v1`;
}
