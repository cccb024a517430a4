import { hash } from 'node:crypto';
import { createModelConnector } from '../adapters/mailbox/model/connector.ts';
import { headBlock } from '../adapters/mailbox/model/head-block.ts';
import type { ModelMailServer } from '../adapters/mailbox/model/server.ts';
import { kindOf, TripwatchError } from '../domain/errors.ts';
import type { MailboxId } from '../domain/ids.ts';
import type { MailboxConnector, MailboxSession } from '../ports/mailbox.ts';
import type { Rng } from '../sandbox/random.ts';
import { HOUR, MINUTE } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import type { ModelPushes } from './model-pushes.ts';
import type { MailboxPlan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** How a life reaches the model's mailboxes: each question with its faults, and nothing for who has ended. */

/** An ordinary answer, and a slow one, ms; a slow one may outlast the patience of who asked. */
const ANSWER_MS_MAX = 500;
const SLOW_REAL_MS_MAX = 90_000;
/** How late somebody may be told, ms. */
const LATE_MS_MAX = 30 * MINUTE;
/** Mails in a page: there are few in all, and most pages are not to be the last. */
const PAGE_MAX = 4;

/** A traveller's mailbox at its server. */
export interface Box {
  readonly id: MailboxId;
  readonly server: ModelMailServer;
  readonly draw: Rng;
  readonly since: number;
  began: { readonly validity: number; readonly uid: number };
  /** How often its owner has signed in anew. */
  consents: number;
}

export interface ReachOptions {
  readonly plan: MailboxPlan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly healed: () => boolean;
  readonly kind: 'graph' | 'imap';
  readonly box: (id: string) => Box;
  /** Undefined: the server calls nobody. */
  readonly subscriptions: ModelPushes['subscriptions'] | undefined;
}

export const FOLDER = 'INBOX';

export function reachMailboxes(life: Life, options: ReachOptions): MailboxConnector {
  const { plan, scheduler, history, kind, subscriptions } = options;
  const inner = createModelConnector({
    kind,
    push: plan.push,
    server: ({ mailbox }) => options.box(mailbox).server,
    subscriptions,
  });
  return {
    ...inner,
    open: async (account, signal) => {
      const box = options.box(account.mailbox);
      const session = await askedOf(life, box, options, 'open', signal, async () => {
        try {
          return await inner.open(account, signal);
        } catch (error) {
          if (kindOf(error) === 'unauthorised')
            history.refusedSignIns.push({ at: scheduler.now, life: life.number, mailbox: box.id });
          throw error;
        }
      });
      return reached(life, box, options, session);
    },
  };
}

function reached(life: Life, box: Box, options: ReachOptions, inner: MailboxSession): MailboxSession {
  const { scheduler, healed, plan } = options;
  const closed = new AbortController();
  const end = (): void => life.deliver(() => closed.abort());
  if (inner.closed.aborted) end();
  else inner.closed.addEventListener('abort', end, { once: true });
  life.ended.addEventListener('abort', () => void inner.close(), { once: true });
  const ask = <T>(what: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> =>
    askedOf(life, box, options, what, signal, run);
  const { listen, subscribe } = inner;
  return {
    closed: closed.signal,
    close: () => inner.close(),
    folders: (signal) => ask('folders', signal, () => inner.folders(signal)),
    begin: (signal) =>
      ask('begin', signal, async () => {
        const { validity, uidNext } = box.server.folder(FOLDER);
        box.began = { validity, uid: uidNext - 1 };
        return inner.begin(signal);
      }),
    live: (query, signal) => ask('live', signal, () => inner.live(few(query), signal)),
    backfill: (query, signal) => ask('backfill', signal, () => inner.backfill(few(query), signal)),
    fetch: (ref, bytesMax, signal) =>
      ask('fetch', signal, () => {
        if (!healed() && box.draw.chance(plan.vanish)) vanish(box, options, ref);
        return inner.fetch(ref, bytesMax, signal);
      }),
    ...(subscribe === undefined
      ? {}
      : {
          subscribe: (state: string | undefined, signal: AbortSignal) =>
            ask('subscribe', signal, () => subscribe(state, signal)),
        }),
    ...(listen === undefined
      ? {}
      : {
          listen: (wake: () => void, signal: AbortSignal) =>
            life.reach(
              listen(() => {
                const late = !healed() && box.draw.chance(plan.pushLate);
                const tell = (ms: number) => void scheduler.after(ms, 'push', () => life.deliver(wake));
                tell(box.draw.number() * (late ? LATE_MS_MAX : ANSWER_MS_MAX));
                if (late) tell(box.draw.number() * LATE_MS_MAX);
              }, signal),
            ),
        }),
  };
}

/** One question to the server, with its faults, as a living process hears of it. */
async function askedOf<T>(
  life: Life,
  box: Box,
  { plan, scheduler, healed }: ReachOptions,
  what: string,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  const { draw } = box;
  await life.point(`mailbox: before ${what}`);
  const fault = healed() ? undefined : faultOf(draw.number(), plan);
  const slow = fault === 'slow' ? SLOW_REAL_MS_MAX * life.clock.speed : ANSWER_MS_MAX;
  await life.clock.sleep(draw.number() * slow, signal);
  if (fault !== undefined) scheduler.note(`mailbox: ${what} is ${fault}`);
  if (fault === 'limited')
    throw new TripwatchError('rate-limited', 'mailbox-limited', 'The model wants to be left alone.', {
      retryAt: life.clock.now() + draw.int(5, 900) * 1000,
    });
  if (fault === 'failing') throw new TripwatchError('transient', 'mailbox-failed', 'The model failed.');
  const value = await life.reach(run());
  await life.point(`mailbox: after ${what}`);
  await life.clock.sleep(draw.number() * ANSWER_MS_MAX, signal);
  return value;
}

/** Moved away by its owner, all copies of it, and perhaps back later. */
function vanish(box: Box, { scheduler }: ReachOptions, ref: string): void {
  const [, validity, uid] = ref.split(';').map(Number);
  const folder = box.server.folder(FOLDER);
  const mail = folder.validity === validity ? folder.mails.find((one) => one.uid === uid) : undefined;
  if (mail === undefined) return;
  const head = headOf(mail.bytes);
  scheduler.note(`mailbox: ${ref} is moved away`);
  box.server.remove((one) => headOf(one.bytes) === head, FOLDER);
  if (box.draw.chance(0.5))
    scheduler.after(box.draw.number() * 3 * HOUR, 'moved back', () => put(box, mail.bytes, mail.receivedAt));
}

export function put(box: Box, bytes: Uint8Array, receivedAt: number): void {
  box.server.deliver(bytes, Math.trunc(receivedAt), FOLDER);
}

const heads = new WeakMap<Uint8Array, string>();

/** SHA-256 of the header block of a mail. */
export function headOf(bytes: Uint8Array): string {
  let head = heads.get(bytes);
  if (head === undefined) {
    head = hash('sha256', headBlock(bytes), 'hex');
    heads.set(bytes, head);
  }
  return head;
}

const few = <Q extends { readonly max: number }>(query: Q): Q => ({ ...query, max: Math.min(query.max, PAGE_MAX) });

function faultOf(number: number, { slow, limited, fail }: MailboxPlan): 'slow' | 'limited' | 'failing' | undefined {
  if (number < slow) return 'slow';
  if (number < slow + limited) return 'limited';
  return number < slow + limited + fail ? 'failing' : undefined;
}
