import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createBookingComConnector } from './connector.ts';

const optionsSchema = z.strictObject({
  affiliateId: z.string().regex(/^\d{1,12}$/, 'must be the number of the affiliate'),
  ids: z.enum(['orders', 'reservations'], 'must be "orders" or "reservations"').default('reservations'),
});

export const bookingComEntry: ConnectorEntry = {
  name: 'booking-com',
  label: 'Booking.com',
  options: optionsSchema,
  secrets: { key: 'needed' },
  create: ({ account, clock, url, secrets, options }) =>
    createBookingComConnector({
      account,
      clock,
      token: secrets.key!,
      ...optionsSchema.parse(options),
      ...(url === undefined ? {} : { url }),
    }),
};
