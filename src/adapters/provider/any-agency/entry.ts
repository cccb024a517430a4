import { resolve } from 'node:path';
import { z } from 'zod';
import type { ConnectorEntry } from '../entry.ts';
import { createAnyAgencyConnector } from './connector.ts';
import { invalid, readDescription } from './description.ts';

const optionsSchema = z.strictObject({
  file: z.string().min(1, 'must name the file with the description').max(500),
});

export const anyAgencyEntry: ConnectorEntry = {
  name: 'any-agency',
  label: 'Any agency',
  options: optionsSchema,
  secrets: { key: 'optional', webhookSecret: 'optional' },
  vendorOf: ({ options, folder }) => {
    const file = resolve(folder, optionsSchema.parse(options).file);
    const { vendor } = readDescription(file);
    return vendor === undefined ? `any-agency file ${file}` : `any-agency ${vendor}`;
  },
  create: ({ account, clock, url, secrets: { key, webhookSecret }, options, folder }) => {
    const file = resolve(folder, optionsSchema.parse(options).file);
    const description = readDescription(file);
    if (description.auth.type !== 'none' && key === undefined)
      throw invalid(file, [`auth: it signs in by "${description.auth.type}", so the account needs a \`key\``]);
    if (description.push === undefined && webhookSecret !== undefined)
      throw invalid(file, ['push: the account has a `webhookSecret`, but the description says nothing of pushes']);
    return createAnyAgencyConnector({
      account,
      description,
      clock,
      ...(key === undefined ? {} : { key }),
      ...(webhookSecret === undefined ? {} : { webhookSecret }),
      ...(url === undefined ? {} : { url }),
    });
  },
};
