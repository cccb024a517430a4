import { sql } from 'kysely';
import { TripwatchError } from '../../../domain/errors.ts';
import type { MailboxId, MailId, ReservationId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { BlobRef } from '../../../ports/blobs.ts';
import {
  DISPOSITIONS,
  type Disposition,
  type MailReceipt,
  type MailRecord,
  type MailRepo,
} from '../../../ports/store/mails.ts';
import type { SqlHooks } from './hooks.ts';
import { openMailEffects } from './mail-effects.ts';
import { parseJson, type Statement, slices, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Mails with their receipts. */
export function openMails(db: Db, hooks: Pick<SqlHooks, 'lock'>): MailRepo {
  return {
    add: async (mail, now) => {
      const { rows } = await insertMail(db, [
        ...[mail.tenant, mail.id, mail.traveller, mail.mailbox, identityOf(mail)],
        ...[mail.raw ?? null, mail.ref ?? null, mail.folder ?? null, mail.size],
        ...[mail.fromAddress, mail.fromName, mail.subject, mail.date ?? null, mail.messageId ?? null],
        ...[mail.receivedAt, mail.via, now],
      ]);
      const row = rows[0]!;
      return {
        new: row.times_seen === 1,
        id: row.id as MailId,
        disposition: row.disposition as Disposition,
        timesSeen: row.times_seen,
      };
    },
    get: async (tenant, id) => {
      const [row] = (await selectMail(db, [tenant, id])).rows;
      return row && (await withReservations(db, tenant, [row]))[0];
    },
    update: async (tenant, id, update, now) => {
      const columns = {
        disposition: update.disposition,
        reason_code: update.reasonCode,
        reason: update.reason,
        updated_at: now,
        ...(update.warnings === undefined ? {} : { warnings: JSON.stringify(update.warnings) }),
        ...(update.raw === undefined ? {} : { raw: update.raw }),
        ...(update.found === undefined ? {} : { found: update.found }),
        ...(update.asksFor === undefined ? {} : { asks_for: update.asksFor }),
      };
      const only = update.ifRef === undefined ? [] : [update.ifRef];
      const change = updateMail(Object.keys(columns), only.length > 0);
      const { numAffectedRows } = await change(db, [...Object.values(columns), tenant, id, ...only]);
      return numAffectedRows !== undefined && numAffectedRows > 0n;
    },
    linkReservation: async (tenant, id, reservation) => {
      await db
        .insertInto('mail_reservation')
        .values({ tenant, mail: id, reservation })
        .onConflict((conflict) => conflict.columns(['tenant', 'mail', 'reservation']).doNothing())
        .execute();
    },
    ...openMailEffects(db, hooks),
    questions: async (tenant, mailbox) => {
      const rows = await db
        .selectFrom('mail')
        .select(['id', 'asks_for', 'reason'])
        .where('tenant', '=', tenant)
        .where('mailbox', '=', mailbox)
        // As a literal: only then does the planner use the index of just these.
        .where(sql<boolean>`disposition = 'needs-you'`)
        .where('asks_for', 'is not', null)
        .orderBy('id')
        .limit(QUESTIONS_MAX)
        .execute();
      return rows.map((row) => ({ id: row.id as MailId, asksFor: row.asks_for ?? '', reason: row.reason }));
    },
    list: async (tenant, query) => {
      let select = db.selectFrom('mail').selectAll().where('tenant', '=', tenant);
      const { traveller, mailbox, disposition, reasonCode, limit } = query;
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      if (mailbox !== undefined) select = select.where('mailbox', '=', mailbox);
      if (disposition !== undefined) select = select.where('disposition', '=', disposition);
      if (reasonCode !== undefined) select = select.where('reason_code', '=', reasonCode);
      const before = query.before === undefined ? undefined : parseCursor(query.before);
      if (before !== undefined) {
        select = select.where((eb) =>
          eb.or([
            eb('received_at', '<', before.receivedAt),
            eb.and([eb('received_at', '=', before.receivedAt), eb('id', '<', before.id)]),
          ]),
        );
      }
      const rows = await select
        .orderBy('received_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const receipts = await withReservations(db, tenant, shown);
      return rows.length > limit && last !== undefined
        ? { receipts, nextBefore: `${last.received_at}.${last.id}` }
        : { receipts };
    },
    count: async (tenant, traveller) => {
      let select = db
        .selectFrom('mail')
        .select((eb) => ['disposition', eb.fn.countAll<number>().as('count')])
        .where('tenant', '=', tenant);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      return countsOf(await select.groupBy('disposition').execute());
    },
    countOf: async (tenant, mailbox) =>
      countsOf(
        await db
          .selectFrom('mail')
          .select((eb) => ['disposition', eb.fn.countAll<number>().as('count')])
          .where('tenant', '=', tenant)
          .where('mailbox', '=', mailbox)
          .groupBy('disposition')
          .execute(),
      ),
    undecided: async (tenant, mailbox) => {
      const row = await db
        .selectFrom('mail')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant', '=', tenant)
        .where('mailbox', '=', mailbox)
        // As literals: only then does the planner use the index of just these.
        .where(sql<boolean>`disposition IN ('seen', 'collected')`)
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
  };
}

function countsOf(
  rows: readonly { readonly disposition: string; readonly count: number }[],
): Record<Disposition, number> {
  const counts = Object.fromEntries(Object.keys(DISPOSITIONS).map((name) => [name, 0]));
  for (const row of rows) counts[row.disposition] = Number(row.count);
  return counts as Record<Disposition, number>;
}

/** Questions of mail hosts that are open at one address. */
const insertMail = statement((db) =>
  db
    .insertInto('mail')
    .values({
      ...{ tenant: '', id: '', traveller: '', mailbox: '', identity: '', raw: '', ref: '', folder: '', size: 0 },
      ...{ from_address: '', from_name: '', subject: '', date_at: 0, message_id: '', received_at: 0, via: '' },
      updated_at: 0,
      disposition: sql.lit('seen' satisfies Disposition),
      reason_code: sql.lit('seen'),
      reason: sql.lit(DISPOSITIONS.seen),
      warnings: sql.lit('[]'),
      times_seen: sql.lit(1),
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'mailbox', 'identity']).doUpdateSet((eb) => ({
        times_seen: eb('mail.times_seen', '+', eb.lit(1)),
        // Its bytes may have gone meanwhile, and are here again.
        raw: eb.fn.coalesce('mail.raw', 'excluded.raw'),
        // What was listed may have another reference now; what was brought has none.
        ref: eb.fn.coalesce('excluded.ref', 'mail.ref'),
        folder: eb.fn.coalesce('excluded.folder', 'mail.folder'),
      })),
    )
    .returning(['id', 'times_seen', 'disposition']),
);

const selectMail = statement((db) => db.selectFrom('mail').selectAll().where('tenant', '=', '').where('id', '=', ''));

/** One for each set of columns that are written together, of which there are few. */
const updates = new Map<string, Statement<unknown>>();

function updateMail(columns: readonly string[], ifRef: boolean): Statement<unknown> {
  const name = `${columns.join()} ${ifRef}`;
  let found = updates.get(name);
  if (found === undefined) {
    found = statement((db) => {
      const blank = Object.fromEntries(columns.map((column) => [column, '']));
      const change = db.updateTable('mail').set(blank).where('tenant', '=', '').where('id', '=', '');
      return ifRef ? change.where('ref', '=', '') : change;
    });
    updates.set(name, found);
  }
  return found;
}

const QUESTIONS_MAX = 50;
const HEAD = 'head:';

/** Stays as it is when the bytes of a listed mail are fetched. */
function identityOf(mail: MailRecord): string {
  if (mail.headDigest !== undefined) return `${HEAD}${mail.headDigest}`;
  if (mail.raw !== undefined) return mail.raw;
  throw new TripwatchError('defect', 'mail-without-identity', `Mail ${mail.id} has neither bytes nor a header digest.`);
}

/** `<received at>.<mail id>`; a text that is no cursor of ours begins at the newest. */
function parseCursor(cursor: string): { readonly receivedAt: number; readonly id: string } | undefined {
  const parts = /^(\d{1,15})\.(.+)$/.exec(cursor);
  return parts ? { receivedAt: Number(parts[1]), id: parts[2]! } : undefined;
}

async function withReservations(
  db: Db,
  tenant: TenantId,
  rows: readonly Schema['mail'][],
): Promise<readonly MailReceipt[]> {
  const found = new Map<string, ReservationId[]>(rows.map((row) => [row.id, []]));
  for (const ids of slices(found.keys())) {
    const links = await db
      .selectFrom('mail_reservation')
      .select(['mail', 'reservation'])
      .where('tenant', '=', tenant)
      .where('mail', 'in', ids)
      .orderBy('reservation')
      .execute();
    for (const link of links) found.get(link.mail)?.push(link.reservation as ReservationId);
  }
  return rows.map((row) => ({
    id: row.id as MailId,
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    mailbox: row.mailbox as MailboxId,
    ...(row.raw === null ? {} : { raw: row.raw as BlobRef }),
    ...(row.identity.startsWith(HEAD) ? { headDigest: row.identity.slice(HEAD.length) } : {}),
    ...(row.ref === null ? {} : { ref: row.ref }),
    ...(row.folder === null ? {} : { folder: row.folder }),
    size: row.size,
    fromAddress: row.from_address,
    fromName: row.from_name,
    subject: row.subject,
    date: row.date_at ?? undefined,
    messageId: row.message_id ?? undefined,
    receivedAt: row.received_at,
    via: row.via as MailReceipt['via'],
    disposition: row.disposition as Disposition,
    reasonCode: row.reason_code,
    reason: row.reason,
    reservations: found.get(row.id) ?? [],
    warnings: parseJson<MailReceipt['warnings']>(row.warnings),
    ...(row.found === null ? {} : { found: row.found }),
    timesSeen: row.times_seen,
    updatedAt: row.updated_at,
  }));
}
