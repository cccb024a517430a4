import type { TopicData } from '../../contracts/topics.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { OwnerNeed, Watch, WatchStanding } from '../../ports/store/watches.ts';
import type { Tx } from '../../ports/store.ts';
import { queueDeliveries } from '../notify/handler.ts';

/**
 * Stores how a mailbox stands, and where that is news to its owner says so in the same transaction: `mailbox.changed` on
 * its topic and on the change stream; and, when they begin to be needed, one delivery for each endpoint. The store decides
 * what is news, so one notice goes out for each time, whatever is restarted and whoever watches.
 */
export async function standAndTell(tx: Tx, watch: Watch, standing: WatchStanding, now: number): Promise<OwnerNeed> {
  const need = await tx.watches.stand(watch, standing, now);
  if (need === undefined) return undefined;
  const { tenant, traveller, mailbox } = watch;
  const known = await tx.accounts.getMailbox(tenant, mailbox);
  const [event] = await tx.append(
    [
      {
        topic: 'mailbox.changed',
        tenant,
        traveller,
        key: traveller,
        subject: mailbox,
        data: changed(watch, standing, need, known, now),
      },
    ],
    { source: 'watch', correlation: mailbox, seed: `${mailbox}/${need}/${now}`, at: now },
  );
  await tx.itineraries.appendFeed(tenant, traveller, event!);
  if (need === 'began' && event?.topic === 'mailbox.changed') {
    const body = JSON.stringify({ type: event.topic, timestamp: isoInstant(now), data: { ...event.data, traveller } });
    await queueDeliveries(tx, event, body, now);
  }
  return need;
}

function changed(
  { mailbox, kind }: Watch,
  { reasonCode, reason }: WatchStanding,
  need: 'began' | 'ended',
  known: { readonly address: string | undefined; readonly label: string } | undefined,
  now: number,
): TopicData<'mailbox.changed'> {
  const name = known?.address ?? known?.label ?? mailbox;
  const sentence =
    need === 'began'
      ? `The mailbox ${name} is not read until you do something: ${reason}`
      : `The mailbox ${name} is read again; nothing that came meanwhile is missed.`;
  return {
    mailboxId: mailbox,
    kind,
    ...(known?.address === undefined ? {} : { address: known.address }),
    state: need === 'began' ? 'needs-you' : 'works-again',
    reasonCode,
    reason,
    title: `Mailbox ${name}`,
    sentences: [sentence],
    changedAt: isoInstant(now),
    publishedAt: isoInstant(now),
  };
}
