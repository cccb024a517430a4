import { LEASE_MS } from '../plan.ts';
import { type Checker, violation } from './violation.ts';

const SENDER = 'sender';

/** I5: webhooks are sent by one who holds the lease for it; one who lost it has noticed within the length of a lease. */
export const checkOneSender: Checker = ({ history, plan }) => {
  const taken = history.taken.filter(({ resource }) => resource === SENDER);
  return history.posts.flatMap(({ at, life, id, awakeSince }) => {
    const mine = taken.findLastIndex((one) => one.life === life && one.at <= at);
    if (mine < 0) return [violation('I5', `process ${life} sent ${id} and never held the sender's lease`)];
    const next = taken[mine + 1];
    const noticedBy = Math.max(next?.at ?? at, awakeSince) + 2 * LEASE_MS * plan.speed;
    return next === undefined || at <= noticedBy
      ? []
      : [violation('I5', `process ${life} sent ${id} long after process ${next.life} had taken over`)];
  });
};
