import type { Topic } from '../../../contracts/topics.ts';
import type { ReadTx } from '../../../ports/store.ts';
import { openAccounts } from './accounts.ts';
import { openItineraries } from './itineraries.ts';
import { openLog } from './log.ts';
import { openMails } from './mails.ts';
import { openNotifications } from './notifications.ts';
import { openReservations } from './reservations.ts';
import type { Db } from './schema.ts';
import { openSubjects } from './subjects.ts';

/** The repositories on one connection. `touch` is told of every topic that got something to deliver. */
export function openRepos(db: Db, touch: (topic: Topic) => void): ReadTx {
  return {
    mails: openMails(db),
    accounts: openAccounts(db),
    reservations: openReservations(db),
    subjects: openSubjects(db),
    itineraries: openItineraries(db),
    notifications: openNotifications(db),
    log: openLog(db, touch),
  };
}
