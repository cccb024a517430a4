import type { AnyNewEvent, Event } from '../../contracts/event.ts';
import { derivedId, type SubjectId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { canonicalJson } from '../../domain/reconcile/canonical.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { Follower } from '../../ports/store/subjects.ts';

/** Followers served by one event; the rest by the next. A full aircraft takes a few, one transaction stays short. */
export const FOLLOWERS_MAX = 200;

/** Turns one answer into an observation for every traveller who follows the subject. */
export function createFanOutHandler(options: { readonly followersMax?: number } = {}): Handler<'subject.observed'> {
  const followersMax = options.followersMax ?? FOLLOWERS_MAX;
  return async (event) => {
    const { only, after } = event.data;
    const subjectId = event.data.subjectId as SubjectId;
    const digest = canonicalJson(event.data.answer);
    return ack(async (tx) => {
      if (only !== undefined) return [recorded(event, only, digest)];
      const followers = await tx.subjects.followers(subjectId, after, followersMax);
      const events = new Map<string, AnyNewEvent>();
      // A traveller with two bookings on a flight hears of it once: the observation speaks of the flight.
      for (const one of followers) events.set(`${one.tenant}/${one.traveller}`, recorded(event, one, digest));
      const last = followers.at(-1);
      const rest = last !== undefined && followers.length === followersMax ? [next(event, last.cursor)] : [];
      return [...events.values(), ...rest];
    });
  };
}

function recorded(event: Event<'subject.observed'>, to: Follower, digest: string): AnyNewEvent {
  const observation = observationOf(event, to, digest);
  const { checkedBefore, only } = event.data;
  // Who only now begins to follow hears it for the first time.
  const checked = checkedBefore === undefined || only !== undefined ? {} : { checkedBefore };
  return {
    topic: 'observation.recorded',
    tenant: to.tenant,
    traveller: to.traveller,
    key: to.traveller,
    subject: observation.id,
    // The domain's lists are readonly, the contract's are not.
    data: { observation, ...checked } as unknown as { observation: never },
  };
}

/**
 * The id holds who hears it, what was said and when it was fetched: a repeat is the same observation, and the same words
 * said again later (a delay that came, went and came again) are a new one.
 */
function observationOf(event: Event<'subject.observed'>, to: Follower, digest: string): Observation {
  const { subjectId, account, label, answer, fetchedAt } = event.data;
  return {
    id: derivedId('obs', to.tenant, to.traveller, subjectId, fetchedAt, digest),
    tenant: to.tenant,
    traveller: to.traveller,
    source: { kind: 'provider', ref: subjectId, label, account },
    authority: answer.authority,
    assertedAt: answer.assertedAt,
    observedAt: fetchedAt,
    bookingKeys: answer.bookingKeys,
    facts: answer.facts as Observation['facts'],
    legs: answer.legs as Observation['legs'],
  };
}

function next(event: Event<'subject.observed'>, after: string): AnyNewEvent {
  return {
    topic: 'subject.observed',
    tenant: event.tenantid,
    key: event.partitionkey,
    subject: event.data.subjectId,
    data: { ...event.data, after },
  };
}
