import type { Facts, Kind } from '../facts.ts';
import type { ObservationId } from '../ids.ts';
import type { Observation } from '../observation.ts';
import type { Field, Fields, UnprovenClaim } from '../reservation.ts';
import { orderingMsOf } from '../time/travel-time.ts';
import { byText, canonicalJson, digestOf } from './canonical.ts';
import { compact } from './compact.ts';
import { absorb, type Claims, decideAll, known } from './fields.ts';
import type { Draft } from './grouping.ts';
import { formLegs, type LegDraft } from './legs.ts';
import { questionsOf, sameLeg } from './questions.ts';
import { type Doubts, decideStatus } from './status.ts';
import { siftBookings } from './withhold.ts';

/**
 * # The join: a set of observations decides the state
 *
 * Mails come twice, late and in any order; providers answer while a mail is being read; work is retried after a crash.
 * So nothing here depends on the order of anything. `join` is a function of the *set* of one traveller's observations:
 *
 *     join(any permutation of S) = join(S)        commutative, associative
 *     join(S ∪ S)                = join(S)        idempotent
 *     join(compact(S) ∪ T)       = join(S ∪ T)    what is superseded can be left out
 *
 * Adding an observation and joining again is therefore the same as having had it from the start, and two workers that
 * have seen the same observations agree, whatever happened in between. It works in five steps, each a function of a set:
 *
 *  1. **Which bookings** (grouping.ts). Observations with booking keys (locators, provider ids) are connected when they
 *     share one; a booking is a connected component. Observations without booking keys (a flight's status, a bare
 *     calendar file) give their claims to every booking that has a matching leg. If none has, those from mails and
 *     people make bookings of their own; a provider's word alone makes none.
 *  2. **Which legs** (legs.ts). Inside a booking, claims that share a leg key speak of the same leg.
 *  3. **Which value** (fields.ts). Each field of each leg keeps the value with the highest rank: (authority, asserted
 *     time, digest). A maximum does not care about order or repetition. `null` is a value: the source withdrew it.
 *     What a person set wins; what a source says later is shown beside it.
 *  4. **Whose word counts** (withhold.ts). What an unproven mail says of a confirmed booking is a question, not a value.
 *  5. **Which status** (status.ts). Booking and legs speak about each other, and a less believed "cancelled" never
 *     cancels.
 *
 * Nothing is ever deleted: a cancelled leg is a leg with a fact that says so, a removed reservation one with the fact
 * `removed`. Ids and versions are not part of the join, because they depend on what was published before: see
 * identity.ts and reconcile.ts. What changed between two states is worked out in diff.ts.
 *
 * Cost: near-linear in the number of facts (union-find and hash maps), no matter how many observations one leg has.
 */
export function join(observations: readonly Observation[]): Group[] {
  const { drafts, withheld, confirmed } = siftBookings(compact(observations));
  return drafts
    .map((draft) => decideGroup(draft, confirmed.has(draft), withheld.get(draft) ?? []))
    .sort((a, b) => byText(a.key, b.key));
}

/** A leg as decided, without identity. */
export interface GroupLeg {
  readonly kind: Kind;
  readonly keys: readonly string[];
  readonly fields: Fields;
}

/** A booking as decided, without identity and version. */
export interface Group {
  /** The smallest booking key, or leg key where there is none: names the group among those of one join. */
  readonly key: string;
  readonly bookingKeys: readonly string[];
  readonly fields: Fields;
  readonly legs: readonly GroupLeg[];
  readonly observations: readonly ObservationId[];
  readonly unproven?: readonly UnprovenClaim[];
  readonly digest: string;
}

function decideGroup(draft: Draft, confirmed: boolean, withheld: readonly Observation[]): Group {
  const booking: Claims = new Map();
  const seen = new Set<ObservationId>();
  for (const speaker of draft.speakers) {
    // Without a booking key, "cancelled" speaks of the legs it names and of no other.
    absorb(
      booking,
      speaker,
      believed(speaker, speaker.facts, confirmed),
      speaker.bookingKeys.length === 0 ? 'status' : undefined,
    );
    seen.add(speaker.id);
  }
  const drafts = formLegs(draft.claims);
  const claims = drafts.map((leg) => claimsOf(leg, confirmed));
  for (const one of [...draft.claims.map((claim) => claim.observation), ...withheld]) seen.add(one.id);

  const status = decideStatus(
    booking,
    claims,
    confirmed ? doubtsOf([...seenMails(draft), ...withheld], drafts) : undefined,
  );
  const legs = drafts.map((leg, index): GroupLeg => {
    const { status: legStatus, operation } = status.legs[index]!;
    const fields = decideAll(claims[index]!);
    return {
      kind: leg.kind,
      keys: [...leg.keys].sort(byText),
      fields: withField(withField(fields, 'status', legStatus), 'operation', operation),
    };
  });
  const fields = withField(decideAll(booking), 'status', status.booking);
  const bookingKeys = [...draft.bookingKeys].sort(byText);
  const inOrder = inOrderOfStart(legs);
  const unproven = questionsOf(withheld, fields, inOrder);
  return {
    key: bookingKeys[0] ?? [...legs.flatMap((leg) => leg.keys)].sort(byText)[0] ?? '',
    bookingKeys,
    fields,
    legs: inOrder,
    observations: [...seen].sort(byText),
    ...(unproven.length === 0 ? {} : { unproven }),
    digest: stateDigest(bookingKeys, fields, inOrder, unproven),
  };
}

/** Unproven mails that came before the booking was confirmed: their "cancelled" is not believed, but may be shown. */
function seenMails(draft: Draft): readonly Observation[] {
  const members = new Set([...draft.speakers, ...draft.claims.map((claim) => claim.observation)]);
  return [...members].filter((one) => one.authority === 'mail');
}

/** What unproven mails say of the status of a confirmed booking, sorted to the legs that they name. */
function doubtsOf(withheld: readonly Observation[], legs: readonly LegDraft[]): Doubts {
  const doubts = { booking: new Map() as Claims, legs: legs.map(() => new Map() as Claims) };
  const keys = legs.map((leg) => [...leg.keys]);
  for (const observation of withheld) {
    absorb(doubts.booking, observation, observation.facts);
    for (const claim of observation.legs) {
      const index = keys.findIndex((own) => sameLeg(claim.keys, own));
      if (index !== -1) absorb(doubts.legs[index]!, observation, claim.facts);
    }
  }
  return doubts;
}

/** In a confirmed booking an unproven "cancelled" says nothing, whenever it came. */
function believed(observation: Observation, facts: Facts, confirmed: boolean): Facts {
  if (!confirmed || observation.authority !== 'mail') return facts;
  if (facts.status?.value !== 'cancelled' && facts.operation?.value !== 'cancelled') return facts;
  return Object.fromEntries(
    Object.entries(facts).filter(([path, { value }]) => value !== 'cancelled' || !STATUS_PATHS.includes(path)),
  );
}
const STATUS_PATHS = ['status', 'operation'];

function claimsOf(leg: LegDraft, confirmed: boolean): Claims {
  const claims: Claims = new Map();
  for (const { observation, claim } of leg.claims) {
    absorb(claims, observation, believed(observation, claim.facts, confirmed));
    const spoken = believed(observation, observation.facts, confirmed);
    const whole = observation.bookingKeys.length === 0 ? spoken.status : undefined;
    if (whole !== undefined && claim.facts.status === undefined) absorb(claims, observation, { status: whole });
  }
  return claims;
}

function withField(fields: Readonly<Record<string, Field>>, path: string, field: Field | undefined) {
  const { [path]: _, ...rest } = fields;
  return field === undefined ? rest : { ...rest, [path]: field };
}

/** By scheduled start, so that a delay does not shuffle a journey; ties by key. */
function inOrderOfStart(legs: readonly GroupLeg[]): GroupLeg[] {
  const starts = new Map(legs.map((leg) => [leg, startOf(leg)]));
  return [...legs].sort((a, b) => {
    const [x, y] = [starts.get(a)!, starts.get(b)!];
    return x === y ? byText(a.keys.join(' '), b.keys.join(' ')) : x < y ? -1 : 1;
  });
}

function startOf({ fields }: GroupLeg): number {
  const zone = known(fields, 'start.zone');
  const time = ['start.scheduled', 'start.estimated', 'start.actual'].map((path) => known(fields, path));
  return orderingMsOf(
    time.find((one) => one !== undefined),
    typeof zone === 'string' ? zone : undefined,
  );
}

/**
 * Digest of what a reader sees: keys of the booking, values and the values beside them. Attributions are left out (a
 * second source that says the same is no news), and so are withdrawn values, which look the same as unknown ones.
 */
export function stateDigest(
  bookingKeys: readonly string[],
  fields: Fields,
  legs: readonly GroupLeg[],
  unproven: readonly UnprovenClaim[] = [],
): string {
  const legTexts = legs.map((leg) => canonicalJson([leg.kind, visible(leg.fields)])).sort(byText);
  const questions = unproven.map((one) => canonicalJson(one.said)).sort(byText);
  return digestOf(
    canonicalJson([bookingKeys, visible(fields), legTexts, ...(questions.length > 0 ? [questions] : [])]),
  );
}

function visible(fields: Fields): Record<string, unknown> {
  const values: [string, unknown][] = [];
  for (const path of Object.keys(fields)) {
    const { value, beside } = fields[path]!;
    if (beside !== undefined) values.push([path, [value, beside.value]]);
    else if (value !== null) values.push([path, [value]]);
  }
  return Object.fromEntries(values);
}
