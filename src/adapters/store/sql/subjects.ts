import { sql } from 'kysely';
import type { Answer } from '../../../contracts/topics.ts';
import type { ReservationId, SubjectId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import type { Subject, SubjectRepo, WakeReason } from '../../../ports/store/subjects.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, type Statement, slices, statement, statementOfLength } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** In a statement that is compiled once: never a value. */
const NULL = sql.lit(null);
const ACTIVE = sql.lit('active');

/**
 * Subjects and who follows them. A subject that is put again is active again. All travellers on a flight share one, so
 * whoever gets it in order to change it, or to follow or leave it, locks it: else one could end what another has just
 * begun to follow, two could leave at once and neither be the last, or a follower miss the answer that comes meanwhile.
 */
export function openSubjects(db: Db, hooks: Pick<SqlHooks, 'now' | 'nowValues' | 'readNow' | 'lock'>): SubjectRepo {
  const lock = (id: SubjectId) => hooks.lock(`subject/${id}`);
  return {
    put: async (id, account, spec) => {
      const text = JSON.stringify(spec);
      await db
        .insertInto('subject')
        .values({
          id,
          account,
          spec: text,
          state: 'active',
          answer: null,
          answer_digest: null,
          checked_at: null,
          changed_at: null,
          failing_since: null,
          failure: null,
          touched_at: hooks.now(),
          wake_at: 0,
          wake_why: null,
          heard_at: 0,
        })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({ account, spec: text, state: 'active', touched_at: hooks.now() }),
        )
        .execute();
    },
    get: async (id) => {
      const [, row] = await Promise.all([lock(id), selectSubject(db, [id]).then(({ rows }) => rows[0])]);
      return row && subjectOf(row);
    },
    some: async (ids) => {
      const found: Subject[] = [];
      for (const part of slices(ids)) {
        const { rows } = await selectSome(part.length)(db, part);
        found.push(...rows.map(subjectOf));
      }
      return found;
    },
    listActive: async (account) => {
      const { rows } = await (account === undefined ? selectActive(db, []) : selectActiveOf(db, [account]));
      return rows.map(subjectOf);
    },
    setAnswer: async (id, answer, digest, at) => {
      await updateAnswer(db, [JSON.stringify(answer), digest, at, at, id]);
    },
    markChecked: async (marks) => {
      // In the order of their ids, so that two who mark the same ones do not wait for each other; sent without waiting.
      const sorted = marks.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      await Promise.all(
        sorted.map(({ id, at, failure }) =>
          // Freshness is the age of the last answer: a failed question does not renew it.
          failure === undefined ? updateChecked(db, [at, id]) : updateFailing(db, [at, failure, id]),
        ),
      );
    },
    end: async (id) => {
      await db
        .updateTable('subject')
        .set((eb) => ({ state: 'ended', touched_at: hooks.now(), heard_at: eb.ref('wake_at') }))
        .where('id', '=', id)
        .execute();
    },
    wake: async (ids, why) => {
      const now = hooks.nowValues();
      // In the order of their ids, as in markChecked. Also two in the same ms are two.
      await Promise.all(
        [...new Set(ids)].sort().map((id) => updateWake[why](db, [...now, ...now, ...now, id], hooks.now)),
      );
    },
    heard: async (wakes) => {
      const sorted = wakes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      await Promise.all(sorted.map(({ id, at }) => updateHeard(db, [at, id, at])));
    },
    touchedSince: async (account, since) => {
      const now = await hooks.readNow();
      const { rows: touched } = await selectTouched(db, [account, since]);
      return {
        now,
        subjects: touched.map(subjectOf),
      };
    },
    follow: async (id, { tenant, traveller, reservation }) => {
      const { numAffectedRows } = await insertFollower(db, [id, tenant, traveller, reservation]);
      return { new: numAffectedRows === 1n };
    },
    unfollow: async (id, tenant, reservation) => {
      await Promise.all([
        lock(id),
        db
          .deleteFrom('follower')
          .where('subject', '=', id)
          .where('tenant', '=', tenant)
          .where('reservation', '=', reservation)
          .execute(),
      ]);
      const row = await db
        .selectFrom('follower')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('subject', '=', id)
        .executeTakeFirstOrThrow();
      return { left: Number(row.count) };
    },
    followers: async (id, after, limit) => {
      let select = db.selectFrom('follower').selectAll().where('subject', '=', id);
      if (after !== undefined) {
        const cut = after.lastIndexOf('/');
        const tenant = after.slice(0, cut);
        const reservation = after.slice(cut + 1);
        select = select.where((eb) =>
          eb.or([eb('tenant', '>', tenant), eb.and([eb('tenant', '=', tenant), eb('reservation', '>', reservation)])]),
        );
      }
      const rows = await select.orderBy('tenant').orderBy('reservation').limit(limit).execute();
      return rows.map((row) => ({
        tenant: row.tenant as TenantId,
        traveller: row.traveller as TravellerId,
        reservation: row.reservation as ReservationId,
        cursor: `${row.tenant}/${row.reservation}`,
      }));
    },
    followedBy: async (tenant, reservation) => {
      const { rows } = await selectFollowed(db, [tenant, reservation]);
      return rows.map(subjectOf);
    },
  };
}

/** Reasons that stay where another comes on top. */
const STRONGER: Readonly<Record<WakeReason, readonly WakeReason[]>> = {
  push: [],
  named: ['push'],
  doubt: ['push', 'named'],
  hint: ['push', 'named', 'doubt'],
  related: ['push', 'named', 'doubt', 'hint'],
};

const wakeFor = (why: WakeReason) =>
  statement((db, now) => {
    const stronger = STRONGER[why].map((one) => sql.lit(one));
    const kept = sql`wake_at > heard_at AND wake_why IN (${sql.join(stronger)})`;
    return db
      .updateTable('subject')
      .set({
        wake_at: sql<number>`CASE WHEN wake_at < ${now()} THEN ${now()} ELSE wake_at + 1 END`,
        wake_why:
          stronger.length === 0 ? sql.lit(why) : sql<string>`CASE WHEN ${kept} THEN wake_why ELSE ${sql.lit(why)} END`,
        touched_at: now(),
      })
      .where('id', '=', '')
      .where('state', '=', ACTIVE);
  });
const updateWake: Readonly<Record<WakeReason, Statement<unknown>>> = {
  push: wakeFor('push'),
  named: wakeFor('named'),
  doubt: wakeFor('doubt'),
  hint: wakeFor('hint'),
  related: wakeFor('related'),
};

const selectTouched = statement((db) =>
  db.selectFrom('subject').selectAll().where('account', '=', '').where('touched_at', '>=', 0).orderBy('touched_at'),
);

const selectActive = statement((db) => db.selectFrom('subject').selectAll().where('state', '=', ACTIVE).orderBy('id'));

const selectActiveOf = statement((db) =>
  db.selectFrom('subject').selectAll().where('state', '=', ACTIVE).where('account', '=', '').orderBy('id'),
);

const selectSome = statementOfLength((db, ids) => db.selectFrom('subject').selectAll().where('id', 'in', ids));

const updateHeard = statement((db) =>
  db.updateTable('subject').set({ heard_at: 0 }).where('id', '=', '').where('heard_at', '<', 0),
);

const selectSubject = statement((db) => db.selectFrom('subject').selectAll().where('id', '=', ''));

const updateAnswer = statement((db) =>
  db
    .updateTable('subject')
    .set({ answer: '', answer_digest: '', checked_at: 0, changed_at: 0, failing_since: NULL, failure: NULL })
    .where('id', '=', ''),
);

const updateChecked = statement((db) =>
  db.updateTable('subject').set({ checked_at: 0, failing_since: NULL, failure: NULL }).where('id', '=', ''),
);

const updateFailing = statement((db) =>
  db
    .updateTable('subject')
    .set((eb) => ({ failing_since: eb.fn.coalesce('failing_since', sql<number>`cast(${0} AS bigint)`), failure: '' }))
    .where('id', '=', ''),
);

const insertFollower = statement((db) =>
  db
    .insertInto('follower')
    .values({ subject: '', tenant: '', traveller: '', reservation: '' })
    .onConflict((conflict) => conflict.columns(['subject', 'tenant', 'reservation']).doNothing()),
);

const selectFollowed = statement((db) =>
  db
    .selectFrom('follower')
    .innerJoin('subject', 'subject.id', 'follower.subject')
    .selectAll('subject')
    .where('follower.tenant', '=', '')
    .where('follower.reservation', '=', '')
    .orderBy('subject.id'),
);

function subjectOf(row: Schema['subject']): Subject {
  return {
    id: row.id as SubjectId,
    account: row.account,
    spec: parseJson<SubjectSpec>(row.spec),
    state: row.state as Subject['state'],
    answer: row.answer === null ? undefined : parseJson<Answer>(row.answer),
    answerDigest: row.answer_digest ?? undefined,
    checkedAt: row.checked_at ?? undefined,
    changedAt: row.changed_at ?? undefined,
    failingSince: row.failing_since ?? undefined,
    failure: row.failure ?? undefined,
    ...wakeOf(row),
  };
}

function wakeOf(row: Schema['subject']): Pick<Subject, 'wake'> {
  const at = Number(row.wake_at);
  if (at <= Number(row.heard_at)) return {};
  // A process of the version before gives no reason.
  return { wake: { at, why: (row.wake_why ?? 'doubt') as WakeReason } };
}
