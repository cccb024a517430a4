import type { ReadTx } from '../../../ports/store.ts';
import { openAccounts } from './accounts.ts';
import { openAlerts } from './alerts.ts';
import { openAudit } from './audit.ts';
import { openConservation } from './conservation.ts';
import { openControl } from './control.ts';
import { openDeadLetters } from './dead-letters.ts';
import type { SqlHooks } from './hooks.ts';
import { openItineraries } from './itineraries.ts';
import { openLeases } from './leases.ts';
import { openLog } from './log.ts';
import { openMails } from './mails.ts';
import { openNotices } from './notices.ts';
import { openNotifications } from './notifications.ts';
import { openOldEvents } from './old-events.ts';
import { openPrivacy } from './privacy.ts';
import { openProviderState } from './provider-state.ts';
import { openReservations } from './reservations.ts';
import type { Db } from './schema.ts';
import { openSubjects } from './subjects.ts';
import { openWatches } from './watches.ts';

/** The repositories on one connection. */
export function openRepos(db: Db, hooks: SqlHooks): ReadTx {
  return {
    mails: openMails(db, hooks),
    accounts: openAccounts(db, hooks),
    watches: openWatches(db, hooks),
    reservations: openReservations(db, hooks),
    subjects: openSubjects(db, hooks),
    providerState: openProviderState(db),
    notices: openNotices(db),
    itineraries: openItineraries(db, hooks),
    alerts: openAlerts(db, hooks),
    notifications: openNotifications(db),
    log: openLog(db, hooks),
    deadLetters: openDeadLetters(db, hooks),
    audit: openAudit(db),
    leases: openLeases(db, hooks),
    privacy: openPrivacy(db, hooks),
    control: openControl(db),
    conservation: openConservation(db, hooks),
    oldEvents: openOldEvents(db),
  };
}
