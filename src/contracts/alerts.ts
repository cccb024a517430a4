import { z } from 'zod';
import { ALERT_KINDS, SEVERITIES } from '../domain/alerts/alert.ts';
import { MINUTES_MAX, MINUTES_MIN } from '../domain/alerts/rules.ts';

/** What a traveller is told, as it travels: on `itinerary.updated`, to webhooks, on the API. */
const factValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const alertSchema = z.object({
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(SEVERITIES),
  sentence: z.string().describe('in the language of the traveller'),
  certain: z.boolean().describe('false: not confirmed, or reckoned with hours that nobody named'),
  facts: z
    .array(z.object({ fact: z.string(), value: factValue, before: factValue.optional() }))
    .describe('what it tells; `before` is what was told of it the last time'),
  reservation: z.templateLiteral(['rsv_', z.string()]),
  leg: z.templateLiteral(['leg_', z.string()]).optional(),
});

export const toldAlertSchema = alertSchema.extend({ at: z.iso.datetime() });
export type ToldAlertView = z.infer<typeof toldAlertSchema>;

const minutes = z.int().min(MINUTES_MIN).max(MINUTES_MAX);
const ruleSchema = z.strictObject({
  on: z.boolean().optional(),
  minutes: minutes.optional().describe('first told from so many minutes on'),
  stepMinutes: minutes.optional().describe('told again with each further change of so many minutes'),
});
/** What a traveller wants to be told otherwise than the rules say. */
const alertSettingsSchema = z.partialRecord(z.enum(ALERT_KINDS), ruleSchema);
export const editAlertSettingsSchema = z.partialRecord(z.enum(ALERT_KINDS), ruleSchema.nullable());
export type EditAlertSettings = z.infer<typeof editAlertSettingsSchema>;

export const alertRulesViewSchema = z.object({
  settings: alertSettingsSchema.describe('what the traveller has set'),
  rules: z
    .record(z.string(), z.object({ on: z.boolean(), minutes: z.int().optional(), stepMinutes: z.int().optional() }))
    .describe('what holds: the settings over the defaults'),
});
