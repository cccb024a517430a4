import { sql } from 'kysely';
import type { NoticeRepo } from '../../../ports/store/notices.ts';
import { statement } from './rows.ts';
import type { Db } from './schema.ts';

/** One row a notice; the primary key is what makes a repeat fall away. */
export function openNotices(db: Db): NoticeRepo {
  return {
    take: async (account, id, signed, at) => {
      const { numAffectedRows } = await insertNotice(db, [account, id, signed ? 1 : 0, Math.trunc(at)]);
      return numAffectedRows === 1n;
    },
    lastSignedAt: async (account) => {
      const [row] = (await selectLast(db, [account])).rows;
      return row === undefined ? undefined : Number(row.at);
    },
    forget: async (account, before) => {
      await db.deleteFrom('notice').where('account', '=', account).where('at', '<', Math.trunc(before)).execute();
    },
  };
}

const insertNotice = statement((db) =>
  db
    .insertInto('notice')
    .values({ account: '', id: '', signed: 0, at: 0 })
    .onConflict((conflict) => conflict.columns(['account', 'id']).doNothing()),
);

const selectLast = statement((db) =>
  db
    .selectFrom('notice')
    .select('at')
    .where('account', '=', '')
    .where('signed', '=', sql.lit(1))
    .orderBy('at', 'desc')
    .limit(sql.lit(1)),
);
