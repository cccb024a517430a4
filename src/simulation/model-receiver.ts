import { TripwatchError } from '../domain/errors.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import type { Rng } from '../sandbox/random.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import { inside, type Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** A receiver that hangs is given up after this long (as the real sender does). */
const TIMEOUT_MS = 20_000;

/** Receivers of webhooks: well, failing, busy with a Retry-After, hanging, or deaf after having done their work. */
export function modelReceiver(options: {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly draw: Rng;
  readonly history: History;
  readonly healed: () => boolean;
}): (life: Life) => Pick<WebhookPost, 'post'> {
  const { plan, scheduler, draw, history } = options;

  function mood(now: number): 'well' | 'fail' | 'busy' | 'hang' | 'lost' {
    if (options.healed()) return 'well';
    const { fail, busy, hang, lost, outages } = plan.receiver;
    if (inside(outages, now - scheduler.startAt)) return 'fail';
    const number = draw.number();
    if (number < fail) return 'fail';
    if (number < fail + busy) return 'busy';
    if (number < fail + busy + hang) return 'hang';
    return number < fail + busy + hang + lost ? 'lost' : 'well';
  }

  return (life) => {
    const send: WebhookPost['post'] = async (request, signal) => {
      await life.point('receiver: before');
      const state = mood(scheduler.now);
      const id = request.headers['webhook-id'] ?? '';
      const taken = state === 'well' || state === 'lost';
      scheduler.note(`webhook: ${id.slice(0, 12)} → ${request.url.slice(-1)} ${state}`);
      await life.point('receiver: before');
      history.posts.push({
        at: scheduler.now,
        life: life.number,
        awakeSince: life.lastPause.to,
        url: request.url,
        id,
        body: request.body,
        taken,
      });
      await life.clock.sleep(state === 'hang' || state === 'lost' ? TIMEOUT_MS : 20 + draw.number() * 3000, signal);
      await life.point('receiver: after');
      if (state === 'hang' || state === 'lost')
        throw new TripwatchError('transient', 'webhook-timeout', 'The receiver did not answer in time.');
      if (state === 'fail') return { status: 500, retryAfter: undefined };
      if (state === 'busy') return { status: 503, retryAfter: draw.chance(0.5) ? String(draw.int(1, 120)) : undefined };
      return { status: 204, retryAfter: undefined };
    };
    return { post: (request, signal) => life.reach(send(request, signal)) };
  };
}
