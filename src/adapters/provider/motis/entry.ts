import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createMotisConnector } from './connector.ts';

const optionsSchema = z.strictObject({
  contact: z
    .string()
    .regex(/^[\x21-\x7e]{3,200}$/, 'must be a mail address or a page where you can be reached')
    .describe('how the people who run the service reach you'),
});

export const motisEntry: ConnectorEntry = {
  name: 'motis',
  label: 'MOTIS (Transitous)',
  options: optionsSchema,
  secrets: {},
  create: ({ clock, url, options }) =>
    createMotisConnector({ clock, ...optionsSchema.parse(options), ...(url === undefined ? {} : { url }) }),
};
