import type { Fact, Facts } from '../facts.ts';
import { referenceKey } from '../keys.ts';
import type { LegClaim } from '../observation.ts';
import { type BookingClaim, EXTRACTORS } from './claim.ts';
import type { Draft, FactDraft, LegDraft, Warnings } from './draft.ts';
import type { ExtractLimits } from './limits.ts';

/**
 * Joins drafts into claims: one claim per booking number (and family of kinds), with its legs; a leg that is named
 * several times (once per traveller, or by JSON-LD and calendar alike) becomes one leg with all its passengers.
 */
interface LegGroup {
  readonly kind: LegDraft['kind'];
  readonly keys: Set<string>;
  readonly facts: FactDraft;
  readonly passengers: FactDraft;
  readonly statuses: Draft['status'][];
}

interface Group {
  readonly extractor: string;
  readonly bookingKey: string | undefined;
  readonly drafts: Draft[];
  readonly legs: LegGroup[];
}

/** Which extractor is believed where several read the same booking. */
const RANK: Readonly<Record<string, number>> = {
  [EXTRACTORS.jsonLd]: 0,
  [EXTRACTORS.microdata]: 1,
  [EXTRACTORS.ical]: 2,
};

export function joinDrafts(
  drafts: readonly Draft[],
  receivedAt: string,
  limits: ExtractLimits,
  warnings: Warnings,
): readonly BookingClaim[] {
  // Drafts with a number first: one without joins the booking that already has its leg.
  const ordered = drafts
    .map((draft, index) => ({ draft, index }))
    .sort(
      (a, b) =>
        Number(a.draft.reference === '') - Number(b.draft.reference === '') ||
        (RANK[a.draft.extractor] ?? 9) - (RANK[b.draft.extractor] ?? 9) ||
        a.index - b.index,
    )
    .map(({ draft }) => draft);
  if (ordered.length > limits.reservationsMax) {
    warnings.add(
      'too-many-reservations',
      `the document names more than ${limits.reservationsMax} reservations; the rest was left out`,
    );
  }
  const groups: Group[] = [];
  const byKey = new Map<string, Group>();
  const byLeg = new Map<string, Group>();
  const byUnit = new Map<string, Group>();
  for (const draft of ordered.slice(0, limits.reservationsMax)) {
    const key = draft.reference === '' ? undefined : referenceKey(draft.kind, draft.reference, draft.providerName);
    const unit = `${draft.kind} ${draft.extractor} ${draft.unit}`;
    const known =
      key === undefined
        ? (draft.leg?.keys.map((legKey) => byLeg.get(legKey)).find((group) => group !== undefined) ?? byUnit.get(unit))
        : byKey.get(key);
    const group = known ?? { extractor: draft.extractor, bookingKey: key, drafts: [], legs: [] };
    if (known === undefined) groups.push(group);
    if (key !== undefined) byKey.set(key, group);
    else byUnit.set(unit, group);
    group.drafts.push(draft);
    if (draft.leg !== undefined) {
      addLeg(group, draft.leg, draft, warnings);
      for (const legKey of draft.leg.keys) if (!byLeg.has(legKey)) byLeg.set(legKey, group);
    }
  }
  return withoutRepeats(groups.map((group) => claimOf(group, receivedAt, warnings)));
}

/** Legs that a claim may carry (contract of observation.recorded). */
const LEGS_MAX = 200;

function addLeg(group: Group, leg: LegDraft, draft: Draft, warnings: Warnings): void {
  const same = group.legs.find(
    (known) =>
      known.kind === leg.kind &&
      (leg.keys.some((key) => known.keys.has(key)) || (leg.keys.length === 0 && sameValues(known.facts, leg.facts))),
  );
  if (same === undefined) {
    if (group.legs.length >= LEGS_MAX) {
      warnings.add('too-many-reservations', `a booking names more than ${LEGS_MAX} legs; the rest was left out`);
      return;
    }
    group.legs.push({
      kind: leg.kind,
      keys: new Set(leg.keys),
      facts: { ...leg.facts },
      passengers: { ...leg.passengers },
      statuses: [draft.status],
    });
    return;
  }
  for (const key of leg.keys) if (same.keys.size < 20) same.keys.add(key);
  fillIn(same.facts, leg.facts);
  fillIn(same.passengers, leg.passengers);
  // A calendar beside the structured data has nothing to say about the status that these state.
  if (draft.extractor === group.extractor) same.statuses.push(draft.status);
}

function fillIn(into: FactDraft, from: FactDraft): void {
  for (const [path, fact] of Object.entries(from)) into[path] ??= fact;
}

function sameValues(a: FactDraft, b: FactDraft): boolean {
  const values = (facts: FactDraft) =>
    JSON.stringify(
      Object.entries(facts)
        .map(([path, fact]) => [path, fact.value])
        .sort(),
    );
  return values(a) === values(b);
}

function claimOf(group: Group, receivedAt: string, warnings: Warnings): BookingClaim {
  const facts: FactDraft = {};
  const prices = new Set(group.drafts.flatMap((draft) => draft.booking['price.amount']?.value ?? []));
  for (const draft of group.drafts) fillIn(facts, draft.booking);
  if (prices.size > 1) {
    delete facts['price.amount'];
    delete facts['price.currency'];
    warnings.add(
      'price-differs',
      'the parts of one booking state different prices; none was taken',
      group.drafts[0]?.where,
      [...prices].join(', '),
    );
  }
  const status = bookingStatus(group);
  if (status !== undefined) facts.status = status;
  return {
    extractor: group.extractor,
    assertedAt: newest(
      group.drafts.map((draft) => assertedAt(draft, receivedAt)),
      receivedAt,
    ),
    bookingKeys: group.bookingKey === undefined ? [] : [group.bookingKey],
    facts: sorted(facts),
    legs: group.legs.map((leg) => legClaim(leg)),
  };
}

function legClaim(leg: LegGroup): LegClaim {
  const facts: FactDraft = { ...leg.facts };
  fillIn(facts, namedPassengers(leg.passengers));
  const status = agreed(leg.statuses) ?? leg.statuses.find((one) => one !== undefined && one.value !== 'cancelled');
  if (status !== undefined) facts.status = status;
  return { kind: leg.kind, keys: [...leg.keys].sort(), facts: sorted(facts) };
}

/** A seat without a name (calendars print no names) is that of the only named passenger; among several it tells nothing. */
function namedPassengers(facts: FactDraft): FactDraft {
  const person = (path: string) => path.split('.')[1] ?? '';
  const named = new Set(
    Object.keys(facts)
      .map(person)
      .filter((one) => one !== 'unnamed'),
  );
  if (named.size === 0) return facts;
  const out: FactDraft = {};
  fillIn(out, Object.fromEntries(Object.entries(facts).filter(([path]) => person(path) !== 'unnamed')));
  const [only] = named;
  if (named.size > 1 || only === undefined) return out;
  const unnamed = Object.entries(facts).filter(([path]) => person(path) === 'unnamed');
  fillIn(out, Object.fromEntries(unnamed.map(([path, fact]) => [path.replace('.unnamed.', `.${only}.`), fact])));
  return out;
}

/**
 * The status of the whole booking: what all its parts say. Where only some are cancelled, the booking stands. A document
 * that names the legs it cancels speaks of these alone: it may be one flight of several.
 */
function bookingStatus(group: Group): Fact | undefined {
  const statuses = group.drafts.filter((draft) => draft.extractor === group.extractor).map((draft) => draft.status);
  const status = agreed(statuses) ?? statuses.find((one) => one?.value === 'confirmed');
  const namesLegs = group.legs.length > 0 && group.legs.every((leg) => leg.keys.size > 0);
  return status?.value === 'cancelled' && namesLegs ? undefined : status;
}

function agreed(statuses: readonly (Fact | undefined)[]): Fact | undefined {
  const [first] = statuses;
  return first !== undefined && statuses.every((status) => status?.value === first.value) ? first : undefined;
}

/** Instants of one format sort like text. */
function newest(instants: readonly string[], fallback: string): string {
  return instants.toSorted().at(-1) ?? fallback;
}

const DAY_MS = 86_400_000;

/**
 * When the source says this was so: its own time of change, else the mail's date, else when we received it. Nobody can
 * know the future: a time more than a day after receipt is not believed, or a slip would outrank all later mails.
 */
function assertedAt(draft: Draft, receivedAt: string): string {
  const received = Temporal.Instant.from(receivedAt);
  const latest = received.epochMilliseconds + DAY_MS;
  for (const candidate of [draft.modifiedAt, draft.mailDate]) {
    if (candidate === undefined) continue;
    const instant = Temporal.Instant.from(candidate);
    if (instant.epochMilliseconds <= latest) return instant.toString({ smallestUnit: 'millisecond' });
  }
  return received.toString({ smallestUnit: 'millisecond' });
}

function sorted(facts: FactDraft): Facts {
  return Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same reservation in two parts of a mail, without number and keys to join them by. */
function withoutRepeats(claims: readonly BookingClaim[]): readonly BookingClaim[] {
  const seen = new Set<string>();
  return claims.filter((claim) => {
    const values = (facts: Facts) => Object.entries(facts).map(([path, fact]) => [path, fact.value]);
    const digest = JSON.stringify([
      claim.bookingKeys,
      values(claim.facts),
      claim.legs.map((leg) => [leg.kind, leg.keys, values(leg.facts)]),
    ]);
    return seen.has(digest) ? false : seen.add(digest) !== undefined;
  });
}
