import type { EndpointId, MailboxId, TenantId, TokenId, TravellerId } from '../../../domain/ids.ts';
import type {
  AccountRepo,
  ApiToken,
  Endpoint,
  Mailbox,
  Rule,
  Scope,
  Traveller,
} from '../../../ports/store/accounts.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Tenants, travellers, mailboxes, rules, tokens and webhook endpoints. Adding what is there changes nothing. */
export function openAccounts(db: Db, hooks: Pick<SqlHooks, 'lock' | 'now'>): AccountRepo {
  return {
    change: (tenant) => hooks.lock(`accounts/${tenant}`),
    ensureTenant: async (id, name, now) => {
      await db
        .insertInto('tenant')
        .values({ id, name, created_at: now })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    },
    addTraveller: async ({ id, tenant, name, zone, locale, createdAt }) => {
      await db
        .insertInto('traveller')
        .values({ id, tenant, name, zone, locale, created_at: createdAt })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    getTraveller: async (tenant, id) => {
      const row = await db
        .selectFrom('traveller')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && travellerOf(row);
    },
    listTravellers: async (tenant) => {
      const rows = await db.selectFrom('traveller').selectAll().where('tenant', '=', tenant).orderBy('id').execute();
      return rows.map(travellerOf);
    },
    addMailbox: async (mailbox, addressHash) => {
      await db
        .insertInto('mailbox')
        .values({
          tenant: mailbox.tenant,
          id: mailbox.id,
          traveller: mailbox.traveller,
          kind: mailbox.kind,
          label: mailbox.label,
          address: mailbox.address ?? null,
          address_hash: addressHash ?? null,
          state: mailbox.state,
          created_at: mailbox.createdAt,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    findMailboxByAddress: async (addressHash) => {
      const row = await db.selectFrom('mailbox').selectAll().where('address_hash', '=', addressHash).executeTakeFirst();
      return row && mailboxOf(row);
    },
    getMailbox: async (tenant, id) => {
      const row = await db
        .selectFrom('mailbox')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && mailboxOf(row);
    },
    listMailboxes: async (tenant, traveller) => {
      let select = db.selectFrom('mailbox').selectAll().where('tenant', '=', tenant);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      return (await select.orderBy('created_at').orderBy('id').execute()).map(mailboxOf);
    },
    setMailboxState: async (tenant, id, state) => {
      const result = await db
        .updateTable('mailbox')
        .set({ state })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      await db
        .updateTable('watch')
        .set({ resting: state === 'paused' ? 1 : 0, gone: state === 'removed' ? 1 : 0, touched_at: hooks.now() })
        .where('tenant', '=', tenant)
        .where('mailbox', '=', id)
        .execute();
      return result.numUpdatedRows === 1n;
    },
    addRule: async (rule) => {
      await db
        .insertInto('rule')
        .values({
          tenant: rule.tenant,
          id: rule.id,
          traveller: rule.traveller,
          action: rule.action,
          field: rule.field,
          pattern: rule.pattern,
          created_at: rule.createdAt,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    removeRule: async (tenant, id) => {
      const result = await db.deleteFrom('rule').where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    listRules: async (tenant, traveller) => {
      return (await selectRules(db, [tenant, traveller])).rows.map(ruleOf);
    },
    addToken: async (token, hash) => {
      await db
        .insertInto('api_token')
        .values({
          tenant: token.tenant,
          id: token.id,
          traveller: token.traveller ?? null,
          label: token.label,
          scopes: JSON.stringify(token.scopes),
          purpose: token.use,
          hash,
          created_at: token.createdAt,
          revoked_at: token.revokedAt ?? null,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    findToken: async (hash) => {
      const row = await db
        .selectFrom('api_token')
        .selectAll()
        .where('hash', '=', hash)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    listTokens: async (tenant) => {
      const rows = await db
        .selectFrom('api_token')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return rows.map(tokenOf);
    },
    revokeToken: async (tenant, id, now) => {
      const result = await db
        .updateTable('api_token')
        .set({ revoked_at: now })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    addEndpoint: async (endpoint) => {
      await db
        .insertInto('endpoint')
        .values({
          tenant: endpoint.tenant,
          id: endpoint.id,
          traveller: endpoint.traveller ?? null,
          url: endpoint.url,
          sealed_secrets: JSON.stringify(endpoint.sealedSecrets),
          state: endpoint.state,
          state_reason: endpoint.stateReason ?? null,
          created_at: endpoint.createdAt,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    getEndpoint: async (tenant, id) => {
      const [row] = (await selectEndpoint(db, [tenant, id])).rows;
      return row && endpointOf(row);
    },
    listEndpoints: async (tenant) => {
      return (await selectEndpoints(db, [tenant])).rows.map(endpointOf);
    },
    updateEndpoint: async (tenant, id, change) => {
      const set: Partial<Schema['endpoint']> = {};
      if (change.url !== undefined) set.url = change.url;
      if (change.sealedSecrets !== undefined) set.sealed_secrets = JSON.stringify(change.sealedSecrets);
      if (change.state !== undefined) set.state = change.state;
      // `stateReason: undefined` clears it; leaving it out keeps it.
      if ('stateReason' in change) set.state_reason = change.stateReason ?? null;
      if (Object.keys(set).length === 0) set.id = id;
      const result = await db
        .updateTable('endpoint')
        .set(set)
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    removeEndpoint: async (tenant, id) => {
      const result = await db
        .deleteFrom('endpoint')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
  };
}

function travellerOf(row: Schema['traveller']): Traveller {
  const { name, zone, locale } = row;
  return {
    id: row.id as TravellerId,
    tenant: row.tenant as TenantId,
    name,
    zone,
    locale,
    createdAt: row.created_at,
  };
}

function mailboxOf(row: Schema['mailbox']): Mailbox {
  return {
    id: row.id as MailboxId,
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    kind: row.kind as Mailbox['kind'],
    label: row.label,
    address: row.address ?? undefined,
    state: row.state as Mailbox['state'],
    createdAt: row.created_at,
  };
}

const selectRules = statement((db) =>
  db
    .selectFrom('rule')
    .selectAll()
    .where('tenant', '=', '')
    .where('traveller', '=', '')
    .orderBy('created_at')
    .orderBy('id'),
);

function ruleOf(row: Schema['rule']): Rule {
  return {
    id: row.id,
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    action: row.action as Rule['action'],
    field: row.field as Rule['field'],
    pattern: row.pattern,
    createdAt: row.created_at,
  };
}

function tokenOf(row: Schema['api_token']): ApiToken {
  return {
    id: row.id as TokenId,
    tenant: row.tenant as TenantId,
    traveller: (row.traveller ?? undefined) as TravellerId | undefined,
    label: row.label,
    scopes: parseJson<readonly Scope[]>(row.scopes),
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
    use: row.purpose as ApiToken['use'],
  };
}

const selectEndpoint = statement((db) =>
  db.selectFrom('endpoint').selectAll().where('tenant', '=', '').where('id', '=', ''),
);

const selectEndpoints = statement((db) =>
  db.selectFrom('endpoint').selectAll().where('tenant', '=', '').orderBy('created_at').orderBy('id'),
);

function endpointOf(row: Schema['endpoint']): Endpoint {
  return {
    id: row.id as EndpointId,
    tenant: row.tenant as TenantId,
    traveller: (row.traveller ?? undefined) as TravellerId | undefined,
    url: row.url,
    sealedSecrets: parseJson<readonly string[]>(row.sealed_secrets),
    state: row.state as Endpoint['state'],
    stateReason: row.state_reason ?? undefined,
    createdAt: row.created_at,
  };
}
