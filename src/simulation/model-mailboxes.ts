import { ModelMailServer } from '../adapters/mailbox/model/server.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { DEFAULT_TENANT, type MailboxId } from '../domain/ids.ts';
import type { MailboxConnector } from '../ports/mailbox.ts';
import type { Mailbox } from '../ports/store/accounts.ts';
import type { Watch } from '../ports/store/watches.ts';
import type { Tx } from '../ports/store.ts';
import type { Rng } from '../sandbox/random.ts';
import { HOUR } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import { type Box, FOLDER, headOf, put, reachMailboxes } from './mailbox-reach.ts';
import { ModelPushes } from './model-pushes.ts';
import type { Running } from './node.ts';
import type { MailboxPlan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import { randomOf, type Streams } from './streams.ts';

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

export interface ModelMailboxesOptions {
  readonly plan: MailboxPlan;
  /** Length of the phase with faults. */
  readonly hours: number;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly history: History;
  readonly healed: () => boolean;
}

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
        put(
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
          put(box, news(`${box.id} ${n}`), scheduler.now),
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
    put(box, bytes, scheduler.now);
    if (this.#draw.chance(plan.again))
      scheduler.after(this.#draw.number() * HOUR, 'the same mail', () => put(box, bytes, scheduler.now));
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
        head: headOf(bytes),
      })),
      delivered: server.delivered.map(({ bytes, receivedAt }) => ({ head: headOf(bytes), receivedAt })),
      subscribed: this.#pushes?.subscriptions.lives(box.id),
    };
  }

  /** What one life reaches these mailboxes with. */
  connector(life: Life): MailboxConnector {
    return reachMailboxes(life, {
      ...this.#options,
      kind: this.#kind,
      box: (id) => this.#byId.get(id)!,
      subscriptions: this.#pushes?.subscriptions,
    });
  }

  /** Its owner signs in anew, where that is needed. */
  #consent(box: Box): void {
    if (box.server.accepts.size > 0) return;
    const password = `right ${++box.consents}`;
    box.server.accepts.add(password);
    void this.#store?.transact((tx) => tx.watches.change(DEFAULT_TENANT, box.id, { sealedCredentials: password }));
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
