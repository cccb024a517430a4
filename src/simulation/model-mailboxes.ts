import { hash } from 'node:crypto';
import { createModelConnector } from '../adapters/mailbox/model/connector.ts';
import { headBlock } from '../adapters/mailbox/model/head-block.ts';
import { ModelMailServer } from '../adapters/mailbox/model/server.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { kindOf, TripwatchError } from '../domain/errors.ts';
import { DEFAULT_TENANT, type MailboxId } from '../domain/ids.ts';
import type { MailboxConnector, MailboxSession } from '../ports/mailbox.ts';
import type { Mailbox } from '../ports/store/accounts.ts';
import type { Watch } from '../ports/store/watches.ts';
import type { Tx } from '../ports/store.ts';
import type { Rng } from '../sandbox/random.ts';
import { HOUR, MINUTE } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import { ModelPushes } from './model-pushes.ts';
import type { Running } from './node.ts';
import type { MailboxPlan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf, type Streams } from './streams.ts';

/** An ordinary answer, and a slow one, ms; a slow one may outlast the patience of who asked. */
const ANSWER_MS_MAX = 500;
const SLOW_REAL_MS_MAX = 90_000;
/** How late somebody may be told, ms. */
const LATE_MS_MAX = 30 * MINUTE;
/** Mails in a page: there are few in all, and most pages are not to be the last. */
const PAGE_MAX = 4;
/** Travellers want this much of what was there before, and not what is older. */
const BACK_MS = 240 * HOUR;

/** A mailbox as its server has it. */
export interface ServedMailbox {
  readonly mailbox: string;
  /** What was received before is none of ours. */
  readonly since: number;
  /** Where the watch began, at the latest that the server was asked. */
  readonly began: { readonly validity: number; readonly uid: number };
  /** What lies in the folder that is watched, by the SHA-256 of the header block. */
  readonly present: readonly (ServedMail & {
    readonly folder: string;
    readonly validity: number;
    readonly uid: number;
  })[];
  /** All that ever came there. */
  readonly delivered: readonly ServedMail[];
  /** Whether we would be called when something comes; undefined: nobody calls. */
  readonly subscribed: boolean | undefined;
}

interface ServedMail {
  readonly head: string;
  readonly receivedAt: number;
}

interface Box {
  readonly id: MailboxId;
  readonly server: ModelMailServer;
  readonly draw: Rng;
  readonly since: number;
  began: { readonly validity: number; readonly uid: number };
  /** How often its owner has signed in anew. */
  consents: number;
}

export interface ModelMailboxesOptions {
  readonly plan: MailboxPlan;
  /** Length of the phase with faults. */
  readonly hours: number;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly history: History;
  readonly healed: () => boolean;
}

const FOLDER = 'INBOX';

/**
 * The mail server of the travellers who have connected their mailboxes, and what they do there: the model of
 * src/adapters/mailbox/model with the plan's faults, and a connector for each life that reaches living processes only.
 */
export class ModelMailboxes {
  readonly #options: ModelMailboxesOptions;
  readonly #draw: Rng;
  /** By traveller. */
  readonly #boxes: Box[] = [];
  readonly #byId = new Map<string, Box>();
  readonly #heads = new WeakMap<Uint8Array, string>();
  /** Undefined: the server calls nobody. */
  readonly #pushes: ModelPushes | undefined;
  #store: SqlStore | undefined;

  constructor(options: ModelMailboxesOptions) {
    this.#options = options;
    this.#draw = options.streams('mailboxes');
    this.#pushes =
      options.plan.push === 'request'
        ? new ModelPushes({ ...options, draw: options.streams('mailboxes', 'pushes') })
        : undefined;
  }

  /** Connects what the plan says, with what lies there already. */
  async furnish(tx: Tx, forwarded: readonly Mailbox[]): Promise<void> {
    const { plan, scheduler } = this.#options;
    const now = scheduler.startAt;
    for (const [index, { traveller, tenant }] of forwarded.slice(0, plan.connected).entries()) {
      const box = this.#open(index, now - BACK_MS);
      this.#boxes.push(box);
      this.#byId.set(box.id, box);
      // The oldest is not wanted.
      for (let n = plan.older; n > 0; n--)
        this.#put(
          box,
          news(`older ${index} ${n}`),
          now - (n === plan.older ? 2 : 1) * BACK_MS + (n === plan.older ? 0 : (plan.older - n) * HOUR),
        );
      await tx.accounts.addMailbox(
        {
          ...{ id: box.id, tenant, traveller, kind: this.#kind, label: 'connected', address: undefined },
          ...{ state: 'active', createdAt: now },
        },
        undefined,
      );
      await tx.watches.add({ ...watchOf(box, traveller, now), kind: this.#kind });
    }
  }

  /** From now on happens what the plan says. */
  start({ store, running }: { readonly store: SqlStore; readonly running: () => readonly Running[] }): void {
    const { plan, scheduler, hours } = this.#options;
    const draw = this.#draw;
    this.#store = store;
    const any = (): Box => draw.pick(this.#boxes);
    const ids = this.#boxes.map(({ id }) => id);
    this.#pushes?.start(running, ids, (id) => placeOf(this.#byId.get(id)!.server));
    for (const box of this.#boxes)
      for (let n = 0; n < plan.news; n++)
        scheduler.after(draw.number() * 0.9 * hours * HOUR, 'news', () =>
          this.#put(box, news(`${box.id} ${n}`), scheduler.now),
        );
    for (const at of plan.resets)
      scheduler.after(at, 'renumbered', () => {
        any().server.renumber(FOLDER);
      });
    for (const at of plan.drops) scheduler.after(at, 'connections end', () => any().server.drop());
    for (const { from, to } of plan.outages) {
      const box = any();
      scheduler.after(from, 'mail server away', () => {
        if (this.#options.healed()) return;
        box.server.away = true;
        box.server.drop();
      });
      scheduler.after(to, 'mail server back', () => {
        box.server.away = false;
      });
    }
    for (const { from, to } of plan.expiries) {
      const box = any();
      scheduler.after(from, 'consent expires', () => {
        if (this.#options.healed()) return;
        box.server.accepts.clear();
        box.server.drop();
      });
      scheduler.after(to, 'consent given', () => this.#consent(box));
    }
    for (const at of plan.checks)
      scheduler.after(at, 'check now', () => {
        const processes = running();
        if (processes.length === 0) return;
        const { life, process } = draw.pick(processes);
        const ref = { tenant: DEFAULT_TENANT, mailbox: any().id };
        void life.turn().then(() => process.watcher?.wake([ref]).catch(() => undefined));
      });
  }

  /** Nothing goes wrong any more, and every owner has done what was asked of them. */
  heal(): void {
    for (const box of this.#boxes) {
      box.server.away = false;
      this.#consent(box);
    }
  }

  /** A mail for a traveller; false: it is not theirs, or is forwarded. */
  deliver(to: number, bytes: Uint8Array): boolean {
    const { plan, scheduler } = this.#options;
    const box = this.#boxes[to];
    if (box === undefined || !this.#draw.chance(plan.share)) return false;
    this.#put(box, bytes, scheduler.now);
    if (this.#draw.chance(plan.again))
      scheduler.after(this.#draw.number() * HOUR, 'the same mail', () => this.#put(box, bytes, scheduler.now));
    return true;
  }

  /** As it is now. Errors: RangeError for a mailbox that is none of these. */
  served(mailbox: string): ServedMailbox {
    const box = this.#byId.get(mailbox);
    if (box === undefined) throw new RangeError(`there is no mailbox ${mailbox}`);
    const { server, since, began } = box;
    const { name: folder, validity, mails } = server.folder(FOLDER);
    return {
      ...{ mailbox, since, began },
      present: mails.map(({ uid, bytes, receivedAt }) => ({
        folder,
        validity,
        uid,
        receivedAt,
        head: this.#head(bytes),
      })),
      delivered: server.delivered.map(({ bytes, receivedAt }) => ({ head: this.#head(bytes), receivedAt })),
      subscribed: this.#pushes?.subscriptions.lives(box.id),
    };
  }

  /** What one life reaches these mailboxes with. */
  connector(life: Life): MailboxConnector {
    const { plan, scheduler, history } = this.#options;
    const inner = createModelConnector({
      kind: this.#kind,
      push: plan.push,
      server: ({ mailbox }) => this.#byId.get(mailbox)!.server,
      subscriptions: this.#pushes?.subscriptions,
    });
    return {
      ...inner,
      open: async (account, signal) => {
        const box = this.#byId.get(account.mailbox)!;
        const session = await this.#asked(life, box, 'open', signal, async () => {
          try {
            return await inner.open(account, signal);
          } catch (error) {
            if (kindOf(error) === 'unauthorised')
              history.refusedSignIns.push({ at: scheduler.now, life: life.number, mailbox: box.id });
            throw error;
          }
        });
        return this.#reached(life, box, session);
      },
    };
  }

  #reached(life: Life, box: Box, inner: MailboxSession): MailboxSession {
    const { scheduler, healed, plan } = this.#options;
    const closed = new AbortController();
    const end = (): void => life.deliver(() => closed.abort());
    if (inner.closed.aborted) end();
    else inner.closed.addEventListener('abort', end, { once: true });
    life.ended.addEventListener('abort', () => void inner.close(), { once: true });
    const ask = <T>(what: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> =>
      this.#asked(life, box, what, signal, run);
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
          if (!healed() && box.draw.chance(plan.vanish)) this.#vanish(box, ref);
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
  async #asked<T>(life: Life, box: Box, what: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const { plan, scheduler, healed } = this.#options;
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
  #vanish(box: Box, ref: string): void {
    const { scheduler } = this.#options;
    const [, validity, uid] = ref.split(';').map(Number);
    const folder = box.server.folder(FOLDER);
    const mail = folder.validity === validity ? folder.mails.find((one) => one.uid === uid) : undefined;
    if (mail === undefined) return;
    const head = this.#head(mail.bytes);
    scheduler.note(`mailbox: ${ref} is moved away`);
    box.server.remove((one) => this.#head(one.bytes) === head, FOLDER);
    if (box.draw.chance(0.5))
      scheduler.after(box.draw.number() * 3 * HOUR, 'moved back', () => this.#put(box, mail.bytes, mail.receivedAt));
  }

  /** Its owner signs in anew, where that is needed. */
  #consent(box: Box): void {
    if (box.server.accepts.size > 0) return;
    const password = `right ${++box.consents}`;
    box.server.accepts.add(password);
    void this.#store?.transact((tx) => tx.watches.change(DEFAULT_TENANT, box.id, { sealedCredentials: password }));
  }

  #put(box: Box, bytes: Uint8Array, receivedAt: number): void {
    box.server.deliver(bytes, Math.trunc(receivedAt), FOLDER);
  }

  #head(bytes: Uint8Array): string {
    let head = this.#heads.get(bytes);
    if (head === undefined) {
      head = hash('sha256', headBlock(bytes), 'hex');
      this.#heads.set(bytes, head);
    }
    return head;
  }

  #open(index: number, since: number): Box {
    const { plan, streams, healed } = this.#options;
    const draw = streams('mailbox', index);
    const rate = (value: number): number => (healed() ? 0 : value);
    const server = new ModelMailServer({
      random: randomOf(draw),
      get repeats() {
        return rate(plan.repeats);
      },
      get shortPages() {
        return rate(plan.shortPages);
      },
      get pushLoss() {
        return rate(plan.pushLoss);
      },
    });
    server.accepts.clear();
    server.accepts.add('right 0');
    const id: MailboxId = `mbx_at_${index}`;
    if (this.#pushes !== undefined) server.listening(() => this.#pushes?.tell(id, placeOf(server)));
    return { id, server, draw, since, began: { validity: 0, uid: 0 }, consents: 0 };
  }

  get #kind(): 'graph' | 'imap' {
    return this.#pushes === undefined ? 'imap' : 'graph';
  }
}

/** What a notice says beside whom it is about, as some providers do: where the mailbox stands now. */
function placeOf(server: ModelMailServer): { readonly place: { readonly validity: number; readonly uid: number } } {
  const { validity, uidNext } = server.folder(FOLDER);
  return { place: { validity, uid: uidNext - 1 } };
}

const few = <Q extends { readonly max: number }>(query: Q): Q => ({ ...query, max: Math.min(query.max, PAGE_MAX) });

function faultOf(number: number, { slow, limited, fail }: MailboxPlan): 'slow' | 'limited' | 'failing' | undefined {
  if (number < slow) return 'slow';
  if (number < slow + limited) return 'limited';
  return number < slow + limited + fail ? 'failing' : undefined;
}

/** A mail that is no travel. */
function news(name: string): Uint8Array {
  const lines = [
    'From: <friend@private.example>',
    `Subject: Lunch on ${name}?`,
    `Message-ID: <${name.replaceAll(' ', '.')}@private.example>`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\nSee you there.\r\n`);
}

function watchOf(box: Box, traveller: Watch['traveller'], now: number): Watch {
  return {
    ...{ tenant: DEFAULT_TENANT, traveller, mailbox: box.id, kind: 'imap', settings: {}, since: box.since },
    ...{ sealedCredentials: 'right 0', liveCursor: undefined, backfillCursor: undefined, backfillDone: false },
    ...{ backfillLeft: undefined, state: 'connecting', reasonCode: 'connecting', reason: 'Being tried.', stateAt: now },
    ...{ checkedAt: undefined, dueAt: undefined, seen: 0, subscription: undefined, renewAt: undefined },
    ...{ pushName: undefined, pushFault: undefined, needsSince: undefined, createdAt: now },
  };
}
