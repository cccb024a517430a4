import type { ConnectorEntry } from '../entry.ts';
import { createHotelbedsConnector } from './connector.ts';

export const hotelbedsEntry: ConnectorEntry = {
  name: 'hotelbeds',
  label: 'Hotelbeds',
  secrets: { key: 'needed', secret: 'needed' },
  create: ({ account, clock, url, secrets }) =>
    createHotelbedsConnector({
      account,
      clock,
      key: secrets.key!,
      secret: secrets.secret!,
      ...(url === undefined ? {} : { url }),
    }),
};
