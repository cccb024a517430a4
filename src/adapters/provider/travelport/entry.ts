import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createTravelportConnector } from './connector.ts';
import { CORES } from './status.ts';

const optionsSchema = z.strictObject({
  user: z.string().min(1).max(200),
  clientId: z.string().min(1).max(200),
  pcc: z.string().regex(/^[A-Z0-9]{3,5}$/, 'must be a pseudo city code, such as 7K9S'),
  core: z.enum(CORES, 'must be 1G (Galileo), 1V (Apollo) or 1P (Worldspan)'),
  accessGroup: z.string().min(1).max(100).optional(),
  queues: z
    .array(z.string().regex(/^\d{1,3}$/))
    .max(10)
    .default([]),
  authUrl: z.url().optional(),
});

export const travelportEntry: ConnectorEntry = {
  name: 'travelport',
  label: 'Travelport',
  options: optionsSchema,
  secrets: { key: 'needed', clientSecret: 'needed' },
  create: ({ account, clock, url, secrets, options }) =>
    createTravelportConnector({
      account,
      clock,
      password: secrets.key!,
      clientSecret: secrets.clientSecret!,
      ...optionsSchema.parse(options),
      ...(url === undefined ? {} : { url }),
    }),
};
