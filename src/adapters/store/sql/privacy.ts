import { sql } from 'kysely';
import type { MailboxId, MailId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { BlobRef } from '../../../ports/blobs.ts';
import type { Disposition } from '../../../ports/store/mails.ts';
import type { OpenedMail, PrivacyRepo } from '../../../ports/store/privacy.ts';
import type { SqlHooks } from './hooks.ts';
import { eraseTraveller, everythingOf, holdingsOf, logOf, shutTraveller } from './privacy-traveller.ts';
import { parseJson, slices } from './rows.ts';
import type { Db } from './schema.ts';

/** Receipts of mails whose bytes were never read. */
const UNOPENED: readonly Disposition[] = ['seen', 'skipped', 'too-large', 'vanished'];

/** What is kept of people, for how long, and how it goes. */
export function openPrivacy(db: Db, hooks: Pick<SqlHooks, 'now'>): PrivacyRepo {
  return {
    keptSince: async (before, limit) => {
      const rows = await db
        .selectFrom('mail')
        .select(['tenant', 'id', 'raw'])
        .where('raw', 'is not', null)
        // As literals: only then does the planner use the index of just these.
        .where(sql<boolean>`disposition NOT IN ('seen', 'collected')`)
        .where('updated_at', '<', before)
        .orderBy('updated_at')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ tenant: row.tenant as TenantId, id: row.id as MailId, raw: row.raw as BlobRef }));
    },
    letGo: async (mails, note) => {
      for (const { tenant, id, raw } of mails) {
        const row = await db
          .selectFrom('mail')
          .select('warnings')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .executeTakeFirst();
        if (row === undefined) continue;
        const others = parseJson<readonly { readonly code: string }[]>(row.warnings).filter(
          ({ code }) => code !== note.code,
        );
        await db
          .updateTable('mail')
          .set({ raw: null, warnings: JSON.stringify([...others, note]) })
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .where('raw', '=', raw)
          .where(sql<boolean>`disposition NOT IN ('seen', 'collected')`)
          .execute();
      }
    },
    needed: async (ref, owner) => {
      let select = db.selectFrom('mail').select('id').where('raw', '=', ref);
      if (owner !== 'shared') select = select.where('tenant', '=', owner);
      return (await select.limit(1).executeTakeFirst()) !== undefined;
    },
    opened: async (tenant, query) => openedMails(db, tenant, query),
    holdings: (tenant, traveller) => holdingsOf(db, tenant, traveller),
    rawOf: async (tenant, traveller) => {
      const rows = await db
        .selectFrom('mail')
        .select('raw')
        .distinct()
        .where('tenant', '=', tenant)
        .where('traveller', '=', traveller)
        .where('raw', 'is not', null)
        .execute();
      return rows.map((row) => row.raw as BlobRef);
    },
    unfinished: async (tenant, traveller, readers) => {
      let open = 0;
      for (const { name, reads } of readers) {
        const row = await logOf(db, tenant, traveller)
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('topic', '=', reads)
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('processed')
                  .select('processed.event_id')
                  .whereRef('processed.event_id', '=', 'log.id')
                  .where('processed.consumer', '=', name),
              ),
            ),
          )
          .executeTakeFirstOrThrow();
        open += Number(row.count);
      }
      return open;
    },
    shut: (tenant, traveller, now) => shutTraveller(db, hooks, tenant, traveller, now),
    erase: (tenant, traveller) => eraseTraveller(db, hooks, tenant, traveller),
    everything: (tenant, traveller) => everythingOf(db, tenant, traveller),
  };
}

/** The decision to open a mail is the event `mail.collected`; its receipt says later what was in it. */
async function openedMails(
  db: Db,
  tenant: TenantId,
  query: Parameters<PrivacyRepo['opened']>[1],
): ReturnType<PrivacyRepo['opened']> {
  let select = db.selectFrom('mail').selectAll().where('tenant', '=', tenant).where('disposition', 'not in', UNOPENED);
  if (query.traveller !== undefined) select = select.where('traveller', '=', query.traveller);
  const before = /^(\d{1,15})\.(\w{1,80})$/.exec(query.before ?? '');
  if (before !== null)
    select = select.where((eb) =>
      eb.or([
        eb('received_at', '<', Number(before[1])),
        eb.and([eb('received_at', '=', Number(before[1])), eb('id', '<', before[2]!)]),
      ]),
    );
  const rows = await select
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const shown = rows.slice(0, query.limit);
  const decided = new Map<string, { readonly at: number; readonly why: string }>();
  for (const ids of slices(shown.map(({ id }) => id))) {
    const events = await db
      .selectFrom('log')
      .select(['subject', 'at', 'body'])
      .where('tenant', '=', tenant)
      .where('subject', 'in', ids)
      .where('topic', '=', 'mail.collected')
      .execute();
    for (const { subject, at, body } of events)
      decided.set(subject, { at: Number(at), why: parseJson<{ data: { reason: string } }>(body).data.reason });
  }
  const mails = shown.flatMap((row): OpenedMail[] => {
    const decision = decided.get(row.id);
    if (decision === undefined) return [];
    return [
      {
        id: row.id as MailId,
        mailbox: row.mailbox as MailboxId,
        traveller: row.traveller as TravellerId,
        from: row.from_address,
        subject: row.subject,
        receivedAt: row.received_at,
        openedAt: decision.at,
        why: decision.why,
        disposition: row.disposition as Disposition,
        kept: row.raw !== null,
      },
    ];
  });
  const last = shown.at(-1);
  return rows.length > query.limit && last ? { mails, next: `${last.received_at}.${last.id}` } : { mails };
}
