import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createSabreConnector } from './connector.ts';

const optionsSchema = z.strictObject({
  user: z.string().min(1).max(40).describe('the EPR'),
  pcc: z.string().regex(/^[A-Z0-9]{3,5}$/, 'must be a pseudo city code, such as AB12'),
  domain: z.string().max(10).default('AA'),
  queues: z
    .array(z.string().regex(/^\d{1,3}$/))
    .max(10)
    .default([]),
  parts: z.array(z.string().max(40)).default(['FLIGHTS', 'HOTELS', 'CARS', 'TRAVELERS', 'TICKETS']),
  soapUrl: z.url().optional(),
});

export const sabreEntry: ConnectorEntry = {
  name: 'sabre',
  label: 'Sabre',
  options: optionsSchema,
  secrets: { key: 'needed' },
  create: ({ account, clock, url, secrets, options }) => {
    const { soapUrl, ...rest } = optionsSchema.parse(options);
    return createSabreConnector({
      account,
      clock,
      password: secrets.key!,
      ...rest,
      ...(url === undefined ? {} : { url }),
      ...(soapUrl === undefined ? {} : { soapUrl }),
    });
  },
};
