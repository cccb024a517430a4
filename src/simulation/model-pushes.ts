import { ModelSubscriptions, pushOf } from '../adapters/mailbox/model/subscriptions.ts';
import type { MailboxId } from '../domain/ids.ts';
import type { Rng } from '../sandbox/random.ts';
import { MINUTE } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Running } from './node.ts';
import type { MailboxPlan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf } from './streams.ts';

/** How late a push may come, ms; an ordinary one. */
const LATE_MS_MAX = 30 * MINUTE;
const PUSH_MS_MAX = 500;

export interface ModelPushesOptions {
  readonly plan: MailboxPlan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly draw: Rng;
  readonly healed: () => boolean;
}

/**
 * A mail provider that calls us: its subscriptions run out, are lost and taken back; its pushes come late, twice or not
 * at all, to whichever process the line leads; and strangers send ones of their own.
 */
export class ModelPushes {
  readonly subscriptions: ModelSubscriptions;
  readonly #options: ModelPushesOptions;
  #running: () => readonly Running[] = () => [];

  constructor(options: ModelPushesOptions) {
    const { plan, scheduler, draw } = options;
    this.#options = options;
    this.subscriptions = new ModelSubscriptions({
      now: () => scheduler.now,
      random: randomOf(draw),
      lifeMs: plan.subscriptionMs,
    });
  }

  /** From now on happens what the plan says. `about`: what a notice of now would say of a mailbox. */
  start(running: () => readonly Running[], boxes: readonly MailboxId[], about: (box: MailboxId) => object): void {
    const { plan, scheduler, draw, healed } = this.#options;
    this.#running = running;
    for (const at of plan.lapses)
      scheduler.after(at, 'subscriptions end', () => {
        if (healed()) return;
        const box = draw.pick(boxes);
        const how = draw.pick(['lapse', 'subscriptionRemoved', 'reauthorizationRequired'] as const);
        scheduler.note(`mailbox: subscriptions of ${box}: ${how}`);
        if (how === 'lapse') this.subscriptions.lapse(box);
        else for (const body of this.subscriptions.end(box, how)) this.#send(body, false);
      });
    for (const at of plan.forgeries)
      scheduler.after(at, 'forged push', () => {
        const box = draw.pick(boxes);
        this.#send(this.subscriptions.forged(box, about(box)), true);
      });
  }

  /** Something came to a mailbox, and its subscribers are told: late, and twice, at times. */
  tell(box: MailboxId, about: object): void {
    const { plan, draw, healed } = this.#options;
    for (const body of this.subscriptions.notices(box, about)) {
      const late = !healed() && draw.chance(plan.pushLate);
      this.#send(body, false, late ? LATE_MS_MAX : PUSH_MS_MAX);
      if (late) this.#send(body, false, LATE_MS_MAX);
    }
  }

  /** Where no process is up the push is lost. */
  #send(body: Uint8Array, forged: boolean, msMax = PUSH_MS_MAX): void {
    const { scheduler, history, draw } = this.#options;
    scheduler.after(draw.number() * msMax, 'push', () => {
      const processes = this.#running();
      if (processes.length === 0) return;
      const { life, process } = draw.pick(processes);
      const pushed = async (): Promise<void> => {
        await life.turn();
        await life.point('push: before');
        const verdict = await life.reach(process.pushes!('graph', pushOf(body, Math.trunc(life.clock.now()))));
        history.pushes.push({ at: scheduler.now, life: life.number, forged, verdict: verdict?.kind ?? 'none' });
      };
      void pushed();
    });
  }
}
