import { describe } from 'node:test';
import { alertsContract } from './alerts.ts';
import { conservationContract } from './conservation.ts';
import { controlContract } from './control.ts';
import { auditContract, deadLettersContract } from './dead-letters.ts';
import type { OpenStore } from './harness.ts';
import { leasesContract } from './leases.ts';
import { itinerariesContract, logContract, notificationsContract } from './log-and-outgoing.ts';
import { accountsContract, mailsContract } from './mails-and-accounts.ts';
import { noticesContract } from './notices.ts';
import { oldEventsContract } from './old-events.ts';
import { providerStateContract } from './provider-state.ts';
import { reservationsContract, subjectsContract } from './reservations-and-subjects.ts';
import { transactionsContract } from './transactions.ts';
import { watchesContract } from './watches.ts';

/** What every store must do. `open` gives a fresh, empty one each time. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    describe('transactions', () => transactionsContract(open));
    describe('mails', () => mailsContract(open));
    describe('accounts', () => accountsContract(open));
    describe('watches', () => watchesContract(open));
    describe('reservations', () => reservationsContract(open));
    describe('subjects', () => subjectsContract(open));
    describe('itineraries', () => itinerariesContract(open));
    describe('alerts', () => alertsContract(open));
    describe('notifications', () => notificationsContract(open));
    describe('log', () => logContract(open));
    describe('leases', () => leasesContract(open));
    describe('dead letters', () => deadLettersContract(open));
    describe('audit', () => auditContract(open));
    describe('control', () => controlContract(open));
    describe('provider state', () => providerStateContract(open));
    describe('notices', () => noticesContract(open));
    describe('conservation', () => conservationContract(open));
    describe('old events', () => oldEventsContract(open));
  });
}
