import { setTimeout as delay } from 'node:timers/promises';
import type { AddByHand, AddByProvider, AddReservation, EditReservation } from '../../contracts/http/commands.ts';
import type { Facts, FactValue, Kind } from '../../domain/facts.ts';
import { derivedId, type EventId, type ObservationId, type ReservationId, sortableId } from '../../domain/ids.ts';
import { legKeys, providerBookingKey, referenceKey } from '../../domain/keys.ts';
import { pointOf } from '../../domain/leg-points.ts';
import type { LegClaim, Observation } from '../../domain/observation.ts';
import { overloadedError } from '../../domain/overload.ts';
import { indexKeys, speaksOf } from '../../domain/reconcile/claims.ts';
import type { Leg, Reservation } from '../../domain/reservation.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { ReadTx } from '../../ports/store.ts';
import { type Caller, ensureVisible, notFound, scopedTraveller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { checkedFacts } from './facts.ts';

/**
 * What a person says about reservations. Each is an observation with the highest authority, appended as
 * `observation.recorded`; the reconcile stage makes the state of it. So a command answers with what was recorded, and
 * `settledReservation` waits for the state where someone wants to see it.
 */
export interface Recorded {
  readonly observation: ObservationId;
  readonly event: EventId;
  /** False: the same Idempotency-Key came before; nothing new was recorded. */
  readonly new: boolean;
}

/** Adds by hand or by a provider's id. Errors: `field-…`, `traveller-unknown`, `provider-unknown`, `idempotency-key-reused`. */
export async function addReservation(
  deps: CommandDeps,
  caller: Caller,
  body: AddReservation,
  idempotencyKey?: string,
): Promise<Recorded> {
  const traveller = scopedTraveller(caller, body.traveller)!;
  const id: ObservationId =
    idempotencyKey === undefined
      ? sortableId('obs', deps.clock.now(), deps.random.bytes(16))
      : derivedId('obs', 'idempotency-key', caller.tenant, caller.ref, idempotencyKey);
  const said = 'provider' in body ? byProvider(deps, body) : addByHand(body, id);
  return record(deps, caller, { id, traveller, ...said }, async (tx) => {
    if ((await tx.accounts.getTraveller(caller.tenant, traveller)) === undefined) {
      throw new Problem('traveller-unknown', `There is no traveller "${traveller}"; GET /v1/travellers lists them.`);
    }
  });
}

/** Pure: the keys and facts of a reservation typed in. Without a reference it is a booking of its own. */
export function addByHand(body: AddByHand, id: ObservationId): Said {
  const facts: Facts = {
    ...checkedFacts(body.facts ?? {}, 'booking'),
    ...(body.reference === undefined ? {} : checkedFacts({ reference: body.reference }, 'booking')),
  };
  const provider = facts['provider.name']?.value ?? facts['provider.code']?.value;
  const reference =
    body.reference === undefined
      ? undefined
      : referenceKey(body.kind, body.reference, provider ? String(provider) : '');
  const legs = body.legs.map((leg) => {
    const kind = leg.kind ?? body.kind;
    const legFacts = checkedFacts(splitDesignator(kind, leg.facts), 'leg');
    return { kind, keys: keysOf(kind, legFacts), facts: legFacts };
  });
  const unnamed = legs.filter((leg) => leg.keys.length === 0);
  if (unnamed.length > 0 && legs.length > 1) {
    throw new Problem(
      'field-invalid',
      `Leg ${legs.indexOf(unnamed[0]!) + 1} cannot be told from others. Give it "start.scheduled" and, for flights and trains, "number", else "name" or "start.name".`,
    );
  }
  return { bookingKeys: [reference ?? providerBookingKey('person', id)], facts, legs };
}

function byProvider(deps: CommandDeps, body: AddByProvider): Said {
  const { account, id } = body.provider;
  if (!deps.config.providers.some((one) => one.account === account)) {
    const names = deps.config.providers.map((one) => one.account).join(', ') || 'none';
    throw new Problem(
      'provider-unknown',
      `There is no provider account "${account}". Configured accounts: ${names}; add one under "providers" in the configuration.`,
    );
  }
  return {
    bookingKeys: [providerBookingKey(account, id)],
    facts: checkedFacts({ kind: body.kind }, 'booking'),
    legs: [],
  };
}

/** Says new values for fields of the booking or of one leg. Errors: `not-found`, `leg-unknown`, `field-…`. */
export async function editReservation(
  deps: CommandDeps,
  caller: Caller,
  id: string,
  body: EditReservation,
): Promise<Recorded> {
  const reservation = await visibleReservation(deps, caller, id);
  if (body.leg === undefined) return recordAbout(deps, caller, reservation, checkedFacts(body.facts, 'booking'));
  const leg = reservation.legs.find((one) => one.id === body.leg);
  if (leg === undefined) {
    const known = reservation.legs.map((one) => one.id).join(', ') || 'none';
    throw new Problem('leg-unknown', `Reservation ${reservation.id} has no leg "${body.leg}". Its legs: ${known}.`);
  }
  if (leg.keys.length === 0 && reservation.legs.filter((one) => one.kind === leg.kind).length > 1) {
    throw new Problem(
      'conflict',
      `Leg ${leg.id} has nothing that tells it from the others; it cannot be edited by itself.`,
    );
  }
  const zones = { start: pointOf(leg, 'start').zone, end: pointOf(leg, 'end').zone };
  const facts = checkedFacts(splitDesignator(leg.kind, body.facts), 'leg', zones);
  return recordAbout(deps, caller, reservation, {}, [{ kind: leg.kind, keys: leg.keys, facts }]);
}

/** Takes it out of view; its story stays. */
export async function removeReservation(deps: CommandDeps, caller: Caller, id: string): Promise<Recorded> {
  return recordAbout(deps, caller, await visibleReservation(deps, caller, id), REMOVED(true));
}

export async function restoreReservation(deps: CommandDeps, caller: Caller, id: string): Promise<Recorded> {
  return recordAbout(deps, caller, await visibleReservation(deps, caller, id), REMOVED(false));
}
const REMOVED = (value: boolean): Facts => ({ removed: { value, evidence: { where: 'entered by hand' } } });

/**
 * Waits (real time, at most `msMax`) until the observation was reconciled and returns the reservation that rests on it;
 * undefined when it takes longer: the event is stored and will be done.
 */
export async function settledReservation(
  deps: CommandDeps,
  caller: Caller,
  recorded: Recorded,
  msMax = 1000,
): Promise<Reservation | undefined> {
  for (let waited = 0; ; waited += SETTLE_POLL_MS) {
    const found = await deps.store.read(async (tx) => {
      const done = (await tx.log.processedBy(recorded.event)).some((one) => one.consumer === 'reconcile');
      if (!done) return undefined;
      const entry = await tx.log.get(recorded.event);
      if (entry === undefined) return undefined;
      const traveller = entry.event.travellerid as Reservation['traveller'];
      const [resting] = await tx.reservations.restingOn(caller.tenant, traveller, [recorded.observation]);
      return resting ?? (await standingOf(tx, caller, traveller, recorded.observation));
    });
    if (found !== undefined || waited >= msMax) return found;
    await delay(SETTLE_POLL_MS);
  }
}
const SETTLE_POLL_MS = 20;

/** Who says again what stands already changes nothing, and nothing rests on it: the reservation that it speaks of. */
async function standingOf(
  tx: ReadTx,
  { tenant }: Caller,
  traveller: Reservation['traveller'],
  id: ObservationId,
): Promise<Reservation | undefined> {
  const [said] = await tx.reservations.getObservations(tenant, [id]);
  if (said === undefined) return undefined;
  const known = await tx.reservations.closure(tenant, traveller, indexKeys(said));
  const standing = await tx.reservations.restingOn(
    tenant,
    traveller,
    known.map((one) => one.id),
  );
  return standing.find((one) => speaksOf(said, one));
}

/** The reservation, merges followed, if this caller may see it. Errors: `not-found`. */
export async function visibleReservation(
  deps: Pick<CommandDeps, 'store'>,
  caller: Caller,
  id: string,
): Promise<Reservation> {
  const found = await deps.store.read((tx) => tx.reservations.get(caller.tenant, id as ReservationId));
  if (found === undefined) throw notFound(id);
  ensureVisible(caller, found.traveller, id);
  return found;
}

interface Said {
  readonly bookingKeys: readonly string[];
  readonly facts: Facts;
  readonly legs: readonly LegClaim[];
}

function recordAbout(
  deps: CommandDeps,
  caller: Caller,
  reservation: Reservation,
  facts: Facts,
  legs: readonly LegClaim[] = [],
): Promise<Recorded> {
  const id: ObservationId = sortableId('obs', deps.clock.now(), deps.random.bytes(16));
  const { traveller, bookingKeys } = reservation;
  // Without booking keys only the legs say which reservation is meant.
  const named = bookingKeys.length > 0 || legs.length > 0 ? legs : reservation.legs.map(bare);
  return record(deps, caller, { id, traveller, bookingKeys, facts, legs: named });
}

function bare(leg: Leg): LegClaim {
  return { kind: leg.kind, keys: leg.keys, facts: {} };
}

async function record(
  deps: CommandDeps,
  caller: Caller,
  said: Said & Pick<Observation, 'id' | 'traveller'>,
  check: (tx: ReadTx) => Promise<void> = async () => {},
): Promise<Recorded> {
  if (deps.overloaded?.() === true) throw overloadedError(deps.clock.now());
  const now = isoInstant(deps.clock.now());
  const observation: Observation = {
    ...said,
    tenant: caller.tenant,
    source: { kind: 'person', ref: caller.ref, label: 'you' },
    authority: 'person',
    assertedAt: now,
    observedAt: now,
  };
  return deps.store.transact(async (tx) => {
    await check(tx);
    const event = {
      topic: 'observation.recorded',
      tenant: caller.tenant,
      traveller: said.traveller,
      key: said.traveller,
      subject: said.id,
      data: { observation },
    } as const;
    const origin = { source: 'command', correlation: said.id, seed: said.id };
    const eventId = derivedId('evt', origin.source, '', origin.seed, event.topic, 0);
    const before = await tx.log.get(eventId);
    if (before !== undefined) {
      if (digest(before.event.data) !== digest(event.data)) {
        throw new Problem(
          'idempotency-key-reused',
          'This Idempotency-Key was used with another body before. Send the same body, or a new key.',
        );
      }
      return { observation: said.id, event: eventId, new: false };
    }
    // The event of a key used long ago has gone (events.keepDays); its marks stay, and would swallow this one unseen.
    if ((await tx.log.processedBy(eventId)).length > 0) {
      throw new Problem(
        'idempotency-key-reused',
        'This Idempotency-Key was used before, so long ago that it cannot be seen for what. Send a new key.',
      );
    }
    const [appended] = await tx.append([event as never], origin);
    return { observation: said.id, event: appended?.id ?? eventId, new: true };
  });
}

/** Of what was said, without when: a repeat comes later. */
function digest(data: unknown): string {
  const { bookingKeys, facts, legs, traveller } = (data as { observation: Observation }).observation;
  return derivedId('dig', JSON.stringify([traveller, bookingKeys, facts, legs]));
}

/** `LH400` typed as the number of a flight is carrier and number. */
function splitDesignator(kind: Kind, facts: Readonly<Record<string, FactValue>>): Readonly<Record<string, FactValue>> {
  const match = kind === 'flight' ? /^\s*([A-Za-z0-9]{2})\s*(\d{1,4})\s*$/.exec(String(facts.number ?? '')) : null;
  if (match === null || facts['carrier.code'] !== undefined || /^\d+$/.test(String(facts.number).trim())) return facts;
  return { ...facts, 'carrier.code': match[1]!.toUpperCase(), number: match[2]! };
}

function keysOf(kind: Kind, facts: Facts): readonly string[] {
  const text = (path: string) => (typeof facts[path]?.value === 'string' ? String(facts[path]?.value) : undefined);
  return legKeys({
    kind,
    carrier: text('carrier.code'),
    number: text('number'),
    from: text('start.code') ?? text('start.name'),
    to: text('end.code') ?? text('end.name'),
    name: text('name'),
    start: text('start.scheduled'),
  });
}
