import { fold } from '../../../domain/facts.ts';

/** Whether two texts name one station, or one train: timetables of different countries write both in many ways. */

/** Words that stations have and mails leave out, or write in another way. */
const WORDS: Readonly<Record<string, string>> = {
  hauptbahnhof: 'hbf',
  centraal: 'central',
  centrale: 'central',
  centralstation: 'central',
  saint: 'st',
  sankt: 'st',
  intl: 'international',
};
/** Kinds of traffic and plain words for a station say nothing of which one it is. */
const EMPTY = new Set([
  's',
  'u',
  'su',
  'bahnhof',
  'bf',
  'bhf',
  'station',
  'gare',
  'de',
  'railway',
  'stazione',
  'train',
]);

function wordsOf(name: string): ReadonlySet<string> {
  const words = name
    .replace(/[()[\],./+–-]+/g, ' ')
    .split(/\s+/)
    .map(fold)
    .map((word) => WORDS[word] ?? word)
    .filter((word) => word !== '');
  const telling = words.filter((word) => !EMPTY.has(word));
  return new Set(telling.length > 0 ? telling : words);
}

/**
 * `same`: the same words. `part`: one has all words of the other and more (`Paris Gare de Lyon Hall 1`, `Berlin` beside
 * `Berlin Südkreuz`): only something else, the minute of departure, can tell whether it is the same.
 */
export function likeStation(a: string, b: string): 'same' | 'part' | undefined {
  const [one, other] = [wordsOf(a), wordsOf(b)];
  if (one.size === 0 || other.size === 0) return undefined;
  if (one.isSubsetOf(other)) return other.size === one.size ? 'same' : 'part';
  return one.isSupersetOf(other) ? 'part' : undefined;
}

interface Number {
  /** `ice`; empty where none is printed. */
  readonly kind: string;
  readonly digits: string;
}

/** `ICE 512`, `ice0512`, `512`, `TGV INOUI 8532`. Undefined: there is no single number in it. */
export function trainNumber(text: string | null | undefined): Number | undefined {
  const [, kind = '', digits] = /^([^\d]*?)\s*0*(\d{1,6}[A-Za-z]?)$/.exec(text?.trim() ?? '') ?? [];
  return digits === undefined ? undefined : { kind: fold(kind), digits: digits.toLowerCase() };
}

export interface Printed {
  readonly displayName?: string | null | undefined;
  readonly tripShortName?: string | null | undefined;
  readonly routeShortName?: string | null | undefined;
}

/**
 * `number`: it is that train. `line`: only its line is called so, and more than one train is. Feeds put the number into
 * the trip's name, alone or after its kind, with zeros before it, and the kind into the route's.
 */
export function likeTrain(
  asked: string,
  { displayName, tripShortName, routeShortName }: Printed,
): 'number' | 'line' | undefined {
  const wanted = trainNumber(asked);
  if (wanted === undefined) return undefined;
  const trip = trainNumber(tripShortName);
  const route = routeShortName?.trim() ?? '';
  const split = trip?.kind === '' && !/\d/.test(route) ? { ...trip, kind: fold(route) } : trip;
  const fits = (found: Number | undefined): boolean =>
    found !== undefined && found.digits === wanted.digits && sameKind(found.kind, wanted.kind);
  if (fits(split)) return 'number';
  const shown = trainNumber(displayName);
  // A line's number is shown too; a trip that has a number of its own is that train only by it.
  if (fits(shown)) return tripShortName && trip !== undefined ? 'line' : 'number';
  return fits(trainNumber(route)) ? 'line' : undefined;
}

/** Long words are brands (`TGV INOUI`, `Frecciarossa`) that others shorten; short ones tell trains apart. */
function sameKind(a: string, b: string): boolean {
  return a === b || a === '' || b === '' || a.length > 4 || b.length > 4;
}
