import { type Facts, TRANSPORT_KINDS } from '../facts.ts';
import { type Point, pointOf, textOf } from '../leg-points.ts';
import type { Attribution, Leg } from '../reservation.ts';
import { epochMsOf } from '../time/travel-time.ts';
import { byPerson, type Found, factOf, type Looking, type News, NOTHING, together, toldOf } from './found.ts';
import { isCertain, isVouched, type Says } from './grounds.ts';
import { clockOf, duration, legName } from './phrase.ts';

const MINUTE = 60_000;
/** Confirmations of an earlier departure need not agree to the minute. */
const AGREE_MS = 5 * MINUTE;
/** What is not certain yet is looked at again, ms. */
const LOOK_AGAIN_MS = 60_000;

/** When a leg runs: its schedule, and how it runs against it. */
export function timesOf(looking: Looking, leg: Leg, isFirstLook: boolean): Found {
  return together(
    scheduleOf(looking, leg, isFirstLook),
    TRANSPORT_KINDS.includes(leg.kind) ? runningOf(looking, leg) : NOTHING,
  );
}

/** Late, early, on time again. The record holds minutes against schedule, as they were told. */
function runningOf(looking: Looking, leg: Leg): Found {
  const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
  const departure = start.basis === 'estimated' ? departureOf(looking, leg, start) : NOTHING;
  if (end.basis !== 'estimated' || end.lateMinutes === undefined) return departure;
  // One sentence says when it leaves and when it arrives.
  const [news] = departure.news;
  const fact = factOf(leg, 'arrival');
  if (news !== undefined) {
    const time = clockOf(looking.language, end.time!, end.zone, end.scheduled);
    const facts = [...news.facts, { fact, value: end.lateMinutes }];
    const more = time === undefined ? {} : { more: { key: 'arrives' as const, params: { time } } };
    return { ...departure, news: [{ ...news, facts, ...more }] };
  }
  const told = toldOf(looking.told, fact) ?? toldOf(looking.told, factOf(leg, 'departure'));
  return together(departure, arrivalOf(looking, leg, end, Number(told?.value ?? 0)));
}

function departureOf(looking: Looking, leg: Leg, start: Point): Found {
  const { told, rules, language, words, now } = looking;
  const late = start.lateMinutes;
  if (late === undefined || start.at === undefined) return NOTHING;
  const fact = factOf(leg, 'departure');
  const before = toldOf(told, fact);
  const was = Number(before?.value ?? 0);
  const by = leg.fields['start.estimated']?.by;
  if (byPerson(by)) return { news: [], known: [{ fact, value: late }] };
  const params = {
    leg: legName(language, leg),
    minutes: duration(language, late),
    time: clockOf(language, start.time!, start.zone, start.scheduled) ?? '',
    by: voiceOf(looking, by),
  };
  const about = { by, params, leg: leg.id, facts: [{ fact, value: late }] };
  const { minutes: earlyFirst = 5, stepMinutes: earlyStep = 5 } = rules.early;
  if (late <= -earlyFirst) {
    const certain = isCertain({ by, state: 'yes' }, words, leg, leavesBy(start));
    const again = certain ? {} : { dueAt: now + LOOK_AGAIN_MS };
    const isNews = was > -earlyFirst || Math.abs(late - was) >= earlyStep;
    const isSure = !isNews && certain && before?.certain === false;
    if (!isNews && !isSure) return { ...NOTHING, ...again };
    const key = isSure ? 'earlySure' : certain ? 'early' : 'earlyMaybe';
    return { news: [{ ...about, kind: 'early', severity: 'critical', certain, key }], known: [], ...again };
  }
  const certain = isVouched(by);
  if (was <= -earlyFirst)
    return { news: [{ ...about, kind: 'early', severity: 'warning', certain, key: 'earlyNot' }], known: [] };
  return lateness(rules.delay, late, was, {
    late: () => ({ ...about, kind: 'delay', severity: severityOf(late), certain, key: 'late' }),
    onTime: () => ({ ...about, kind: 'delay', severity: 'info', certain, key: 'onTime' }),
  });
}

function arrivalOf(looking: Looking, leg: Leg, end: Point, was: number): Found {
  const { language, rules } = looking;
  const late = end.lateMinutes!;
  const by = leg.fields['end.estimated']?.by;
  const fact = factOf(leg, 'arrival');
  if (byPerson(by)) return { news: [], known: [{ fact, value: late }] };
  const params = {
    leg: legName(language, leg),
    minutes: duration(language, late),
    time: clockOf(language, end.time!, end.zone, end.scheduled) ?? '',
  };
  const about = {
    by,
    params,
    leg: leg.id,
    facts: [{ fact, value: late }],
    kind: 'delay',
    certain: isVouched(by),
  } as const;
  return lateness(rules.delay, late, was, {
    late: () => ({ ...about, severity: severityOf(late), key: 'lateArrival' }),
    onTime: () => ({ ...about, severity: 'info', key: 'onTimeArrival' }),
  });
}

/** A delay is news from the first threshold on, then with each step up or down, and when it is gone. */
function lateness(
  { minutes: first = 15, stepMinutes: step = 15 }: { readonly minutes?: number; readonly stepMinutes?: number },
  late: number,
  was: number,
  make: { readonly late: () => News; readonly onTime: () => News },
): Found {
  if (late >= first) return was < first || Math.abs(late - was) >= step ? { news: [make.late()], known: [] } : NOTHING;
  return was >= first && was - late >= Math.min(step, was) ? { news: [make.onTime()], known: [] } : NOTHING;
}

function severityOf(late: number): News['severity'] {
  return late >= 120 ? 'critical' : 'warning';
}

function voiceOf({ language }: Looking, by: Attribution | undefined): string {
  return by === undefined || by.authority === 'mail' ? language.words.someone : by.source.label;
}

/** Whether someone says that it leaves about as early as this, or earlier. */
function leavesBy(start: Point): (ofLeg: Facts) => Says {
  return (facts) => {
    const said = facts['start.estimated']?.value ?? facts['start.scheduled']?.value;
    const at = epochMsOf(said, start.zone);
    return at !== undefined && start.at !== undefined && at <= start.at + AGREE_MS ? 'yes' : 'no';
  };
}

/** The record holds the schedule as it was told, or known when the leg was first seen. */
function scheduleOf(looking: Looking, leg: Leg, isFirstLook: boolean): Found {
  const [start, end] = [endOf(looking, leg, 'start'), endOf(looking, leg, 'end')];
  const isKnown = (one: ScheduledEnd) => isFirstLook || one.isFirst || byPerson(one.by) || one.isFiner;
  const known = [start, end].flatMap((one) =>
    one !== undefined && isKnown(one) ? [{ fact: one.fact, value: one.scheduled, certain: true }] : [],
  );
  const silent: Found = { news: [], known };
  const moved = {
    start: start === undefined || isKnown(start) ? NOTHING : startMoved(looking, leg, start),
    end: end === undefined || isKnown(end) ? NOTHING : endMoved(looking, leg, end),
  };
  // A trip moved as a whole is one piece of news.
  const [first] = moved.start.news;
  const [second] = moved.end.news;
  if (first === undefined || second === undefined) return together(silent, moved.start, moved.end);
  const facts = [...first.facts, ...second.facts];
  const more = { more: { key: second.key, params: second.params } };
  return { ...moved.start, news: [{ ...first, facts, ...more }] };
}

interface ScheduledEnd {
  readonly side: 'start' | 'end';
  readonly fact: string;
  readonly scheduled: string;
  readonly before: string;
  readonly point: Point;
  readonly by: Attribution | undefined;
  readonly movedMinutes: number;
  readonly isFirst: boolean;
  /** Nothing moved: the hour or the zone became known. */
  readonly isFiner: boolean;
  readonly wasCertain: boolean;
}

function endOf({ told }: Looking, leg: Leg, side: 'start' | 'end'): ScheduledEnd | undefined {
  const scheduled = textOf(leg.fields, `${side}.scheduled`);
  if (scheduled === undefined) return undefined;
  const fact = factOf(leg, side === 'start' ? 'scheduled' : 'scheduled-end');
  const held = toldOf(told, fact);
  const before = typeof held?.value === 'string' ? held.value : undefined;
  const point = pointOf(leg, side);
  const isFiner = before !== undefined && scheduled !== before && isSameWall(before, scheduled);
  return {
    ...{ side, fact, scheduled, point, isFiner },
    before: before ?? scheduled,
    by: leg.fields[`${side}.scheduled`]?.by,
    movedMinutes: before === undefined || isFiner ? 0 : minutesBetween(before, scheduled, point.zone),
    isFirst: before === undefined,
    wasCertain: held?.certain !== false,
  };
}

function startMoved(looking: Looking, leg: Leg, one: ScheduledEnd): Found {
  const { rules, words, now } = looking;
  if (!TRANSPORT_KINDS.includes(leg.kind)) return alteredTime(looking, leg, one, 'begins');
  const isEarlier = one.movedMinutes <= -(rules.early.minutes ?? 5);
  const isLater = one.movedMinutes >= (rules.schedule.minutes ?? 10);
  const certain = isCertain(
    { by: one.by, state: 'yes' },
    words,
    leg,
    leavesBy({ ...one.point, at: epochMsOf(one.scheduled, one.point.zone) }),
  );
  const isSure = one.movedMinutes === 0 && !one.wasCertain && certain;
  if (!isEarlier && !isLater && !isSure) return one.wasCertain ? NOTHING : { ...NOTHING, dueAt: now + LOOK_AGAIN_MS };
  const isGrave = isEarlier || isSure;
  const key = isSure ? 'scheduledSure' : isEarlier && !certain ? 'scheduledMaybe' : 'scheduled';
  const found: Found = {
    news: [
      {
        ...aboutTime(looking, leg, one),
        kind: isGrave ? 'early' : 'schedule',
        severity: isGrave ? 'critical' : 'warning',
        certain: isGrave ? certain : isVouched(one.by),
        key,
      },
    ],
    known: [],
  };
  return isGrave && !certain ? { ...found, dueAt: now + LOOK_AGAIN_MS } : found;
}

function endMoved(looking: Looking, leg: Leg, one: ScheduledEnd): Found {
  if (!TRANSPORT_KINDS.includes(leg.kind)) return alteredTime(looking, leg, one, 'ends');
  if (Math.abs(one.movedMinutes) < (looking.rules.schedule.minutes ?? 10)) return NOTHING;
  const about = aboutTime(looking, leg, one);
  const news: News = {
    ...about,
    kind: 'schedule',
    severity: 'warning',
    certain: isVouched(one.by),
    key: 'scheduledArrival',
  };
  return { news: [news], known: [] };
}

function alteredTime(looking: Looking, leg: Leg, one: ScheduledEnd, key: 'begins' | 'ends'): Found {
  if (Math.abs(one.movedMinutes) < (looking.rules.altered.minutes ?? 30)) return NOTHING;
  const about = aboutTime(looking, leg, one);
  return { news: [{ ...about, kind: 'altered', severity: 'warning', certain: isVouched(one.by), key }], known: [] };
}

function aboutTime(looking: Looking, leg: Leg, one: ScheduledEnd) {
  const { language } = looking;
  const { zone } = one.point;
  return {
    by: one.by,
    leg: leg.id,
    facts: [{ fact: one.fact, value: one.scheduled }],
    params: {
      leg: legName(language, leg),
      time: clockOf(language, one.scheduled, zone, one.before) ?? one.scheduled,
      before: clockOf(language, one.before, zone, one.scheduled) ?? one.before,
      by: voiceOf(looking, one.by),
    },
  };
}

function isSameWall(before: string, now: string): boolean {
  const [a, b] = [before.slice(0, 16), now.slice(0, 16)];
  return a === b || (before.length === 10 && now.startsWith(before)) || (now.length === 10 && before.startsWith(now));
}

/** Minutes from one time to another of the same place; by the wall clock where no zone is known. */
function minutesBetween(before: string, now: string, zone: string | undefined): number {
  const at = (text: string) => epochMsOf(text.length === 10 ? `${text}T00:00` : text, zone ?? 'UTC');
  const [from, to] = [at(before), at(now)];
  return from === undefined || to === undefined ? 0 : Math.round((to - from) / MINUTE);
}
