import { z } from 'zod';
import { reasonSchema } from './dead-letters.ts';

/** Pausing and resuming work, and the books of conservation: what is sent and what is answered. */

export const pauseKindSchema = z.enum(['stage', 'provider', 'mailbox', 'tenant']);

export const pauseWorkSchema = z.strictObject({
  kind: pauseKindSchema.describe('what is paused'),
  id: z.string().min(1).max(100).describe('stage name, provider account, mailbox id or tenant id'),
  reason: reasonSchema.describe('shown wherever the pause is: who comes next must know'),
});
export type PauseWork = z.infer<typeof pauseWorkSchema>;

export const pauseViewSchema = z.object({
  kind: pauseKindSchema,
  id: z.string(),
  reason: z.string().optional().describe('for operators only'),
  by: z.string().optional().describe('token id, or cli:NAME; for operators only'),
  since: z.iso.datetime(),
});
export type PauseView = z.infer<typeof pauseViewSchema>;

export const pauseListSchema = z.object({ items: z.array(pauseViewSchema) });

export const conservationViewSchema = z.object({
  tenant: z.string(),
  accepted: z.int().describe('events of every topic, once for each stage that reads the topic'),
  done: z.int().describe('worked on, or given up by an operator with a reason'),
  failed: z.int().describe('open dead letters'),
  inProgress: z.int().describe('waiting, or put off until a time'),
  overdue: z.int().describe('of these, put off until a time that is long past'),
  lost: z.int().describe('of these, found by the last check to be nowhere, and put back'),
  recovered: z.int().describe('put back ever'),
  balanced: z.boolean().describe('accepted = done + failed + in progress'),
  checkedAt: z.iso.datetime(),
});
export type ConservationView = z.infer<typeof conservationViewSchema>;
