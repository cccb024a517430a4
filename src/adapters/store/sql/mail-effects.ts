import type { MailId, TenantId } from '../../../domain/ids.ts';
import type { Disposition, MailEffect, MailRepo } from '../../../ports/store/mails.ts';
import type { SqlHooks } from './hooks.ts';
import type { Db } from './schema.ts';

/** The strongest last. */
const EFFECTS: readonly MailEffect[] = ['failed', 'known', 'brought'];
const READ_TO_THE_END: readonly Disposition[] = ['imported', 'merged', 'nothing-found'];
/** Reservations of a mail that are compared with those of others. */
const SHARED_MAX = 20;

type MailEffects = Pick<MailRepo, 'expectEffects' | 'noteEffect' | 'sameBefore'>;

/** What became of the things that a mail said, and whether the same mail came before. */
export function openMailEffects(db: Db, hooks: Pick<SqlHooks, 'lock'>): MailEffects {
  return {
    expectEffects: async (tenant, id, observations) => {
      for (const observation of observations)
        await db
          .insertInto('mail_observation')
          .values({ tenant, mail: id, observation, effect: null })
          .onConflict((conflict) => conflict.columns(['tenant', 'mail', 'observation']).doNothing())
          .execute();
      return [...(await effectsOf(db, tenant, id)).values()];
    },
    noteEffect: async (tenant, id, observation, effect) => {
      const weaker = EFFECTS.slice(0, EFFECTS.indexOf(effect));
      await db
        .updateTable('mail_observation')
        .set({ effect })
        .where('tenant', '=', tenant)
        .where('mail', '=', id)
        .where('observation', '=', observation)
        .where((eb) => eb.or([eb('effect', 'is', null), ...(weaker.length > 0 ? [eb('effect', 'in', weaker)] : [])]))
        .execute();
      const effects = await effectsOf(db, tenant, id);
      return effects.has(observation) ? [...effects.values()] : [];
    },
    sameBefore: async (receipt) => {
      const { tenant, traveller, id, raw, messageId } = receipt;
      const names = [raw, messageId].filter((name) => name !== undefined);
      if (names.length === 0) return undefined;
      // Of two that are settled at once, one is the first.
      await hooks.lock(names.map((name) => `mail/${tenant}/${traveller}/${name}`));
      const others = db
        .selectFrom('mail')
        .select('id')
        .where('tenant', '=', tenant)
        .where('traveller', '=', traveller)
        .where('id', '!=', id)
        .where('disposition', 'in', READ_TO_THE_END)
        .orderBy('received_at')
        .orderBy('id')
        .limit(1);
      if (raw !== undefined) {
        const twin = await others.where('raw', '=', raw).executeTakeFirst();
        if (twin !== undefined) return { id: twin.id as MailId, by: 'bytes' };
      }
      if (messageId === undefined || receipt.reservations.length === 0) return undefined;
      const twin = await others
        .where('message_id', '=', messageId)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('mail_reservation')
              .select('reservation')
              .whereRef('mail_reservation.tenant', '=', 'mail.tenant')
              .whereRef('mail_reservation.mail', '=', 'mail.id')
              .where('reservation', 'in', receipt.reservations.slice(0, SHARED_MAX)),
          ),
        )
        .executeTakeFirst();
      return twin && { id: twin.id as MailId, by: 'message-id' };
    },
  };
}

/** By observation, in the order of their ids. */
async function effectsOf(db: Db, tenant: TenantId, mail: MailId): Promise<ReadonlyMap<string, MailEffect | undefined>> {
  const rows = await db
    .selectFrom('mail_observation')
    .select(['observation', 'effect'])
    .where('tenant', '=', tenant)
    .where('mail', '=', mail)
    .orderBy('observation')
    .execute();
  return new Map(rows.map(({ observation, effect }) => [observation, (effect ?? undefined) as MailEffect | undefined]));
}
