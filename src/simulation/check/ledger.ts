import type { LedgerOfMailbox } from '../ledger.ts';
import { type Checker, countBy, type Violation, violation } from './violation.ts';

const HOUR = 3_600_000;
/**
 * Sign-ins with what was refused before, in an hour of one life and mailbox. More than one: two lanes may try at the same
 * moment, and a process that gives a mailbox away and gets it back begins anew.
 */
const REFUSED_MAX = 4;

/** I9, at every look and at the end: mails counted by the watch are as many as there are receipts of the mailbox. */
export const checkLedger: Checker = ({ history }) => {
  const found: Violation[] = [];
  for (const { at, last, mailboxes } of history.ledgers)
    for (const one of mailboxes) {
      const { mailbox, seen, receipts } = one;
      if (seen !== receipts.length)
        found.push(violation('I9', `at ${at}: ${mailbox} saw ${seen} mails and has ${receipts.length} receipts`));
      if (last) found.push(...atTheEnd(one));
    }
  return found;
};

/** Each mail that lies there and was asked for has exactly one receipt, and no other mail has one. */
function atTheEnd({ mailbox, receipts, present, delivered, since }: LedgerOfMailbox): readonly Violation[] {
  const found: Violation[] = [];
  for (const [head, times] of countBy(receipts, (one) => one.head))
    if (times > 1) found.push(violation('I9', `mail ${head} of ${mailbox} has ${times} receipts`));
  const known = new Map(receipts.map((one) => [one.head, one.disposition]));
  for (const { head, receivedAt } of present) {
    if (receivedAt < since) continue;
    const disposition = known.get(head);
    if (disposition === undefined) found.push(violation('I9', `mail ${head} of ${mailbox} has no receipt`));
    if (disposition === 'vanished')
      found.push(violation('I9', `mail ${head} of ${mailbox} is there and said to be gone`));
  }
  const wanted = new Set(delivered.filter(({ receivedAt }) => receivedAt >= since).map(({ head }) => head));
  for (const { head, id } of receipts)
    if (!wanted.has(head)) found.push(violation('I9', `${id} is a receipt of ${mailbox} for a mail nobody asked for`));
  return found;
}

/** I9, at every look: no mail that lies before a stored cursor is without a receipt. */
export const checkCursors: Checker = ({ history }) =>
  history.ledgers.flatMap(({ at, mailboxes }) =>
    mailboxes.flatMap((one) =>
      passed(one).map((head) => violation('I9', `at ${at}: the cursor of ${one.mailbox} has passed ${head}`)),
    ),
  );

/** Mails that lie there, that a lane has passed, and that have no receipt. */
function passed(one: LedgerOfMailbox): readonly string[] {
  const { since, began, present, liveCursor, backfillCursor, backfillDone } = one;
  const known = new Set(one.receipts.map(({ head }) => head));
  return present
    .filter(({ head, folder, validity, uid, receivedAt }) => {
      if (receivedAt < since || known.has(head)) return false;
      const live = liveCursor?.[folder];
      if (live === undefined || live.validity !== validity || uid > live.uid) return false;
      // What was there before belongs to the other lane, until the numbers begin anew.
      if (began.validity !== validity || uid > began.uid || backfillDone) return true;
      const back = backfillCursor?.[folder];
      return back?.validity === validity && uid >= back.uid;
    })
    .map(({ head }) => head);
}

/** I13: what a server refused is not offered again and again. */
export const checkSignIns: Checker = ({ history }) => {
  const found: Violation[] = [];
  const times = new Map<string, number[]>();
  for (const { at, life, mailbox } of history.refusedSignIns) {
    const key = `process ${life} at ${mailbox}`;
    const before = times.get(key) ?? [];
    times.set(key, [...before, at]);
    const first = before.at(-REFUSED_MAX);
    if (first !== undefined && at - first < HOUR)
      found.push(violation('I13', `${key} was refused more than ${REFUSED_MAX} times in an hour`));
  }
  return found;
};
