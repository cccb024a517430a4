import type { MailboxId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { MailboxKind } from '../../../ports/mailbox.ts';
import type { Watch, WatchOfShard, WatchRef, WatchRepo, WatchState } from '../../../ports/store/watches.ts';
import { type SqlHooks, shardOf } from './hooks.ts';
import { parseJson, slices, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/**
 * Watches of connected mailboxes. What its owner does touches a watch, so that whoever holds its shard hears of it; what
 * the holder itself writes does not. A removed one stays as `gone`.
 */
export function openWatches(db: Db, hooks: Pick<SqlHooks, 'now' | 'readNow' | 'shards'>): WatchRepo {
  const table = (ref: WatchRef) =>
    db.updateTable('watch').where('tenant', '=', ref.tenant).where('mailbox', '=', ref.mailbox);
  const existing = () => db.selectFrom('watch').selectAll().where('gone', '=', 0);
  return {
    add: async (watch) => {
      await db
        .insertInto('watch')
        .values({
          ...rowOf(watch),
          shard: shardOf(watch.mailbox, hooks.shards),
          resting: 0,
          gone: 0,
          touched_at: hooks.now(),
          wake_at: 0,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'mailbox']).doNothing())
        .execute();
    },
    get: async (tenant, mailbox) => {
      const row = await existing().where('tenant', '=', tenant).where('mailbox', '=', mailbox).executeTakeFirst();
      return row && watchOf(row);
    },
    list: async (tenant, traveller) => {
      let select = existing().where('tenant', '=', tenant);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      return (await select.orderBy('created_at').orderBy('mailbox').execute()).map(watchOf);
    },
    remove: async (tenant, mailbox) => {
      const result = await table({ tenant, mailbox })
        .where('gone', '=', 0)
        // Nothing of it that anyone could still use.
        .set({ gone: 1, sealed_credentials: null, subscription: null, push_name: null, touched_at: hooks.now() })
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    change: async (tenant, mailbox, { settings, since, ...change }) => {
      const result = await table({ tenant, mailbox })
        .where('gone', '=', 0)
        .set((eb) => ({
          touched_at: hooks.now(),
          wake_at: hooks.now(),
          ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
          ...('sealedCredentials' in change ? { sealed_credentials: change.sealedCredentials ?? null } : {}),
          ...(settings === undefined && !('sealedCredentials' in change)
            ? {}
            : { state: 'connecting' satisfies WatchState, reason_code: 'connecting', reason: 'Being tried.' }),
          ...(since === undefined
            ? {}
            : {
                since_at: since,
                backfill_done: eb.case().when('since_at', '<=', since).then(eb.ref('backfill_done')).else(0).end(),
                backfill_cursor: eb
                  .case()
                  .when('since_at', '<=', since)
                  .then(eb.ref('backfill_cursor'))
                  .else(null)
                  .end(),
              }),
        }))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    swapCredentials: async (ref, before, after) => {
      const swap = table(ref).where('gone', '=', 0).set({ sealed_credentials: after });
      const result = await (before === undefined
        ? swap.where('sealed_credentials', 'is', null)
        : swap.where('sealed_credentials', '=', before)
      ).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    progress: async (ref, { liveCursor, backfillCursor, backfillDone, backfillLeft, backfillSince, seen }) => {
      await table(ref)
        .set((eb) => ({
          seen: eb('seen', '+', seen ?? 0),
          ...(liveCursor === undefined ? {} : { live_cursor: liveCursor }),
        }))
        .execute();
      if (backfillDone === undefined) return;
      await table(ref)
        .where('since_at', '=', backfillSince ?? 0)
        .set({
          backfill_cursor: backfillCursor ?? null,
          backfill_done: backfillDone ? 1 : 0,
          backfill_left: backfillDone ? 0 : (backfillLeft ?? null),
        })
        .execute();
    },
    stand: async (ref, { state, reasonCode, reason }, now) => {
      const standing = { state, reason_code: reasonCode, reason, state_at: now };
      if (state !== 'needs-you' && !WORKS.has(state)) {
        await table(ref).set(standing).execute();
        return undefined;
      }
      const needs = state === 'needs-you';
      // Only one transaction finds it as it was.
      const turned = await table(ref)
        .where('needs_since', needs ? 'is' : 'is not', null)
        .where('gone', '=', 0)
        .set({ ...standing, needs_since: needs ? now : null })
        .executeTakeFirst();
      if (turned.numUpdatedRows > 0n) return needs ? 'began' : 'ended';
      await table(ref).set(standing).execute();
      return undefined;
    },
    mark: async (marks) => {
      // In the order of their ids, so that two who mark the same ones do not wait for each other; sent without waiting.
      const sorted = marks.toSorted((a, b) => (a.mailbox < b.mailbox ? -1 : 1));
      await Promise.all(
        sorted.map(({ tenant, mailbox, checkedAt, dueAt }) =>
          table({ tenant, mailbox })
            .set({ due_at: dueAt, ...(checkedAt === undefined ? {} : { checked_at: checkedAt }) })
            .execute(),
        ),
      );
    },
    subscribed: async (ref, subscription) => {
      if ('fault' in subscription) {
        await table(ref).set({ push_fault: subscription.fault }).execute();
        return;
      }
      const { state, renewAt, pushName } = subscription;
      await table(ref)
        .set({
          subscription: state,
          renew_at: renewAt,
          push_fault: null,
          ...(pushName === undefined ? {} : { push_name: pushName }),
        })
        .execute();
    },
    wake: async (refs, { renew = false } = {}) => {
      for (const ref of refs)
        await table(ref)
          .set({ wake_at: hooks.now(), touched_at: hooks.now(), ...(renew ? { renew_at: 0 } : {}) })
          .execute();
    },
    findPushed: async (kind, { names = [], mailboxes = [] }) => {
      const found = new Map<string, WatchRef>();
      for (const [column, values] of [
        ['push_name', names],
        ['mailbox', mailboxes],
      ] as const)
        for (const some of slices<string>(values)) {
          const rows = await db
            .selectFrom('watch')
            .select(['tenant', 'mailbox'])
            .where(column, 'in', some)
            .where('kind', '=', kind)
            .where('gone', '=', 0)
            .where('state', '!=', 'needs-you')
            .execute();
          for (const { tenant, mailbox } of rows)
            found.set(`${tenant}/${mailbox}`, { tenant: tenant as TenantId, mailbox: mailbox as MailboxId });
        }
      return [...found.values()];
    },
    listNeeding: async (limit) =>
      (await existing().where('needs_since', 'is not', null).orderBy('needs_since').limit(limit).execute()).map(
        watchOf,
      ),
    listShard: async (shard) => (await existing().where('shard', '=', shard).execute()).map(ofShard),
    touchedSince: async (since) => {
      const now = await hooks.readNow();
      const { rows: touched } = await selectTouched(db, [since]);
      return {
        now,
        watches: touched.filter((row) => Number(row.gone) === 0).map(ofShard),
        gone: touched
          .filter((row) => Number(row.gone) === 1)
          .map((row) => ({
            tenant: row.tenant as TenantId,
            mailbox: row.mailbox as MailboxId,
            shard: Number(row.shard),
          })),
      };
    },
  };
}

const selectTouched = statement((db) => db.selectFrom('watch').selectAll().where('touched_at', '>=', 0));

/** States in which a mailbox was read to its end: nobody is needed any more. */
const WORKS: ReadonlySet<WatchState> = new Set<WatchState>(['watching', 'backfilling']);

type Row = Schema['watch'];
type OwnRow = Omit<Row, 'shard' | 'resting' | 'gone' | 'touched_at' | 'wake_at'>;

function rowOf(watch: Watch): OwnRow {
  return {
    tenant: watch.tenant,
    mailbox: watch.mailbox,
    traveller: watch.traveller,
    kind: watch.kind,
    settings: JSON.stringify(watch.settings),
    sealed_credentials: watch.sealedCredentials ?? null,
    since_at: watch.since,
    live_cursor: watch.liveCursor ?? null,
    backfill_cursor: watch.backfillCursor ?? null,
    backfill_done: watch.backfillDone ? 1 : 0,
    backfill_left: watch.backfillLeft ?? null,
    state: watch.state,
    reason_code: watch.reasonCode,
    reason: watch.reason,
    state_at: watch.stateAt,
    checked_at: watch.checkedAt ?? null,
    due_at: watch.dueAt ?? null,
    seen: watch.seen,
    subscription: watch.subscription ?? null,
    renew_at: watch.renewAt ?? null,
    push_name: watch.pushName ?? null,
    push_fault: watch.pushFault ?? null,
    needs_since: watch.needsSince ?? null,
    created_at: watch.createdAt,
  };
}

function watchOf(row: OwnRow): Watch {
  return {
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    mailbox: row.mailbox as MailboxId,
    kind: row.kind as MailboxKind,
    settings: parseJson<Watch['settings']>(row.settings),
    sealedCredentials: row.sealed_credentials ?? undefined,
    since: row.since_at,
    liveCursor: row.live_cursor ?? undefined,
    backfillCursor: row.backfill_cursor ?? undefined,
    backfillDone: row.backfill_done === 1,
    backfillLeft: row.backfill_left ?? undefined,
    state: row.state as WatchState,
    reasonCode: row.reason_code,
    reason: row.reason,
    stateAt: row.state_at,
    checkedAt: row.checked_at ?? undefined,
    dueAt: row.due_at ?? undefined,
    seen: row.seen,
    subscription: row.subscription ?? undefined,
    renewAt: row.renew_at ?? undefined,
    pushName: row.push_name ?? undefined,
    pushFault: row.push_fault ?? undefined,
    needsSince: row.needs_since ?? undefined,
    createdAt: row.created_at,
  };
}

function ofShard(row: Row): WatchOfShard {
  return {
    ...watchOf(row),
    shard: row.shard,
    resting: row.resting === 1,
    wakeAt: Number(row.wake_at),
    touchedAt: Number(row.touched_at),
  };
}
