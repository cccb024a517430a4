import type { ConnectorEntry } from '../entry.ts';
import { createAeroApiConnector } from './connector.ts';

export const aeroApiEntry: ConnectorEntry = {
  name: 'aeroapi',
  label: 'FlightAware',
  flightStatus: true,
  secrets: { key: 'needed' },
  create: ({ clock, url, secrets }) =>
    createAeroApiConnector({ clock, key: secrets.key!, ...(url === undefined ? {} : { url }) }),
};
