import type { EndpointId, MailboxId, TenantId } from '../../../domain/ids.ts';
import { mailboxSecretContext } from '../../../ports/store/watches.ts';
import { parseJson } from './rows.ts';
import type { Db } from './schema.ts';

/** A sealed text in the store, with what it is bound to. */
export interface SealedRow {
  readonly place: 'endpoint' | 'watch';
  readonly tenant: TenantId;
  readonly id: EndpointId | MailboxId;
  readonly sealed: readonly string[];
  readonly context: string;
}

/** Every row that holds something sealed, operator-wide. A table that seals something has its lines here, and in `reseal`. */
export async function sealedRows(db: Db): Promise<readonly SealedRow[]> {
  const endpoints = await db.selectFrom('endpoint').select(['tenant', 'id', 'sealed_secrets']).execute();
  const watches = await db
    .selectFrom('watch')
    .select(['tenant', 'mailbox', 'sealed_credentials'])
    .where('sealed_credentials', 'is not', null)
    .execute();
  return [
    ...endpoints.map((row) => ({
      place: 'endpoint' as const,
      tenant: row.tenant as TenantId,
      id: row.id as EndpointId,
      sealed: parseJson<readonly string[]>(row.sealed_secrets),
      context: row.id,
    })),
    ...watches.map((row) => ({
      place: 'watch' as const,
      tenant: row.tenant as TenantId,
      id: row.mailbox as MailboxId,
      sealed: [row.sealed_credentials!],
      context: mailboxSecretContext({ tenant: row.tenant as TenantId, mailbox: row.mailbox as MailboxId }),
    })),
  ];
}

/** Puts other sealed texts in the place of those read, unless they have been changed since. False: they have. */
export async function reseal(db: Db, row: SealedRow, sealed: readonly string[]): Promise<boolean> {
  const result =
    row.place === 'endpoint'
      ? await db
          .updateTable('endpoint')
          .set({ sealed_secrets: JSON.stringify(sealed) })
          .where('tenant', '=', row.tenant)
          .where('id', '=', row.id)
          .where('sealed_secrets', '=', JSON.stringify(row.sealed))
          .executeTakeFirst()
      : await db
          .updateTable('watch')
          .set({ sealed_credentials: sealed[0]! })
          .where('tenant', '=', row.tenant)
          .where('mailbox', '=', row.id)
          .where('sealed_credentials', '=', row.sealed[0]!)
          .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
