import { createHash } from 'node:crypto';

/**
 * One person's mailbox behind the fakes of mail providers: folders, mails, and everything that ever happened to them as
 * numbered changes. Ids are drawn from the seed, so that a run can be repeated.
 */
export interface BoxFolder {
  readonly id: string;
  readonly name: string;
  /** `inbox`, `junk`, `trash`, `sent`, `drafts`, `archive`; absent: a person's own. */
  readonly role?: string;
}

export interface BoxMail {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly folder: string;
  readonly read: boolean;
}

export interface BoxChange {
  readonly seq: number;
  readonly kind: 'created' | 'moved' | 'marked' | 'removed';
  readonly mail: string;
  /** After the change; of a removed mail where it was. */
  readonly folder: string;
  /** Of a moved mail. */
  readonly from?: string;
}

const FOLDERS: readonly BoxFolder[] = [
  { id: 'inbox', name: 'INBOX', role: 'inbox' },
  { id: 'archive', name: 'Archive', role: 'archive' },
  { id: 'junk', name: 'Junk', role: 'junk' },
  { id: 'trash', name: 'Trash', role: 'trash' },
  { id: 'sent', name: 'Sent', role: 'sent' },
  { id: 'drafts', name: 'Drafts', role: 'drafts' },
];

export class MailBox {
  readonly address: string;
  readonly folders: BoxFolder[] = [...FOLDERS];
  readonly changes: BoxChange[] = [];
  /** Changes up to this number are forgotten. */
  floor = 0;
  readonly #mails = new Map<string, BoxMail>();
  readonly #listeners = new Set<(change: BoxChange) => void>();
  readonly #seed: string;
  #serial = 0;
  #seq = 1000;

  constructor(address: string, seed = 'box') {
    this.address = address;
    this.#seed = seed;
    this.floor = this.#seq;
  }

  /** Number of the newest change. */
  get seq(): number {
    return this.#seq;
  }

  get(id: string): BoxMail | undefined {
    return this.#mails.get(id);
  }

  /** Newest first; of one time, the one that came last first. */
  newestFirst(): readonly BoxMail[] {
    return [...this.#mails.values()].reverse().sort((a, b) => b.receivedAt - a.receivedAt);
  }

  deliver(bytes: Uint8Array, receivedAt: number, folder = 'inbox'): BoxMail {
    const id = createHash('sha256')
      .update(`${this.#seed}/${this.address}/${++this.#serial}`)
      .digest('hex')
      .slice(0, 16);
    const mail = { id, bytes, receivedAt, folder, read: false };
    this.#mails.set(id, mail);
    this.#note({ kind: 'created', mail: id, folder });
    return mail;
  }

  move(id: string, folder: string): void {
    const mail = this.#must(id);
    this.#mails.set(id, { ...mail, folder });
    this.#note({ kind: 'moved', mail: id, folder, from: mail.folder });
  }

  mark(id: string): void {
    const mail = this.#must(id);
    this.#mails.set(id, { ...mail, read: true });
    this.#note({ kind: 'marked', mail: id, folder: mail.folder });
  }

  remove(id: string): void {
    const mail = this.#must(id);
    this.#mails.delete(id);
    this.#note({ kind: 'removed', mail: id, folder: mail.folder });
  }

  /** The mail with this header, as it stands in the bytes. */
  find(messageId: string): BoxMail | undefined {
    return [...this.#mails.values()].find(({ bytes }) => Buffer.from(bytes).includes(`Message-ID: ${messageId}\r\n`));
  }

  since(seq: number): readonly BoxChange[] {
    return this.changes.filter((change) => change.seq > seq);
  }

  /** Nobody can ask any more what happened before now. */
  expireHistory(): void {
    this.floor = ++this.#seq;
  }

  onChange(listener: (change: BoxChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #must(id: string): BoxMail {
    const mail = this.#mails.get(id);
    if (mail === undefined) throw new Error(`no mail ${id} in the mailbox of the sandbox`);
    return mail;
  }

  #note(change: Omit<BoxChange, 'seq'>): void {
    const noted = { ...change, seq: ++this.#seq };
    this.changes.push(noted);
    for (const listener of this.#listeners) listener(noted);
  }
}

/** The headers of a mail as vendors list them: in order, lines that are no headers left out. `raw`: as folded. */
export function headersOf(bytes: Uint8Array, raw = false): { readonly name: string; readonly value: string }[] {
  const text = Buffer.from(bytes).toString('utf8');
  const end = text.search(/\r?\n\r?\n/);
  const head = end === -1 ? text : text.slice(0, end);
  const out: { name: string; value: string }[] = [];
  for (const line of head.split(/\r?\n(?![ \t])/)) {
    const match = /^([!-9;-~]+):([\s\S]*)$/.exec(line);
    if (match === null) continue;
    const [, name = '', value = ''] = match;
    out.push({ name, value: raw ? value : value.replace(/\r?\n[ \t]+/g, ' ').trim() });
  }
  return out;
}
