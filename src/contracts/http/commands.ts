import { z } from 'zod';
import { KINDS } from '../../domain/facts.ts';

/** Bodies of our own commands: unknown fields are refused, so that a typing mistake is never silently dropped. */

const id = <P extends string>(prefix: P) => z.templateLiteral([prefix, '_', z.string()]);
export const travellerIdSchema = id('trv');
export const reservationIdSchema = id('rsv');
const label = z.string().trim().min(1).max(100);

const zone = z.string().refine(isZone, { message: 'not an IANA time zone; write one such as Europe/Berlin' });
function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return !/^[+-]/.test(text);
  } catch {
    return false;
  }
}
const locale = z.string().refine(isLocale, { message: 'not a language tag; write one such as en or de-CH' });
function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

export const addTravellerSchema = z.strictObject({
  name: z.string().trim().min(1).max(200),
  zone: zone.default('UTC').describe('IANA zone of home'),
  locale: locale.default('en'),
});
export type AddTraveller = z.infer<typeof addTravellerSchema>;

export const addMailboxSchema = z.strictObject({
  kind: z.literal('forward'),
  label: label.default('forwarded mails'),
});
export type AddMailbox = z.infer<typeof addMailboxSchema>;

export const addRuleSchema = z.strictObject({
  action: z.enum(['allow', 'deny']),
  field: z.enum(['sender', 'domain', 'subject', 'folder']),
  pattern: z.string().trim().min(1).max(200),
});
export type AddRule = z.infer<typeof addRuleSchema>;

const factValue = z.union([z.string().max(4000), z.number(), z.boolean(), z.null()]);
/** Field path to value; the paths are those of docs/glossary: `start.scheduled`, `number`, `start.gate`, … */
export const factValuesSchema = z
  .record(z.string().min(1).max(200), factValue)
  .refine((facts) => Object.keys(facts).length <= 100, { message: 'at most 100 fields' })
  .describe('field path to value, e.g. {"start.gate": "B22"}; times as 2026-12-01T10:05:00+01:00[Europe/Berlin]');

const byHandSchema = z.strictObject({
  traveller: travellerIdSchema,
  kind: z.enum(KINDS),
  reference: z.string().trim().min(1).max(100).optional().describe('locator or confirmation number'),
  facts: factValuesSchema.optional().describe('fields of the booking as a whole'),
  legs: z
    .array(z.strictObject({ kind: z.enum(KINDS).optional(), facts: factValuesSchema }))
    .min(1)
    .max(50),
});
const byProviderSchema = z.strictObject({
  traveller: travellerIdSchema,
  kind: z.enum(KINDS),
  provider: z.strictObject({
    account: z.string().min(1).max(40),
    id: z.string().trim().min(1).max(200).describe("the provider's own id of the booking, e.g. ord_…"),
  }),
});
export const addReservationSchema = z.union([byHandSchema, byProviderSchema]);
export type AddByHand = z.infer<typeof byHandSchema>;
export type AddByProvider = z.infer<typeof byProviderSchema>;
export type AddReservation = z.infer<typeof addReservationSchema>;

export const editReservationSchema = z.strictObject({
  leg: id('leg').optional().describe('absent: fields of the booking as a whole'),
  facts: factValuesSchema.refine((facts) => Object.keys(facts).length > 0, { message: 'name at least one field' }),
});
export type EditReservation = z.infer<typeof editReservationSchema>;

export const addEndpointSchema = z.strictObject({
  url: z.string().min(1).max(2000),
  traveller: travellerIdSchema.optional().describe('absent: changes of every traveller'),
});
export type AddEndpoint = z.infer<typeof addEndpointSchema>;

export const editEndpointSchema = z
  .strictObject({ url: z.string().min(1).max(2000).optional(), state: z.enum(['active', 'disabled']).optional() })
  .refine((body) => body.url !== undefined || body.state !== undefined, { message: 'give url, state or both' });
export type EditEndpoint = z.infer<typeof editEndpointSchema>;

export const addTokenSchema = z.strictObject({
  label,
  scopes: z
    .array(z.enum(['read', 'write', 'operate']))
    .min(1)
    .max(3),
  traveller: travellerIdSchema.optional().describe('absent: every traveller of the tenant'),
});
export type AddToken = z.infer<typeof addTokenSchema>;

export const emptySchema = z.strictObject({}).optional();
