import type { Random } from '../../../ports/clock.ts';

export interface ModelMail {
  readonly uid: number;
  readonly bytes: Uint8Array;
  /** Epoch ms. */
  readonly receivedAt: number;
}

export interface ModelFolder {
  readonly name: string;
  readonly role: string;
  validity: number;
  uidNext: number;
  /** In the order of their UIDs. */
  mails: ModelMail[];
}

export interface ModelServerOptions {
  readonly random?: Random | undefined;
  /** Runs before each thing that a session is asked for: may wait, and may throw what a server would. */
  readonly before?: ((what: string, signal: AbortSignal) => Promise<void>) | undefined;
  /** Chance that a page begins with mails that were listed before, 0 to 1. */
  readonly repeats?: number | undefined;
  /** Chance that a page is shorter than it might be. */
  readonly shortPages?: number | undefined;
  /** Chance that nobody is told of a mail that came. */
  readonly pushLoss?: number | undefined;
  /** It offers to tell, and then does not. */
  readonly tellsNothing?: boolean;
}

/**
 * One mailbox at a mail server, in memory, as unkind as servers are: numbers begin anew, notices get lost, mails vanish,
 * connections end. What it did is the ground truth for checkers (`delivered`).
 */
export class ModelMailServer {
  readonly options: ModelServerOptions;
  readonly folders: ModelFolder[] = [
    { name: 'INBOX', role: 'inbox', validity: 1, uidNext: 1, mails: [] },
    { name: 'Trash', role: 'trash', validity: 1, uidNext: 1, mails: [] },
  ];
  /** All that ever came to a folder. */
  readonly delivered: { readonly folder: string; readonly bytes: Uint8Array; readonly receivedAt: number }[] = [];
  /** How often a sign-in was tried, and how often it was refused. */
  signIns = 0;
  refusals = 0;
  /** Mails that came without anyone being told. */
  pushesLost = 0;
  /** Bytes of whole mails that were read. */
  bytesFetched = 0;
  /** Passwords and tokens that are good. */
  readonly accepts = new Set<string>(['right']);
  /** Sign-in is not possible at all. */
  away = false;
  readonly #sessions = new Set<AbortController>();
  readonly #listeners = new Set<() => void>();

  constructor(options: ModelServerOptions = {}) {
    this.options = options;
  }

  folder(name: string): ModelFolder {
    const found = this.folders.find((folder) => folder.name === name);
    if (found === undefined) throw new Error(`no folder ${name}`);
    return found;
  }

  deliver(bytes: Uint8Array, receivedAt: number, name = 'INBOX'): void {
    const folder = this.folder(name);
    folder.mails.push({ uid: folder.uidNext++, bytes, receivedAt });
    this.delivered.push({ folder: name, bytes, receivedAt });
    this.notify();
  }

  /** Tells who listens, or does not. */
  notify(): void {
    if (this.chance(this.options.pushLoss)) {
      this.pushesLost++;
      return;
    }
    for (const wake of this.#listeners) wake();
  }

  remove(matches: (mail: ModelMail) => boolean, name = 'INBOX'): void {
    const folder = this.folder(name);
    folder.mails = folder.mails.filter((mail) => !matches(mail));
  }

  /** UIDVALIDITY changes; the mails stay and are numbered from 1, so that numbers of before now name others. */
  renumber(name = 'INBOX'): void {
    const folder = this.folder(name);
    folder.validity++;
    folder.mails = folder.mails.map((mail, index) => ({ ...mail, uid: index + 1 }));
    folder.uidNext = folder.mails.length + 1;
  }

  /** All connections end, without a word. */
  drop(): void {
    for (const session of [...this.#sessions]) session.abort();
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  connected(session: AbortController): void {
    this.#sessions.add(session);
    session.signal.addEventListener('abort', () => this.#sessions.delete(session), { once: true });
  }

  listening(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }

  chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && (this.options.random?.number() ?? 1) < probability;
  }

  /** A whole number from 0 to below `limit`. */
  pick(limit: number): number {
    return Math.floor((this.options.random?.number() ?? 0) * limit);
  }
}
