import { z } from 'zod';
import { travellerIdSchema } from './commands.ts';
import { moment } from './dead-letters.ts';

/** `GET /v1/freshness`: how soon changes were published. */

export const freshnessQuerySchema = z.strictObject({
  since: moment.default('24h'),
  traveller: travellerIdSchema.optional(),
});

export const delaysViewSchema = z.object({
  count: z.int(),
  p50Seconds: z.number().describe('at most; from a histogram'),
  p99Seconds: z.number().describe('at most; from a histogram'),
  maxSeconds: z.number(),
  histogram: z
    .array(z.object({ upToSeconds: z.number().optional().describe('absent: longer than all others'), count: z.int() }))
    .describe('how many took up to so long and longer than the one before; those that are 0 are left out'),
});

export const freshnessRowSchema = z.object({
  account: z.string().describe('provider account whose word it was'),
  urgency: z.string().describe('how near the journey was: imminent, today, soon, this-month, later'),
  changes: z.int().describe('published changes that the provider said after it had said something else'),
  withinPromise: z
    .int()
    .describe('of these, published within 300 s of the earliest moment at which they can have been visible'),
  budgetLeft: z
    .number()
    .optional()
    .describe('of the error budget (1 of 1,000 may be late): 1 untouched, 0 used up, below 0 overdrawn'),
  sincePossible: delaysViewSchema.describe(
    'from the earliest moment at which the change can have been visible to us, to its publication',
  ),
  sinceFetched: delaysViewSchema.describe("from the end of the provider's answer to publication"),
});

export const freshnessViewSchema = z.object({
  since: z.iso.datetime(),
  promiseSeconds: z.int(),
  complete: z.boolean().describe('false: only the newest changes were looked at'),
  rows: z.array(freshnessRowSchema),
  delivered: delaysViewSchema.describe('from publication to the receiver taking the webhook'),
});
export type FreshnessView = z.infer<typeof freshnessViewSchema>;
