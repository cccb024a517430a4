import type { ConnectorEntry } from '../entry.ts';
import { createAeroDataBoxConnector } from './connector.ts';

export const aeroDataBoxEntry: ConnectorEntry = {
  name: 'aerodatabox',
  label: 'AeroDataBox',
  flightStatus: true,
  secrets: { key: 'needed' },
  create: ({ account, clock, url, secrets }) =>
    createAeroDataBoxConnector({ account, clock, key: secrets.key!, ...(url === undefined ? {} : { url }) }),
};
