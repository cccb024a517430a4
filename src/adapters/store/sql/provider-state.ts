import { providerStateSchema } from '../../../contracts/provider-state.ts';
import type { ProviderStateRepo } from '../../../ports/store/provider-state.ts';
import { parseJson, statement } from './rows.ts';
import type { Db } from './schema.ts';

/** One row a provider account. */
export function openProviderState(db: Db): ProviderStateRepo {
  return {
    get: async (account) => {
      const [row] = (await selectState(db, [account])).rows;
      return row && providerStateSchema.safeParse(parseJson(row.body)).data;
    },
    put: async (account, state, at) => {
      const values = { body: JSON.stringify(state), updated_at: Math.trunc(at) };
      await db
        .insertInto('provider_state')
        .values({ account, ...values })
        .onConflict((conflict) => conflict.column('account').doUpdateSet(values))
        .execute();
    },
  };
}

const selectState = statement((db) => db.selectFrom('provider_state').select('body').where('account', '=', ''));
