import { z } from 'zod';

/**
 * What we read of AeroDataBox's answer (its OpenAPI 1.14). Unknown fields are passed over; what is broken in an optional
 * field counts as absent, so that one odd value does not cost the rest; unknown enum values become `Unknown`.
 */
const text = z.string().max(200).optional().catch(undefined);

const timeSchema = z
  .object({ utc: z.string().max(40), local: z.string().max(40) })
  .optional()
  .catch(undefined);

const sideSchema = z
  .object({
    airport: z
      .object({ iata: text, name: text, municipalityName: text, countryCode: text, timeZone: text })
      .optional()
      .catch(undefined),
    scheduledTime: timeSchema,
    revisedTime: timeSchema,
    predictedTime: timeSchema,
    runwayTime: timeSchema,
    terminal: text,
    gate: text,
    checkInDesk: text,
    baggageBelt: text,
    quality: z.array(z.string()).optional().catch(undefined),
  })
  .optional()
  .catch(undefined);
export type Side = NonNullable<z.infer<typeof sideSchema>>;
export type SideTime = NonNullable<z.infer<typeof timeSchema>>;

export const STATUSES = [
  'Unknown',
  'Expected',
  'EnRoute',
  'CheckIn',
  'Boarding',
  'GateClosed',
  'Departed',
  'Delayed',
  'Approaching',
  'Arrived',
  'Canceled',
  'Diverted',
  'CanceledUncertain',
] as const;

export const flightSchema = z.object({
  number: z.string().min(2).max(20),
  status: z.enum(STATUSES).catch('Unknown'),
  codeshareStatus: z.enum(['Unknown', 'IsOperator', 'IsCodeshared']).catch('Unknown'),
  lastUpdatedUtc: text,
  departure: sideSchema,
  arrival: sideSchema,
  aircraft: z.object({ model: text }).optional().catch(undefined),
  airline: z.object({ name: text, iata: text }).optional().catch(undefined),
});
export type Flight = z.infer<typeof flightSchema>;

/** Items are checked one by one: a broken one beside ours must not hide ours. */
export const answerSchema = z.array(z.unknown()).max(200);
