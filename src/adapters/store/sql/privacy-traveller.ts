import { type Kysely, sql } from 'kysely';
import type { TenantId, TravellerId } from '../../../domain/ids.ts';
import type { Holdings } from '../../../ports/store/privacy.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, slices } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/**
 * Everything that is kept of one traveller, in every table: counted, told, erased. A table that holds something of
 * travellers and is not named here fails the test that reads the schema.
 */

/** Tables with a column for the traveller, in the order in which they are erased. */
const OWN = [
  'watch',
  'rule',
  'mail',
  'observation_key',
  'observation',
  'follower',
  'itinerary',
  'told',
  'alert_setting',
  'feed',
  'reservation',
  'endpoint',
  'api_token',
  'mailbox',
] as const satisfies readonly (keyof Schema)[];
/** Rows that hang on reservations, mails or events. */
const HANGING = [
  'reservation_version',
  'reservation_observation',
  'mail_reservation',
  'mail_observation',
  'notification',
  'dead_letter',
  'delivery',
  'processed',
  'unsettled',
] as const satisfies readonly (keyof Schema)[];

/** Of no traveller, or of the installation; each with the reason. Read by the test that looks through the schema. */
export const NOT_PERSONAL: Readonly<Partial<Record<keyof Schema, string>>> = {
  tenant: 'an organisation',
  subject: 'what is asked of providers; those that nobody follows any more are emptied',
  provider_state: 'of providers',
  notice: 'of providers; digests',
  audit: 'what operators did; ids and counts, no payloads',
  consumer_cursor: 'positions',
  meta: 'of the installation',
  lease: 'of workers',
  worker: 'of workers',
  pause: 'words of operators; those of mailboxes are erased with them',
  audited: 'positions',
  feed_epoch: 'positions',
  balance: 'counts',
  relay: 'positions',
};
export const PERSONAL: readonly (keyof Schema)[] = [...OWN, ...HANGING, 'log', 'traveller'];

/** Events of the traveller. The log has no column for it, because nothing but this asks: the whole tenant's is read. */
export function logOf(db: Db, tenant: TenantId, traveller: TravellerId) {
  return db
    .selectFrom('log')
    .where('log.tenant', '=', tenant)
    .where('log.body', 'like', `%"travellerid":"${traveller.replace(/[%_\\]/g, '_')}"%`);
}

/** Of the tables that hang on others: whose rows are this traveller's. */
async function hangingOn(db: Db, tenant: TenantId, traveller: TravellerId) {
  const ids = async (table: 'reservation' | 'mail') =>
    (
      await db.selectFrom(table).select('id').where('tenant', '=', tenant).where('traveller', '=', traveller).execute()
    ).map(({ id }) => id);
  const [reservations, mails, events] = [
    await ids('reservation'),
    await ids('mail'),
    (await logOf(db, tenant, traveller).select('log.id').execute()).map(({ id }) => id),
  ];
  return {
    reservation_version: { column: 'reservation', values: reservations, tenant: true },
    reservation_observation: { column: 'reservation', values: reservations, tenant: true },
    mail_reservation: { column: 'mail', values: mails, tenant: true },
    mail_observation: { column: 'mail', values: mails, tenant: true },
    notification: { column: 'event_id', values: events, tenant: true },
    dead_letter: { column: 'event_id', values: events, tenant: true },
    delivery: { column: 'event_id', values: events, tenant: false },
    processed: { column: 'event_id', values: events, tenant: false },
    unsettled: { column: 'event_id', values: events, tenant: true },
  } as const;
}

/** Tables by names that are only known at run time. */
// biome-ignore lint/suspicious/noExplicitAny: the names come from the lists above, which the compiler checks.
const loose = (db: Db): Kysely<any> => db as never;

export async function holdingsOf(db: Db, tenant: TenantId, traveller: TravellerId): Promise<Holdings> {
  const counts: Record<string, number> = {};
  const count = sql<number>`count(*)`.as('count');
  for (const table of OWN) {
    const row = await loose(db)
      .selectFrom(table)
      .select(count)
      .where('tenant', '=', tenant)
      .where('traveller', '=', traveller)
      .executeTakeFirstOrThrow();
    counts[table] = Number((row as { count: number }).count);
  }
  const hanging = await hangingOn(db, tenant, traveller);
  for (const table of HANGING) {
    const { column, values, tenant: scoped } = hanging[table];
    let sum = 0;
    for (const some of slices<string>(values)) {
      let select = loose(db).selectFrom(table).select(count).where(column, 'in', some);
      if (scoped) select = select.where('tenant', '=', tenant);
      sum += Number(((await select.executeTakeFirstOrThrow()) as { count: number }).count);
    }
    counts[table] = sum;
  }
  const log = await logOf(db, tenant, traveller)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  counts.log = Number(log.count);
  const self = await db
    .selectFrom('traveller')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', traveller)
    .execute();
  counts.traveller = self.length;
  return counts;
}

/** Nothing more comes in, and nobody reads any more. Credentials are gone at once. */
export async function shutTraveller(
  db: Db,
  hooks: Pick<SqlHooks, 'now'>,
  tenant: TenantId,
  traveller: TravellerId,
  now: number,
): Promise<void> {
  await db
    .updateTable('mailbox')
    .set({ state: 'removed', address_hash: null })
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .execute();
  await db
    .updateTable('watch')
    .set({ gone: 1, sealed_credentials: null, subscription: null, push_name: null, touched_at: hooks.now() })
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .execute();
  await db
    .updateTable('api_token')
    .set({ revoked_at: now })
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .where('revoked_at', 'is', null)
    .execute();
  await db
    .updateTable('endpoint')
    .set({ state: 'disabled', state_reason: 'the traveller is being erased', sealed_secrets: '[]' })
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .execute();
}

export async function eraseTraveller(
  db: Db,
  hooks: Pick<SqlHooks, 'now'>,
  tenant: TenantId,
  traveller: TravellerId,
): Promise<void> {
  const followed = await db
    .selectFrom('follower')
    .select('subject')
    .distinct()
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .execute();
  const mailboxes = await db
    .selectFrom('mailbox')
    .select('id')
    .where('tenant', '=', tenant)
    .where('traveller', '=', traveller)
    .execute();
  const hanging = await hangingOn(db, tenant, traveller);
  for (const table of HANGING) {
    const { column, values, tenant: scoped } = hanging[table];
    for (const some of slices<string>(values)) {
      let remove = loose(db).deleteFrom(table).where(column, 'in', some);
      if (scoped) remove = remove.where('tenant', '=', tenant);
      await remove.execute();
    }
  }
  for (const some of slices(hanging.processed.values)) await db.deleteFrom('log').where('id', 'in', some).execute();
  for (const some of slices(mailboxes.map(({ id }) => id)))
    await db.deleteFrom('pause').where('tenant', '=', tenant).where('id', 'in', some).execute();
  for (const table of OWN)
    await loose(db).deleteFrom(table).where('tenant', '=', tenant).where('traveller', '=', traveller).execute();
  await db.deleteFrom('traveller').where('tenant', '=', tenant).where('id', '=', traveller).execute();
  // What nobody follows any more is asked about no more, and its answer (a booking may name people) goes.
  for (const some of slices(followed.map(({ subject }) => subject)))
    await db
      .updateTable('subject')
      .set({ state: 'ended', answer: null, answer_digest: null, failure: null, touched_at: hooks.now() })
      .where('id', 'in', some)
      .where(sql<boolean>`NOT EXISTS (SELECT 1 FROM follower WHERE follower.subject = subject.id)`)
      .execute();
}

/** Columns that are told nobody: hashes and sealed texts are of no use to the person, and of some to a thief. */
const SECRET: readonly string[] = ['hash', 'address_hash', 'sealed_secrets', 'sealed_credentials', 'subscription'];
/** Columns that hold JSON. */
const JSON_COLUMNS: readonly string[] = ['body', 'changes', 'warnings', 'settings', 'scopes', 'event', 'attempts'];

export async function everythingOf(
  db: Db,
  tenant: TenantId,
  traveller: TravellerId,
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const told: Record<string, readonly unknown[]> = {};
  const rowsOf = async (table: keyof Schema, column: string, values: readonly string[], scoped: boolean) => {
    const rows: unknown[] = [];
    for (const some of slices(values)) {
      let select = loose(db).selectFrom(table).selectAll().where(column, 'in', some);
      if (scoped) select = select.where('tenant', '=', tenant);
      rows.push(...(await select.execute()).map(plain));
    }
    return rows;
  };
  told.traveller = await rowsOf('traveller', 'id', [traveller], true);
  for (const table of OWN) told[table] = await rowsOf(table, 'traveller', [traveller], true);
  const hanging = await hangingOn(db, tenant, traveller);
  for (const table of HANGING)
    told[table] = await rowsOf(table, hanging[table].column, hanging[table].values, hanging[table].tenant);
  told.log = (await logOf(db, tenant, traveller).select(['log.seq', 'log.body']).orderBy('log.seq').execute()).map(
    plain,
  );
  return told;
}

function plain(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (SECRET.includes(name)) continue;
    out[name] = JSON_COLUMNS.includes(name) && typeof value === 'string' ? jsonOr(value) : value;
  }
  return out;
}

function jsonOr(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
