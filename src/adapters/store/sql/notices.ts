import type { NoticeRepo } from '../../../ports/store/notices.ts';
import type { Db } from './schema.ts';

/** One row a notice; the primary key is what makes a repeat fall away. */
export function openNotices(db: Db): NoticeRepo {
  return {
    take: async (account, id, signed, at) => {
      const result = await db
        .insertInto('notice')
        .values({ account, id, signed: signed ? 1 : 0, at: Math.trunc(at) })
        .onConflict((conflict) => conflict.columns(['account', 'id']).doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    lastSignedAt: async (account) => {
      const row = await db
        .selectFrom('notice')
        .select('at')
        .where('account', '=', account)
        .where('signed', '=', 1)
        .orderBy('at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : Number(row.at);
    },
    forget: async (account, before) => {
      await db.deleteFrom('notice').where('account', '=', account).where('at', '<', Math.trunc(before)).execute();
    },
  };
}
