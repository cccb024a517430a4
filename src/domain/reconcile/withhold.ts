import type { Observation } from '../observation.ts';
import { byText } from './canonical.ts';
import { baseOf, type PlacedClaim, placeClaims, soloKeys } from './claims.ts';
import { type Draft, groupBookings } from './grouping.ts';

/**
 * # What an unproven mail may do
 *
 * A reservation is *confirmed* once it rests on a proven mail, on the provider that holds the booking, or on a person who
 * said what it is. From the moment the first of these was observed, mails that prove less are withheld from it: they
 * neither change a value, nor add one, nor join it with another booking; what they say stands beside it as a question
 * (`Reservation.unproven`). What such mails said before is kept under all that is proven, but never cancels.
 *
 * "Before" is by the instants at which we observed things, which are part of the observations. So this is a function of the
 * set like the rest of the join: a mail that is read late, or twice, or by two workers, ends where it would have ended.
 *
 * A sender proves its own name only. A proven mail of a sender in the registry counts for every booking; of another sender
 * for bookings that no proven mail of someone else spoke of before it, because anyone can sign with a domain of his own.
 * One that was signed long before it came counts for bookings that nothing confirmed before it: it may have been sent on.
 */
export interface Sifted {
  readonly drafts: readonly Draft[];
  /** Withheld observations by draft. */
  readonly withheld: ReadonlyMap<Draft, readonly Observation[]>;
  /** Drafts that are confirmed. */
  readonly confirmed: ReadonlySet<Draft>;
}

export function siftBookings(observations: readonly Observation[]): Sifted {
  const { firm, loose } = weigh(observations);
  const sure = groupBookings(firm).filter((draft) => membersOf(draft).some(confirms));
  const index = new KeyIndex(sure.length === 0 ? [] : [...loose, ...firm]);
  const proven = new Set(firm);
  const late = new Map<Observation, Set<Draft>>();
  for (const draft of sure) {
    const since = Math.min(...membersOf(draft).filter(confirms).map(observedMs));
    for (const one of reached(draft, index, since, proven)) {
      const of = late.get(one) ?? new Set();
      late.set(one, of);
      of.add(draft);
    }
  }
  const drafts = groupBookings([...firm, ...loose.filter((one) => !late.has(one))]);
  const byKey = new Map(sure.flatMap((draft) => [...draft.bookingKeys].map((key) => [key, draft] as const)));
  const bare = sure.filter((draft) => draft.bookingKeys.size === 0);
  const confirmed = new Set<Draft>();
  const withheld = new Map<Draft, readonly Observation[]>();
  for (const draft of drafts) {
    const grounds = groundsOf(draft, byKey, bare);
    if (grounds.size === 0) continue;
    confirmed.add(draft);
    const questions = [...late].flatMap(([one, of]) => (of.isDisjointFrom(grounds) ? [] : [one]));
    if (questions.length > 0) withheld.set(draft, questions);
  }
  return { drafts, withheld, confirmed };
}

/**
 * The confirmed bookings that a draft goes on. One without a booking key goes on wherever its claims went; of others the
 * keys decide: that a flight of it is in another booking too confirms nothing there.
 */
function groundsOf(draft: Draft, byKey: ReadonlyMap<string, Draft>, bare: readonly Draft[]): ReadonlySet<Draft> {
  const grounds = new Set([...draft.bookingKeys].flatMap((key) => byKey.get(key) ?? []));
  if (bare.length === 0) return grounds;
  const own = new Set(draft.claims.map(({ claim }) => claim));
  for (const one of bare) if (one.claims.some(({ claim }) => own.has(claim))) grounds.add(one);
  return grounds;
}

/** Epoch ms of when we got it; what has no such instant came last. */
export function observedMs(observation: Observation): number {
  try {
    return Temporal.Instant.from(observation.observedAt).epochMilliseconds;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Whether it makes a booking a confirmed one, if it counts as proven at all (see `weigh`). */
export function confirms(observation: Observation): boolean {
  switch (observation.authority) {
    case 'mail-proven':
      return true;
    case 'booking':
      return observation.bookingKeys.length > 0;
    case 'person':
      // Who corrects a seat or a zone has not looked at the rest.
      return (
        observation.facts.status !== undefined ||
        observation.legs.some(({ facts }) => facts.status !== undefined || facts['start.scheduled'] !== undefined)
      );
    default:
      return false;
  }
}

/** A mail's word, or one of a person or provider. Only mails can be anybody's. */
export function isMail(observation: Observation): boolean {
  return observation.source.kind === 'mail';
}

/** Parts the observations; a proven mail of a stranger becomes a mere mail. */
function weigh(observations: readonly Observation[]): { readonly firm: Observation[]; readonly loose: Observation[] } {
  const owners = new Map<string, Observation>();
  const first = new Map<string, Observation>();
  for (const one of observations) {
    if (!confirms(one)) continue;
    for (const key of one.bookingKeys) {
      keepFirst(first, key, one);
      if (one.authority === 'mail-proven') keepFirst(owners, key, one);
    }
  }
  const firm: Observation[] = [];
  const loose: Observation[] = [];
  for (const one of observations) {
    if (one.authority === 'mail') loose.push(one);
    else if (one.authority === 'mail-proven' && (isStranger(one, owners) || isReplay(one, first)))
      loose.push({ ...one, authority: 'mail' });
    else firm.push(one);
  }
  return { firm, loose };
}

function isStranger({ trust, bookingKeys }: Observation, owners: ReadonlyMap<string, Observation>): boolean {
  if (trust === undefined || trust.registered) return false;
  if (bookingKeys.length === 0) return true;
  return bookingKeys.some((key) => {
    const owner = owners.get(key)?.trust;
    return owner !== undefined && owner.sender !== trust.sender;
  });
}

function isReplay({ id, trust, bookingKeys }: Observation, first: ReadonlyMap<string, Observation>): boolean {
  return trust?.again === true && (bookingKeys.length === 0 || bookingKeys.some((key) => first.get(key)?.id !== id));
}

function keepFirst(held: Map<string, Observation>, key: string, one: Observation): void {
  const other = held.get(key);
  if (other === undefined || isBefore(one, other)) held.set(key, one);
}

function isBefore(a: Observation, b: Observation): boolean {
  const [x, y] = [observedMs(a), observedMs(b)];
  return x === y ? byText(a.id, b.id) < 0 : x < y;
}

function membersOf(draft: Draft): readonly Observation[] {
  return [...new Set([...draft.speakers, ...draft.claims.map((claim) => claim.observation)])];
}

/** Keys by which observations meet in grouping.ts, of one booking as it grows. */
class Reach {
  readonly bookings: Set<string>;
  /** It has no booking key of its own: whoever names a leg of it and a booking would take it there. */
  readonly #bare: boolean;
  readonly strong = new Set<string>();
  readonly weak = new Set<string>();
  readonly bases = new Set<string>();

  constructor(draft: Draft) {
    this.bookings = new Set(draft.bookingKeys);
    this.#bare = draft.bookingKeys.size === 0;
    for (const claim of draft.claims) this.#claim(claim);
  }

  add(one: Observation): void {
    for (const key of one.bookingKeys) this.bookings.add(key);
    for (const claim of placed(one)) this.#claim(claim);
  }

  meets(one: Observation): boolean {
    if (one.bookingKeys.some((key) => this.bookings.has(key))) return true;
    if (one.bookingKeys.length > 0 && !this.#bare) return false;
    return placed(one).some(
      (claim) =>
        claim.strong.some((key) => this.strong.has(key) || this.weak.has(baseOf(key) ?? '')) ||
        claim.weak.some((key) => this.bases.has(key)),
    );
  }

  #claim(claim: PlacedClaim): void {
    for (const key of claim.strong) this.strong.add(key);
    for (const key of claim.weak) this.weak.add(key);
    for (const base of claim.bases) this.bases.add(base);
  }
}

/** Observations by every key that they could meet a booking by. */
class KeyIndex {
  readonly #byKey = new Map<string, Observation[]>();

  constructor(observations: readonly Observation[]) {
    for (const one of observations) {
      for (const key of new Set([...one.bookingKeys, ...placed(one).flatMap((claim) => meetingKeys(claim))])) {
        const held = this.#byKey.get(key);
        if (held) held.push(one);
        else this.#byKey.set(key, [one]);
      }
    }
  }

  at(key: string): readonly Observation[] {
    return this.#byKey.get(key) ?? [];
  }
}

function meetingKeys(claim: PlacedClaim): readonly string[] {
  return [...claim.strong, ...claim.weak, ...claim.bases];
}

function placed(one: Observation): readonly PlacedClaim[] {
  const claims = placeClaims(one);
  return one.bookingKeys.length > 0 ? claims : soloKeys(claims);
}

/**
 * The unproven mails that came after a booking was confirmed and speak of it: they share a key with it, with such a mail that
 * came before, or with what a source that needs no proof says (`proven`) and that came to belong to it by such a mail, or by
 * naming a leg and no booking.
 * What came later leads nowhere, or a forged mail could tie two bookings together.
 */
function reached(
  draft: Draft,
  index: KeyIndex,
  since: number,
  proven: ReadonlySet<Observation>,
): ReadonlySet<Observation> {
  const reach = new Reach(draft);
  const late = new Set<Observation>();
  const inside = new Set<Observation>();
  const waiting = [...reach.bookings, ...reach.strong, ...reach.weak, ...reach.bases];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    for (const one of index.at(key)) {
      if (late.has(one) || inside.has(one) || !reach.meets(one)) continue;
      if (!proven.has(one) && observedMs(one) >= since) {
        late.add(one);
        continue;
      }
      inside.add(one);
      reach.add(one);
      waiting.push(...one.bookingKeys, ...placed(one).flatMap(meetingKeys));
    }
  }
  return late;
}
