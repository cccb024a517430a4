import type { Answer } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, PushRequest, PushState, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { answerDigest, instantOf } from '../answer.ts';
import { sameId } from '../booking/answer.ts';
import { flightBase } from '../booking/subjects.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { createDuffelApi } from './api.ts';
import { orderAnswer } from './order.ts';
import { carAnswer, stayAnswer } from './places.ts';
import {
  type AirlineChange,
  carSchema,
  changeSchema,
  type Order,
  orderSchema,
  registeredSchema,
  type Stay,
  staySchema,
} from './schema.ts';
import { subjectsOf } from './subjects.ts';
import { receivePush } from './webhook.ts';

/** Bookings made through Duffel: flights, stays, cars. Signed webhooks wake a check. */
export const DUFFEL_URL = 'https://api.duffel.com';

export interface DuffelOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly token: string;
  readonly clock: Clock;
  readonly url?: string;
  /** Without it, pushes are not taken. */
  readonly webhookSecret?: string;
  readonly http?: ProviderHttp;
}

/** A cancelled booking stays cancelled: so long after, it is asked no more. */
const FINAL_AFTER_MS = 24 * 3_600_000;
/** The list of stays can only be read as a whole: one reading serves all look-ups for so long. */
const STAYS_KEPT_MS = 10 * 60_000;

export function createDuffelConnector(options: DuffelOptions): ProviderConnector {
  const { account, clock, webhookSecret } = options;
  const http = options.http ?? createProviderHttp({ clock });
  const api = createDuffelApi(http, (options.url ?? DUFFEL_URL).replace(/\/+$/, ''), options.token);
  let stays: { readonly at: number; readonly list: readonly Stay[] } | undefined;

  const found = (answer: Answer, cancelledAt: string | null | undefined): ReadResult => {
    const since = instantOf(cancelledAt);
    const final = since !== undefined && clock.now() > Date.parse(since) + FINAL_AFTER_MS;
    return { kind: 'found', digest: answerDigest(answer), answer, final };
  };
  const now = () => isoInstant(clock.now());

  async function readOrder(id: string, signal: AbortSignal): Promise<ReadResult> {
    const order = await api.one(`/air/orders/${encodeURIComponent(id)}`, orderSchema, signal);
    if (order === undefined) return { kind: 'absent' };
    if (order.id !== id) throw other();
    return found(orderAnswer(order, await changesOf(order, signal), account, now()), order.cancelled_at);
  }

  /** The changes stand in the order; where only their ids do, or nothing at all, the list has them. */
  async function changesOf(order: Order, signal: AbortSignal): Promise<readonly AirlineChange[]> {
    const embedded = order.airline_initiated_changes;
    const whole = (embedded ?? []).map((one) => changeSchema.safeParse(one));
    if (embedded && whole.every((one) => one.success)) return whole.flatMap((one) => (one.success ? [one.data] : []));
    const listed = await api.list('/air/airline_initiated_changes', { order_id: order.id }, changeSchema, signal);
    return listed.filter((one) => (one.order_id ?? order.id) === order.id);
  }

  async function lookUpOrder({ query }: SubjectSpec, signal: AbortSignal): Promise<ReadResult> {
    const reference = query.reference ?? '';
    const orders = await api.list('/air/orders', { booking_reference: reference }, orderSchema, signal);
    const flights = new Set((query.flights ?? '').split(' ').filter(Boolean));
    for (const order of orders) {
      if (!sameId(order.booking_reference, reference)) continue;
      const answer = orderAnswer(order, await changesOf(order, signal), account, now());
      // A reference used again for other flights is another booking.
      const shared = answer.legs.some((leg) => leg.keys.some((key) => flights.has(flightBase(key) ?? '')));
      if (shared) return found(answer, order.cancelled_at);
    }
    return { kind: 'absent' };
  }

  async function lookUpStay({ query }: SubjectSpec, signal: AbortSignal): Promise<ReadResult> {
    const at = clock.now();
    if (stays === undefined || at - stays.at > STAYS_KEPT_MS || at < stays.at)
      stays = { at, list: await api.list('/stays/bookings', {}, staySchema, signal) };
    const stay = stays.list.find(
      (one) => sameId(one.reference, query.reference ?? '') && one.check_in_date === query.day,
    );
    return stay === undefined
      ? { kind: 'absent' }
      : found(stayAnswer(stay, account, isoInstant(stays.at)), stay.cancelled_at);
  }

  async function readStay(id: string, signal: AbortSignal): Promise<ReadResult> {
    const stay = await api.one(`/stays/bookings/${encodeURIComponent(id)}`, staySchema, signal);
    if (stay === undefined) return { kind: 'absent' };
    if (stay.id !== id) throw other();
    return found(stayAnswer(stay, account, now()), stay.cancelled_at);
  }

  async function readCar(id: string, signal: AbortSignal): Promise<ReadResult> {
    const car = await api.one(`/cars/bookings/${encodeURIComponent(id)}`, carSchema, signal);
    if (car === undefined) return { kind: 'absent' };
    if (car.id !== id) throw other();
    return found(carAnswer(car, account, now()), car.cancelled_at);
  }

  /** Only looked at: whoever makes a webhook gets its secret, which the configuration must hold. */
  async function renewPush(url: string, signal: AbortSignal): Promise<PushState> {
    const registered = (await api.list('/air/webhooks', {}, registeredSchema, signal)).filter((one) => one.url === url);
    if (registered.some((one) => one.active)) return { kind: 'active' };
    const reason =
      registered.length === 0
        ? `there is no webhook for ${url}; make one at Duffel and put its secret into webhookSecret`
        : `the webhook for ${url} is switched off at Duffel; switch it on`;
    return { kind: 'missing', reason };
  }

  return {
    name: 'duffel',
    label: 'Duffel',
    capabilities: { covers: ['booking'], readOne: true, ...(webhookSecret === undefined ? {} : { push: 'signed' }) },
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
    subjectsOf: (reservation) => subjectsOf(reservation, account),
    readOne: async (subject, signal) => {
      const { thing, id = '' } = subject.query;
      switch (thing) {
        case 'order':
          return readOrder(id, signal);
        case 'car':
          return readCar(id, signal);
        case 'order-reference':
          return lookUpOrder(subject, signal);
        case 'stay-reference':
          return lookUpStay(subject, signal);
        case 'stay': {
          const stay = await readStay(id, signal);
          // An id alone does not always tell a stay from a car.
          return stay.kind === 'absent' && id.startsWith('bok_') ? readCar(id, signal) : stay;
        }
        default:
          throw new TripwatchError('defect', 'subject-incomplete', `Subject ${subject.id} does not say what to ask.`);
      }
    },
    ...(webhookSecret === undefined
      ? {}
      : { renewPush, receivePush: (request: PushRequest) => receivePush(request, webhookSecret) }),
  };
}

function other(): TripwatchError {
  return new TripwatchError(
    'permanent',
    'provider-answered-other',
    'The provider answered with another booking than the one asked about; the answer was not used.',
  );
}
