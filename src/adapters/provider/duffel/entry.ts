import type { ConnectorEntry } from '../entry.ts';
import { createDuffelConnector } from './connector.ts';

export const duffelEntry: ConnectorEntry = {
  name: 'duffel',
  label: 'Duffel',
  secrets: { key: 'needed', webhookSecret: 'optional' },
  create: ({ account, clock, url, secrets: { key, webhookSecret } }) =>
    createDuffelConnector({
      account,
      clock,
      token: key!,
      ...(url === undefined ? {} : { url }),
      ...(webhookSecret === undefined ? {} : { webhookSecret }),
    }),
};
