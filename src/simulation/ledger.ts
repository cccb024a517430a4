import { statement, statementOfLength } from '../adapters/store/sql/rows.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { ModelMailboxes, ServedMailbox } from './model-mailboxes.ts';

/** The ledger of connected mailboxes beside what the mail server has: both as they are at one moment. */

export interface LedgerLook {
  readonly at: number;
  /** After the last process has stopped. */
  readonly last: boolean;
  readonly mailboxes: readonly LedgerOfMailbox[];
}

export interface LedgerOfMailbox extends ServedMailbox {
  readonly state: string;
  /** Mails that the watch says to have put on the ledger. */
  readonly seen: number;
  readonly liveCursor: Cursor | undefined;
  readonly backfillCursor: Cursor | undefined;
  readonly backfillDone: boolean;
  readonly receipts: readonly Receipt[];
}

interface Receipt {
  readonly id: string;
  /** SHA-256 of its header block. */
  readonly head: string;
  readonly disposition: string;
}

/** As the model connector makes them: the last place of each folder. */
type Cursor = Readonly<Record<string, { readonly validity: number; readonly uid: number }>>;

const HEAD = 'head:';

const selectWatches = statement((db) => db.selectFrom('watch').selectAll().orderBy('mailbox'));
const selectListed = statementOfLength((db, ids) =>
  db.selectFrom('mail').select(['id', 'mailbox', 'identity', 'disposition']).where('mailbox', 'in', ids).orderBy('id'),
);

/** Cheap: two queries over the few rows of these mailboxes. */
export function lookIntoLedger(
  store: SqlStore,
  server: ModelMailboxes,
): Promise<{ readonly mailboxes: readonly LedgerOfMailbox[] }> {
  return store.read(async ({ db }) => {
    const watches = (await selectWatches(db, [])).rows;
    const ids = watches.map(({ mailbox }) => mailbox);
    const { rows } = await selectListed(ids.length)(db, ids);
    const mailboxes = watches.map(
      (row): LedgerOfMailbox => ({
        ...server.served(row.mailbox),
        state: row.state,
        seen: row.seen,
        liveCursor: cursorOf(row.live_cursor),
        backfillCursor: cursorOf(row.backfill_cursor),
        backfillDone: row.backfill_done === 1,
        receipts: rows
          .filter((mail) => mail.mailbox === row.mailbox)
          .map(({ id, identity, disposition }) => ({ id, head: identity.slice(HEAD.length), disposition })),
      }),
    );
    return { mailboxes };
  });
}

const cursorOf = (text: string | null): Cursor | undefined =>
  text === null ? undefined : (JSON.parse(text) as Cursor);

/** In words, for a run that is not quiet yet. */
export function leftToList(mailboxes: readonly LedgerOfMailbox[]): readonly string[] {
  return mailboxes.flatMap(({ mailbox, state, receipts, present, since, subscribed }) => {
    const known = new Map(receipts.map((one) => [one.head, one.disposition]));
    const open = present.filter(({ head, receivedAt }) => receivedAt >= since && undone(known.get(head)));
    const left = open.length === 0 ? [] : [`${open.length} mails of ${mailbox} not on the ledger, as ${open[0]!.head}`];
    const deaf = subscribed === false ? [`${mailbox} has no subscription that lives`] : [];
    return [...left, ...deaf, ...(state === 'watching' ? [] : [`${mailbox} is ${state}`])];
  });
}

/** Not there, or said to be gone though it is back. */
const undone = (disposition: string | undefined): boolean => disposition === undefined || disposition === 'vanished';
