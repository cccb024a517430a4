import { type FactValue, fold, TRANSPORT_KINDS } from '../facts.ts';
import { pointOf, textOf } from '../leg-points.ts';
import { known } from '../reconcile/fields.ts';
import type { Leg } from '../reservation.ts';
import type { AlertKind, Severity } from './alert.ts';
import { byPerson, type Found, factOf, type Looking, NOTHING, together, toldOf } from './found.ts';
import { isVouched } from './grounds.ts';
import { legName } from './phrase.ts';
import type { WordKey } from './words/en.ts';

const MINUTE = 60_000;
/** Belts come until so long after landing. */
const BELT_AFTER_MS = 2 * 3_600_000;
/** What is longer is no gate, seat or name; kept so short in the record. */
const VALUE_CHARS_MAX = 120;
/** So short before departure nobody needs to be told that check-in has opened. */
const CHECK_IN_LATE_MS = 90 * MINUTE;

/** Gate, terminal, belt, aircraft, seat, places, diversion and check-in of one leg that takes place. */
export function detailsOf(looking: Looking, leg: Leg, isFirstLook: boolean): Found {
  const { now, rules } = looking;
  const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
  const hasLeft =
    start.basis === 'actual' || end.basis === 'actual' || (start.at !== undefined && start.at < now - 12 * 60 * MINUTE);
  const transport = TRANSPORT_KINDS.includes(leg.kind);
  const tell = (watched: Watched): Found => watchedOf(looking, leg, watched, isFirstLook);
  const found: Found[] = [];
  if (!hasLeft) {
    const opensAt = start.at === undefined ? now : start.at - (rules.gate.minutes ?? 1440) * MINUTE;
    const near = { from: opensAt };
    for (const place of ['gate', 'platform'] as const)
      found.push(
        tell({
          path: `start.${place}`,
          kind: 'gate',
          severity: 'warning',
          key: `${place}Changed`,
          first: place,
          ...near,
        }),
      );
    found.push(tell({ path: 'start.terminal', kind: 'terminal', severity: 'warning', key: 'terminalChanged' }));
    found.push(tell({ path: 'aircraft', kind: 'aircraft', severity: 'info', key: 'aircraft' }));
    for (const path of Object.keys(leg.fields).filter((one) => /^passenger\..+\.seat$/.test(one)))
      found.push(tell({ path, kind: 'seat', severity: 'info', key: 'seat' }));
    found.push(...placesOf(transport, leg, tell));
    if (leg.kind === 'flight') found.push(checkInOf(looking, leg, start.at));
  }
  if (transport) {
    found.push(tell({ path: 'end.terminal', kind: 'terminal', severity: 'info', key: 'terminalArrivalChanged' }));
    const landsAt = end.at ?? Number.POSITIVE_INFINITY;
    const from = landsAt - (rules.belt.minutes ?? 60) * MINUTE;
    if (now < landsAt + BELT_AFTER_MS)
      found.push(tell({ path: 'end.belt', kind: 'belt', severity: 'info', key: 'beltChanged', first: 'belt', from }));
    found.push(diversionOf(looking, leg));
  }
  return together(...found);
}

/** A field whose value is told when it becomes another, or (with `first`) when it becomes known. */
interface Watched {
  readonly path: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly key: WordKey;
  readonly first?: WordKey;
  /** Epoch ms from which it is news. */
  readonly from?: number;
}

function watchedOf(looking: Looking, leg: Leg, watched: Watched, isFirstLook: boolean): Found {
  const { told, language, now } = looking;
  const { path, kind, severity, key, first, from = 0 } = watched;
  const value = textOf(leg.fields, path)?.slice(0, VALUE_CHARS_MAX);
  // What was withdrawn is not told: the next value is.
  if (value === undefined) return NOTHING;
  const fact = factOf(leg, path);
  const before = toldOf(told, fact);
  if (before !== undefined && isAlike(String(before.value), value)) return NOTHING;
  const by = leg.fields[path]?.by;
  const isSilent = isFirstLook || byPerson(by) || (before === undefined && first === undefined);
  if (isSilent) return { news: [], known: [{ fact, value }] };
  if (now < from) return Number.isFinite(from) ? { ...NOTHING, dueAt: from } : NOTHING;
  const params = { leg: legName(language, leg), to: value, before: String(before?.value ?? '') };
  const certain = isVouched(by);
  const chosen = before === undefined ? first! : key;
  return {
    news: [{ kind, severity, certain, key: chosen, params, facts: [{ fact, value }], leg: leg.id, by }],
    known: [],
  };
}

/** Two spellings of one thing: `Terminal 1` and `1`, `B 22` and `B22`, a name and the same with its town. */
function isAlike(a: string, b: string): boolean {
  const [x, y] = [bare(a), bare(b)];
  return x === y || (x.length > 3 && y.includes(x)) || (y.length > 3 && x.includes(y));
}

function bare(text: string): string {
  return fold(text.replace(/^\s*(terminal|gate|platform|belt)\b/i, ''));
}

function placesOf(transport: boolean, leg: Leg, tell: (watched: Watched) => Found): Found[] {
  const altered = { kind: 'altered', severity: 'warning' } as const;
  if (transport)
    return [tell({ ...altered, path: 'start.code', key: 'from' }), tell({ ...altered, path: 'end.code', key: 'into' })];
  const place = tell({
    ...altered,
    path: textOf(leg.fields, 'name') === undefined ? 'start.name' : 'name',
    key: 'isAt',
  });
  return leg.kind === 'rental' ? [place, tell({ ...altered, path: 'vehicle', key: 'vehicle' })] : [place];
}

function diversionOf(looking: Looking, leg: Leg): Found {
  const { told, language } = looking;
  const to = textOf(leg.fields, 'diverted.code');
  const isDiverted = to !== undefined || known(leg.fields, 'operation') === 'diverted';
  if (!isDiverted) return NOTHING;
  const fact = factOf(leg, 'diverted');
  const before = toldOf(told, fact);
  const value: FactValue = to ?? true;
  // That the airport became unknown again is nothing to tell.
  if (before !== undefined && (before.value === value || to === undefined)) return NOTHING;
  const by = leg.fields[to === undefined ? 'operation' : 'diverted.code']?.by;
  if (byPerson(by)) return { news: [], known: [{ fact, value }] };
  const params = { leg: legName(language, leg), to: to ?? '' };
  const key = to === undefined ? 'diverted' : 'divertedTo';
  return {
    news: [
      {
        kind: 'diversion',
        severity: 'critical',
        certain: isVouched(by),
        key,
        params,
        facts: [{ fact, value }],
        leg: leg.id,
        by,
      },
    ],
    known: [],
  };
}

/** By the airline's word, or by the clock: the one kind that comes without anything having changed. */
function checkInOf(looking: Looking, leg: Leg, startAt: number | undefined): Found {
  const { told, language, now, rules } = looking;
  const fact = factOf(leg, 'check-in');
  if (startAt === undefined || toldOf(told, fact) !== undefined || now > startAt - CHECK_IN_LATE_MS) return NOTHING;
  const said = known(leg.fields, 'operation') === 'check-in';
  const dueAt = startAt - (rules['check-in'].minutes ?? 1440) * MINUTE;
  if (!said && now < dueAt) return rules['check-in'].on ? { ...NOTHING, dueAt } : NOTHING;
  return {
    news: [
      {
        kind: 'check-in',
        severity: 'info',
        certain: said,
        key: said ? 'checkIn' : 'checkInDue',
        params: { leg: legName(language, leg) },
        facts: [{ fact, value: true }],
        leg: leg.id,
        by: said ? leg.fields.operation?.by : undefined,
      },
    ],
    known: [],
  };
}
