import { first } from './0001-first.ts';
import { attempts } from './0002-attempts.ts';
import { pending } from './0003-pending.ts';
import { shardsAndLeases } from './0004-shards-and-leases.ts';
import { deadLettersAndAudit } from './0005-dead-letters-and-audit.ts';
import { controlAndConservation } from './0006-control-and-conservation.ts';
import { relay } from './0007-relay.ts';
import { subjectTouched } from './0008-subject-touched.ts';
import { watches } from './0009-watches.ts';
import { providerState } from './0011-provider-state.ts';
import { keptMails } from './0012-kept-mails.ts';
import { mailboxNeeds } from './0013-mailbox-needs.ts';
import { alerts } from './0014-alerts.ts';
import { whatMailsBrought } from './0015-what-mails-brought.ts';
import { providerNotices } from './0016-provider-notices.ts';
import { feedEpochs } from './0017-feed-epochs.ts';
import type { Migration } from './ddl.ts';

/** In the order of their numbers. A released one is never edited: add another. */
export const MIGRATIONS: readonly Migration[] = [
  first,
  attempts,
  pending,
  shardsAndLeases,
  deadLettersAndAudit,
  controlAndConservation,
  relay,
  subjectTouched,
  watches,
  providerState,
  keptMails,
  mailboxNeeds,
  alerts,
  whatMailsBrought,
  providerNotices,
  feedEpochs,
];
