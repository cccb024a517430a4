import { createHash } from 'node:crypto';
import { zoned } from '../scenario/time.ts';
import { type Station, type Call as StopCall, type Train, trainAt, trainsOf } from '../scenario/trains.ts';
import { HOUR, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * MOTIS as Transitous serves it: no key, but who does not say who asks is refused. Stations under names of the
 * timetables, numbers printed in as many ways as there are feeds, the same train once for each feed (one of them
 * without real time), local traffic that fills a board asked for without modes, and ids that change when a timetable is
 * loaded anew.
 */
const REAL_TIME_BEFORE_MS = 24 * HOUR;

export function motis(scenario: Scenario): Vendor {
  const trains = trainsOf(scenario);
  const stations = new Map(trains.flatMap((train) => train.calls.map((one) => [one.station.id, one.station] as const)));

  /** At noon the timetables are loaded anew. */
  const loaded = (at: number): string => (at < scenario.options.startAt + 12 * HOUR ? 'a' : 'b');
  const tripIdOf = (train: Train, at: number, feed = 'own'): string =>
    `${loaded(at)}_${feed}_${createHash('sha256')
      .update(`${loaded(at)} ${feed} ${train.id}`)
      .digest('hex')
      .slice(0, 10)}`;

  function geocode(call: Call): Reply {
    const text = call.query.get('text');
    if (!text) return failed(400, 'text is needed');
    const words = plain(text).split(' ');
    const scored = [...stations.values()].map((one) => ({
      one,
      score: words.filter((word) => plain(one.name).includes(word) || plain(one.printed).includes(word)).length,
    }));
    const found = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
    const street = {
      type: 'ADDRESS',
      name: `${text} Street`,
      id: 'osm_1',
      lat: 1,
      lon: 1,
      tokens: [],
      areas: [],
      score: 9,
    };
    const matches = found.map(({ one, score }) => ({
      ...placeOf(one),
      type: 'STOP',
      id: one.id,
      tokens: [],
      areas: [],
      score,
    }));
    return { status: 200, body: call.query.get('type') === 'STOP' ? matches : [street, ...matches] };
  }

  function board(call: Call): Reply {
    const station = stations.get(call.query.get('stopId') ?? '');
    if (station === undefined) return failed(404, 'stop not found');
    const from = Date.parse(call.query.get('time') ?? '');
    const seconds = Number(call.query.get('window') ?? '0');
    if (!Number.isFinite(from) || !(seconds >= 0)) return failed(400, 'time and window must be readable');
    const planned = call.query.get('realtimeMode') === 'REALTIME_ANNOTATION_ONLY';
    const entries = trains.flatMap((train) => {
      const index = train.calls.findIndex((one) => one.station.id === station.id && one.departure !== undefined);
      if (index < 0) return [];
      const { movedMs, delayMs } = trainAt(train, call.at);
      const at = train.calls[index]!.departure! + movedMs + (planned ? 0 : delayMs);
      if (at < from || at > from + seconds * 1000) return [];
      const other = { ...entry(train, index, call, 'other'), realTime: false };
      return call.noise.chance(0.3) ? [other, entry(train, index, call, 'own')] : [entry(train, index, call, 'own')];
    });
    const trams = call.query.get('mode') === null ? Array.from({ length: 300 }, (_, i) => tram(station, from, i)) : [];
    const body = {
      stopTimes: [...trams, ...entries],
      place: placeOf(station),
      previousPageCursor: '',
      nextPageCursor: '',
    };
    return { status: 200, body };
  }

  function entry(train: Train, index: number, call: Call, feed: string): Record<string, unknown> {
    const { cancelled } = trainAt(train, call.at);
    return {
      place: stopOf(train, index, call.at),
      mode: call.noise.chance(0.1) ? 'HYPERLOOP' : 'HIGHSPEED_RAIL',
      realTime: realTime(train, call.at),
      headsign: train.calls.at(-1)!.station.name,
      agencyName: train.agency,
      tripId: tripIdOf(train, call.at, feed),
      cancelled,
      tripCancelled: cancelled,
      ...printedOf(train, feed),
    };
  }

  function trip(call: Call): Reply {
    const id = call.query.get('tripId') ?? '';
    const train = trains.find((one) => ['own', 'other'].some((feed) => tripIdOf(one, call.at, feed) === id));
    if (train === undefined) return failed(404, 'trip not found');
    return { status: 200, body: itinerary(train, call, id) };
  }

  function itinerary(train: Train, call: Call, id: string): Record<string, unknown> {
    const stops = train.calls.map((_, i) => stopOf(train, i, call.at));
    const own = id.split('_')[1] ?? 'own';
    const leg = {
      mode: 'HIGHSPEED_RAIL',
      from: stops[0],
      to: stops.at(-1),
      intermediateStops: stops.slice(1, -1),
      realTime: own === 'own' && realTime(train, call.at),
      scheduled: true,
      cancelled: trainAt(train, call.at).cancelled,
      agencyName: train.agency,
      tripId: id,
      legGeometry: { points: '', precision: 6, length: 0 },
      ...printedOf(train, own),
      ...(call.noise.chance(0.2) ? { alerts: [{ headerText: 'Words' }], bikesAllowed: false } : {}),
    };
    return { duration: 0, transfers: 0, id: 'x', legs: [leg] };
  }

  function route(call: Call): Route | undefined {
    if (call.method !== 'GET') return undefined;
    switch (call.path.join('/')) {
      case 'api/v1/geocode':
        return {
          endpoint: 'GET /api/v1/geocode',
          identifier: call.query.get('text') ?? '',
          answer: () => geocode(call),
        };
      case 'api/v6/stoptimes':
        return {
          endpoint: 'GET /api/v6/stoptimes',
          identifier: call.query.get('stopId') ?? '',
          answer: () => board(call),
        };
      case 'api/v6/trip': {
        const id = call.query.get('tripId') ?? '';
        const other = () => ({
          status: 200,
          body: itinerary(trains.find((one) => tripIdOf(one, call.at) !== id)!, call, id),
        });
        return { endpoint: 'GET /api/v6/trip', identifier: id, answer: () => trip(call), other };
      }
      default:
        return undefined;
    }
  }

  return {
    name: 'motis',
    refuse: (call) =>
      /@|https?:/.test(call.headers['user-agent'] ?? '') ? undefined : failed(403, 'say who you are in User-Agent'),
    route,
    notFound: () => failed(404, 'no such path'),
    tooMany: (call, freeAt) => ({
      status: 429,
      headers: { 'retry-after': String(Math.max(1, Math.ceil((freeAt - call.at) / 1000))) },
      text: { type: 'text/html', body: '<html>429 Too Many Requests</html>' },
    }),
    failing: (call) => call.noise.pick([failed(500, 'internal error'), { status: 502 }]),
    headers: () => ({}),
  };
}

function realTime(train: Train, at: number): boolean {
  return at > train.calls[0]!.departure! - REAL_TIME_BEFORE_MS;
}

function stopOf(train: Train, index: number, at: number): Record<string, unknown> {
  const one = train.calls[index]!;
  const state = trainAt(train, at);
  const real = realTime(train, at) ? state.delayMs : 0;
  const times = (side: 'arrival' | 'departure', plan: number | undefined) =>
    plan === undefined
      ? {}
      : {
          [side === 'arrival' ? 'scheduledArrival' : 'scheduledDeparture']: iso(plan + state.movedMs),
          [side]: iso(plan + state.movedMs + real),
        };
  return {
    ...placeOf(one.station),
    ...times('arrival', one.arrival),
    ...times('departure', one.departure),
    scheduledTrack: one.track,
    track: trackAt(train, index, at),
    cancelled: callCancelled(train, index, at),
  };
}

export function trackAt(train: Train, index: number, at: number): string {
  const { track } = trainAt(train, at);
  return track?.call === index ? track.to : train.calls[index]!.track;
}

/** Of a train that ends early, the calls that are left out. */
export function callCancelled(train: Train, index: number, at: number): boolean {
  const { cancelled, endsBefore } = trainAt(train, at);
  return cancelled || (endsBefore !== undefined && index >= endsBefore);
}

function placeOf({ id, name, zone }: Station | StopCall['station']): Record<string, unknown> {
  return { name, stopId: id, lat: 50, lon: 8, level: 0, tz: zone, vertexType: 'TRANSIT' };
}

/** Each feed has its own way. */
function printedOf({ kind, number }: Train, feed: string): Record<string, string> {
  if (feed === 'other')
    return { displayName: `${kind} ${number}`, routeShortName: kind, tripShortName: number.padStart(6, '0') };
  return { displayName: `${kind} ${number}`, routeShortName: '77', tripShortName: `${kind} ${number}` };
}

function tram(at: Station, from: number, i: number): Record<string, unknown> {
  const time = iso(from + i * 1000);
  const place = { ...placeOf(at), scheduledDeparture: time, departure: time };
  return {
    place,
    mode: 'TRAM',
    realTime: true,
    tripId: `tram_${i}`,
    displayName: String(i % 20),
    routeShortName: String(i % 20),
  };
}

function iso(at: number): string {
  return zoned(at, 'UTC').toInstant().toString({ smallestUnit: 'second' });
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function failed(status: number, error: string): Reply {
  return { status, body: { error } };
}
