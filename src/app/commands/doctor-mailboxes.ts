import { MAILBOX_KINDS } from '../../ports/mailbox.ts';
import type { Core } from '../core.ts';
import { OPERATOR } from '../core.ts';
import { pushOffer } from '../mailbox-push.ts';
import { age, printable } from '../terminal/style.ts';
import type { Finding } from './doctor.ts';

/** Mailboxes that are named one by one. */
const NAMED_MAX = 10;

/** Connected mailboxes: which need their owner, which do not answer, and of which new mails are only looked for. */
export async function mailboxFindings(core: Core, now: number): Promise<readonly Finding[]> {
  const { needing, watches } = await core.store.read(async (tx) => ({
    needing: await tx.watches.listNeeding(NAMED_MAX + 1),
    watches: await tx.watches.list(OPERATOR.tenant),
  }));
  const findings: Finding[] = needing.slice(0, NAMED_MAX).map(({ mailbox, needsSince = now, reasonCode, reason }) => ({
    state: 'bad',
    what: `mailbox ${mailbox} has needed its owner for ${age(now - needsSince)} (${reasonCode})`,
    remedy: printable(reason),
  }));
  if (needing.length > NAMED_MAX) findings.push({ state: 'bad', what: 'and further mailboxes need their owners' });
  const silent = watches.filter(({ state }) => state === 'unreachable');
  if (silent.length > 0)
    findings.push({
      state: 'note',
      what: `${silent.length} mailboxes cannot be reached: ${printable(silent[0]!.reason)}`,
      remedy: 'they are tried again by themselves; tripwatch mailbox list names them',
    });
  const well = watches.length - silent.length - watches.filter(({ needsSince }) => needsSince !== undefined).length;
  if (well > 0) findings.push({ state: 'ok', what: `${well} connected mailboxes are well` });
  for (const kind of MAILBOX_KINDS) {
    const of = watches.filter((one) => one.kind === kind);
    const offer = pushOffer(core.config, kind);
    const refused = of.filter(({ pushFault }) => pushFault !== undefined);
    if (of.length > 0 && offer.by === 'looking')
      findings.push({
        state: 'note',
        what: `new mails of ${of.length} ${kind} mailboxes are looked for every few minutes: ${offer.missing}`,
        remedy: 'docs/operating/mailboxes.md says how they are told of at once',
      });
    else if (refused.length > 0)
      findings.push({
        state: 'note',
        what: `${refused.length} ${kind} mailboxes are only looked at: their provider takes no wish for notices (${refused[0]!.pushFault})`,
        remedy: `see that ${core.config.http.publicUrl} is reached from outside; it is tried again by itself`,
      });
  }
  return findings;
}
