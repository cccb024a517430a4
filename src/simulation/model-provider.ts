import { createAeroDataBoxConnector } from '../adapters/provider/aerodatabox/connector.ts';
import { FAILURES, failureOfStatus } from '../adapters/provider/http/failures.ts';
import type { ProviderHttp, ProviderResponse } from '../adapters/provider/http/http.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { ProviderConnector } from '../ports/provider.ts';
import { aeroDataBox } from '../sandbox/providers/aerodatabox.ts';
import type { Call, Reply } from '../sandbox/providers/fake.ts';
import { type Rng, rng } from '../sandbox/random.ts';
import { HOUR, MINUTE, type Scenario } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import { inside, type Plan } from './plan.ts';
import { ACCOUNT } from './process.ts';
import { withPushes } from './provider-pushes.ts';
import type { Scheduler } from './scheduler.ts';

const KEY = 'simulated';
/** A question that takes longer is given up (the real connection does so after 15 s). */
const DEADLINE_MS = 15_000;

export interface ModelProvider {
  /** The real connector, for one life, on a line to the model. */
  connector(life: Life): ProviderConnector;
}

/**
 * A flight-status provider: the sandbox's vendor, which answers from the truth of the day, behind a line with walls
 * (429), outages, slow, wrong and old answers. The connector is the real one; only its HTTP is replaced.
 */
export function modelProvider(options: {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly draw: Rng;
  readonly history: History;
  readonly healed: () => boolean;
}): ModelProvider {
  const { scenario, plan, scheduler, draw, history } = options;
  const vendor = aeroDataBox(scenario, KEY);
  const lately: number[] = [];
  let toldAnyone: number | undefined;

  function reply(url: URL, headers: Readonly<Record<string, string>>, at: number): Reply {
    const call: Call = {
      method: 'GET',
      path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
      query: url.searchParams,
      headers,
      body: undefined,
      text: '',
      at,
      noise: rng(plan.seed, 'noise', history.calls.length),
    };
    return vendor.refuse(call) ?? vendor.route(call)?.answer() ?? vendor.notFound(call);
  }

  const trouble = (from: number, to: number): void => void history.troubles.push({ from, to });

  /** How much of a flight's story lies behind. */
  function stateOf(about: string, at: number): number {
    const named = scenario.flights.find(
      (one) =>
        about === `${one.carrier}${one.number}/${one.day}` ||
        about === `${one.codeshare?.carrier}${one.codeshare?.number}/${one.day}`,
    );
    return named?.steps.filter((step) => step.at <= at).length ?? -1;
  }

  /** What the provider does to a call now. */
  function mood(now: number): 'wall' | 'outage' | 'fail' | 'slow' | 'other' | 'garbage' | 'stale' | 'well' {
    if (options.healed()) return 'well';
    const { walls, outages, slow, fail, other, garbage, stale, callsPerMinuteMax } = plan.provider;
    const since = now - scheduler.startAt;
    while ((lately[0] ?? now) <= now - MINUTE) lately.shift();
    if (inside(walls, since) || lately.length > callsPerMinuteMax) return 'wall';
    if (inside(outages, since)) return 'outage';
    const number = draw.number();
    const parts = [
      ['slow', slow],
      ['fail', fail],
      ['other', other],
      ['garbage', garbage],
      ['stale', stale],
    ] as const;
    let below = 0;
    for (const [name, share] of parts) {
      below += share;
      if (number < below) return name;
    }
    return 'well';
  }

  function httpOf(life: Life): ProviderHttp {
    let told: number | undefined;
    const ask = async (request: Parameters<ProviderHttp['ask']>[0], signal: AbortSignal): Promise<ProviderResponse> => {
      const url = new URL(request.url);
      const askedAt = scheduler.now;
      const about = url.pathname.split('/').slice(-2).join('/');
      history.calls.push({ at: askedAt, life: life.number, about, toldToWaitTo: told, anyoneToldTo: toldAnyone });
      await life.point('provider: before');
      lately.push(askedAt);
      const state = mood(askedAt);
      scheduler.note(`provider: asked about ${about}${state === 'well' ? '' : ` → ${state}`}`);
      const wait = state === 'slow' || state === 'outage' ? DEADLINE_MS : 50 + draw.number() * 2000;
      await life.clock.sleep(wait, signal);
      await life.point('provider: after');
      if (state === 'slow' || state === 'outage') trouble(askedAt, scheduler.now);
      if (state === 'slow') throw new TripwatchError('transient', 'provider-timeout', 'No whole answer in time.');
      if (state === 'outage') throw new TripwatchError('transient', 'provider-unreachable', 'The line is cut.');
      const now = scheduler.now;
      if (state !== 'well' && state !== 'wall') trouble(askedAt, now);
      if (state === 'wall') {
        // Some walls name no time.
        const seconds = draw.chance(0.8) ? draw.int(5, 600) : undefined;
        const headers: Record<string, string> = seconds === undefined ? {} : { 'retry-after': String(seconds) };
        if (seconds !== undefined) {
          // By the provider's clock, which is right; the process may have another.
          told = Math.max(told ?? 0, Math.trunc(now) + seconds * 1000);
          toldAnyone = Math.max(toldAnyone ?? 0, told);
        }
        trouble(askedAt, Math.max(now, told ?? 0));
        throw failureOfStatus(429, headers, life.clock.now());
      }
      if (state === 'fail') throw failureOfStatus(503, {}, now);
      if (state === 'garbage') return { status: 200, json: { hello: 'world' }, headers: {} };
      const made = reply(url, request.headers, state === 'stale' ? now - 3 * HOUR : now);
      if (state !== 'other')
        for (const one of [about, ...onBoard(made.body)])
          history.answers.push({ at: now, askedAt, about: one, state: stateOf(one, now) });
      if (request.also?.includes(made.status)) return { status: made.status, json: undefined, headers: {} };
      if (made.status !== 200) throw failureOfStatus(made.status, {}, now, FAILURES.failed);
      return { status: 200, json: state === 'other' ? otherFlight(made.body) : made.body, headers: {} };
    };
    return { ask: (request, signal) => life.reach(ask(request, signal)), close: async () => {} };
  }

  return {
    connector: (life) => {
      const connector = createAeroDataBoxConnector({
        ...{ account: ACCOUNT, key: KEY, clock: life.clock },
        http: httpOf(life),
      });
      return plan.pushes === undefined ? connector : withPushes(connector);
    },
  };
}

interface Listed {
  readonly number: string;
  readonly departure: { readonly scheduledTime: { readonly local: string } };
}

/** A board answers about everything on it: each as it would be asked about alone. */
function onBoard(body: unknown): readonly string[] {
  const { departures = [] } = (body ?? {}) as { readonly departures?: readonly Listed[] };
  return departures.map(
    ({ number, departure }) => `${number.replace(' ', '')}/${departure.scheduledTime.local.slice(0, 10)}`,
  );
}

/** A right-looking answer about another flight. */
function otherFlight(body: unknown): unknown {
  const other = (items: readonly object[]) => items.map((item) => ({ ...item, number: 'ZZ 1' }));
  if (Array.isArray(body)) return other(body);
  const { departures } = (body ?? {}) as { readonly departures?: readonly object[] };
  return departures === undefined ? body : { departures: other(departures), arrivals: [] };
}
