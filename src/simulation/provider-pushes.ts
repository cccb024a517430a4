import { createHmac } from 'node:crypto';
import { flightKeys } from '../adapters/provider/flight-status/asked.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { ProviderConnector, PushRequest, PushVerdict } from '../ports/provider.ts';
import type { Subject } from '../ports/store/subjects.ts';
import type { Rng } from '../sandbox/random.ts';
import { type Flight, MINUTE, type Scenario } from '../sandbox/scenario/types.ts';
import { subjectIdOf } from '../stages/track/subject.ts';
import type { History, ProviderPush } from './history.ts';
import type { Running } from './node.ts';
import { type Plan, pushBoundMs } from './plan.ts';
import { ACCOUNT } from './process.ts';
import type { Scheduler } from './scheduler.ts';

const SECRET = 'pushed';
const FORGERS = 'guessed';
const PUSH_MS_MAX = 500;
const LATE_MS_MAX = 30 * MINUTE;
/** Real ms between two attempts of the provider to be heard, and how many it makes. */
const AGAIN_MS = 1000;
const ATTEMPTS_MAX = 3;

interface Pushed {
  readonly id: string;
  /** Ids of specs: the flight under each of its names. */
  readonly flights: readonly string[];
}

/** Signed by the provider, or by somebody who would like to be it. */
function signed(pushed: Pushed, secret: string, receivedAt: number): PushRequest {
  const body = Buffer.from(JSON.stringify(pushed));
  return { headers: { 'x-signature': signatureOf(body, secret) }, body, receivedAt };
}

function signatureOf(body: Uint8Array, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** A connector whose provider pushes, with a signature. */
export function withPushes(connector: ProviderConnector): ProviderConnector {
  return {
    ...connector,
    capabilities: { ...connector.capabilities, push: 'signed' },
    receivePush: ({ headers, body }): PushVerdict => {
      if (headers['x-signature'] !== signatureOf(body, SECRET))
        return { kind: 'refused', code: 'push-signature', message: 'The signature does not fit.' };
      const { id, flights } = JSON.parse(Buffer.from(body).toString()) as Pushed;
      return { kind: 'hint', pushId: id, wakes: flights };
    },
  };
}

export interface ProviderPushesParts {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly draw: Rng;
  /** Without faults: for looking who is followed. */
  readonly store: SqlStore;
  readonly running: () => readonly Running[];
  readonly healed: () => boolean;
}

/**
 * The flight-status provider calls us when the truth of a flight that somebody follows changes: to whichever process the
 * line leads, late, twice or not at all; strangers call, too. Where it is not heard it tries again, a few times.
 */
export function startProviderPushes(parts: ProviderPushesParts): void {
  const { scenario, plan, scheduler, draw } = parts;
  const { pushes } = plan;
  if (pushes === undefined) return;
  for (const flight of scenario.flights)
    for (const [index, { at }] of flight.steps.entries())
      scheduler.after(Math.max(0, at - scheduler.startAt), 'flight changes', () => {
        if (at < scheduler.startAt) return;
        const faulty = !parts.healed();
        if (faulty && draw.chance(pushes.loss)) return;
        const late = faulty && draw.chance(pushes.late);
        const copies = faulty && draw.chance(pushes.twice) ? 2 : 1;
        for (let copy = 0; copy < copies; copy++)
          send(parts, flight, `${flight.id}/${index}`, { msMax: late || copy > 0 ? LATE_MS_MAX : PUSH_MS_MAX });
      });
  for (const at of pushes.forgeries)
    scheduler.after(at, 'forged push', () =>
      send(parts, draw.pick(scenario.flights), `forged/${at}`, { msMax: PUSH_MS_MAX, forged: true }),
    );
}

interface Way {
  readonly msMax: number;
  readonly forged?: boolean;
  readonly attempt?: number;
}

function send(parts: ProviderPushesParts, flight: Flight, id: string, way: Way): void {
  const { scheduler, draw } = parts;
  scheduler.after(draw.number() * way.msMax, 'provider push', () =>
    arrive(parts, flight, id, way).catch((error) => failed(parts, error)),
  );
}

async function arrive(parts: ProviderPushesParts, flight: Flight, id: string, way: Way): Promise<void> {
  const { scheduler, draw, history, running, plan } = parts;
  const { codeshare, day, from } = flight;
  const flights = flightKeys([flight, codeshare], day, [from, undefined]);
  const about = await followed(parts, flights);
  const processes = running();
  // What nobody follows is not subscribed to.
  if (processes.length === 0 || about.length === 0) return;
  const { life, process } = draw.pick(processes);
  const forged = way.forged === true;
  const push: ProviderPush = { id, forged, from: scheduler.now, life: life.number, about: about.map(aboutOf) };
  history.providerPushes.push(push);
  await life.turn();
  await life.point('provider push: before');
  try {
    const request = signed({ id, flights }, forged ? FORGERS : SECRET, Math.trunc(life.clock.now()));
    const answer = await life.reach(process.providerPushes(ACCOUNT, request));
    push.at = scheduler.now;
    push.verdict = answer?.kind ?? 'none';
    scheduler.note(`provider push: ${id} ${push.verdict} by ${life.number}`);
    scheduler.after(pushBoundMs(plan), 'look after a push', () =>
      followed(parts, flights).then(
        (still) => {
          push.still = still.map(aboutOf);
        },
        (error) => failed(parts, error),
      ),
    );
  } catch (error) {
    scheduler.note(`provider push: ${id} not taken by ${life.number}: ${String(error)}`);
    const attempt = (way.attempt ?? 1) + 1;
    if (attempt > ATTEMPTS_MAX) return;
    send(parts, flight, id, { ...way, attempt, msMax: AGAIN_MS * scheduler.speed });
  }
}

/** The run itself could not go on, as when somebody holds the store. */
function failed({ history }: ProviderPushesParts, error: unknown): void {
  history.faults.push({ invariant: 'I16', message: `a push of the provider broke off: ${String(error)}` });
}

async function followed({ store, scheduler }: ProviderPushesParts, flights: readonly string[]) {
  const subjects = await store.read((tx) => tx.subjects.some(flights.map((one) => subjectIdOf(ACCOUNT, one))));
  return subjects.filter(({ state, spec }) => state === 'active' && spec.fromAt <= scheduler.now - MINUTE);
}

function aboutOf({ id, spec }: Subject): ProviderPush['about'][number] {
  const { carrier, number, day } = spec.query;
  return { subject: id, flight: `${carrier}${number}/${day}` };
}
