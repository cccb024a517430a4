import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createExpediaConnector } from './connector.ts';

const optionsSchema = z.strictObject({
  email: z.email().optional().describe('the address that the agency books with'),
  affiliatePrefix: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,20}$/, 'must be how your own booking numbers begin, such as ACME-')
    .optional(),
  customerIp: z.ipv4().default('127.0.0.1'),
  pushes: z.enum(['signed', 'unsigned', 'none']).default('signed'),
  names: z.boolean().default(true),
});

export const expediaEntry: ConnectorEntry = {
  name: 'expedia',
  label: 'Expedia Rapid',
  options: optionsSchema,
  secrets: { key: 'needed', sharedSecret: 'needed' },
  create: ({ account, clock, url, secrets, options }) => {
    return createExpediaConnector({
      account,
      clock,
      key: secrets.key!,
      secret: secrets.sharedSecret!,
      ...optionsSchema.parse(options),
      ...(url === undefined ? {} : { url }),
    });
  },
};
