import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createHotelbedsConnector } from './connector.ts';

const optionsSchema = z.strictObject({ listMinutes: z.int().min(0).max(1440).default(60) });

export const hotelbedsEntry: ConnectorEntry = {
  name: 'hotelbeds',
  label: 'Hotelbeds',
  options: optionsSchema,
  secrets: { key: 'needed', secret: 'needed' },
  create: ({ account, clock, url, secrets, options }) =>
    createHotelbedsConnector({
      account,
      clock,
      key: secrets.key!,
      secret: secrets.secret!,
      ...optionsSchema.parse(options),
      ...(url === undefined ? {} : { url }),
    }),
};
