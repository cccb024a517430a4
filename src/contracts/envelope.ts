import { z } from 'zod';

/**
 * CloudEvents 1.0 envelope, structured mode, with our extension attributes (names are lower case by that standard).
 * (`source`, `id`) is unique; receivers deduplicate on it.
 */
export const envelopeSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().optional(),
  tenantid: z.string(),
  travellerid: z.string().optional(),
  /** One event of a key at a time per consumer. */
  partitionkey: z.string(),
  /** The mail, subject or command at the root of it all: what `explain` follows. */
  correlationid: z.string(),
  /** The event that caused this one. */
  causationid: z.string().optional(),
  /** Set: only this stage acts on it, all other readers of the topic pass over it (a dead letter replayed with changes). */
  recipient: z.string().optional(),
  data: z.unknown(),
});

export type Envelope<T = unknown> = Omit<z.infer<typeof envelopeSchema>, 'data'> & { readonly data: T };
