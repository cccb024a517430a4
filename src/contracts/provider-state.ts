import { z } from 'zod';

/**
 * What a provider account has learned about its provider and must not forget when the process that asks is replaced:
 * until when to be silent, what the provider lets through, which operations it does not answer, what was spent of long
 * budgets. Stored as JSON; unknown fields of a newer version are dropped.
 */
export const providerStateSchema = z.object({
  /** The provider wants nothing asked before this, epoch ms. That our key was refused is not kept: it may be another. */
  wallUntil: z.number().optional(),
  /** Calls a second that are let through, where less than was configured. */
  learned: z.object({ wall: z.number().positive(), at: z.number() }).optional(),
  /** By operation: those that are not closed. */
  breakers: z.record(z.string(), z.object({ round: z.int().min(0) })).default({}),
  /** Units spent of long windows, by limit: [epoch ms, units]. */
  spent: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))).default({}),
  /** It has answered 403 for a quota and then gone on: 403 alone says nothing about our key. */
  quotaBy403: z.boolean().default(false),
  /** Where it has: epoch ms of its last answer, roughly, because a 403 soon after is a quota again. */
  answeredAt: z.number().optional(),
  /** How far its list of changes was read, and what it named that has not been asked about since: ids of specs. */
  list: z.object({ cursor: z.string(), named: z.array(z.string()) }).optional(),
});
export type ProviderState = z.infer<typeof providerStateSchema>;
