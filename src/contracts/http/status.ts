import { z } from 'zod';
import { conservationViewSchema, pauseViewSchema } from './control.ts';

/** How the running service stands: what the app reports, and what `GET /v1/status` adds from the store. */

export const stageStatusSchema = z.object({
  name: z.string().describe('consumer, as in the stage table'),
  reads: z.string().optional().describe('topic it reads'),
  waiting: z.int().describe('events not yet done'),
  parked: z.int().describe('events waiting for their next attempt'),
  oldestAgeSeconds: z.number().optional().describe('age of the oldest event not yet done'),
  paused: pauseViewSchema.optional().describe('it takes up nothing until it is resumed'),
});

export const providerStatusSchema = z.object({
  account: z.string(),
  label: z.string(),
  state: z.enum(['ok', 'slowed', 'failing', 'paused']),
  detail: z.string().optional(),
  subjects: z.int().describe('things asked about'),
  unverified: z.int().describe('of these, last question failed'),
  standsBy: z.int().optional().describe('of these, another account is asked; this one stands by'),
  budgets: z.array(
    z.object({
      max: z.int(),
      perSeconds: z.int(),
      unit: z.string().optional().describe('absent: calls'),
      left: z.number(),
    }),
  ),
  shortfallSeconds: z
    .int()
    .describe(
      'so much older than promised answers get in the long run, because the limits allow no more calls; 0: enough',
    ),
  push: z
    .object({
      state: z.enum(['active', 'missing']),
      seenAt: z.iso.datetime().optional().describe('when its subscription was last seen to stand, or found missing'),
      reason: z.string().optional(),
    })
    .optional()
    .describe('whether the provider pushes to us; absent: it cannot, or that was not looked after yet'),
  held: z.int().optional().describe('answers held back as improbable, because too many changed alike at once'),
  freshSecondsP50: z.number().optional(),
  freshSecondsP99: z.number().optional(),
  callsTotal: z.int().optional(),
});

/** What the app hands to the API. */
export const statusReportSchema = z.object({
  version: z.string(),
  startedAt: z.iso.datetime(),
  now: z.iso.datetime(),
  clockSpeed: z.number(),
  ready: z.boolean(),
  notReady: z.string().optional().describe('why not'),
  stages: z.array(stageStatusSchema),
  providers: z.array(providerStatusSchema),
});
export type StatusReport = z.infer<typeof statusReportSchema>;

export const statusViewSchema = statusReportSchema.extend({
  mails: z.object({
    accepted: z.int(),
    done: z.int(),
    failed: z.int(),
    inProgress: z.int(),
    byDisposition: z.record(z.string(), z.int()),
    conserved: z.boolean().describe('accepted = done + failed + in progress'),
  }),
  deadLettersOpen: z.int(),
  paused: z.array(pauseViewSchema).describe('work that operators have stopped'),
  conservation: z
    .array(conservationViewSchema)
    .describe('events of your tenant (for the operator: of all), as of the last check, once a minute'),
  endpoints: z.object({ active: z.int(), disabled: z.int() }),
  feed: z.object({ first: z.int(), last: z.int() }),
});
export type StatusView = z.infer<typeof statusViewSchema>;
