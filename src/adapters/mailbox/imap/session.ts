import type { ImapFlow, StatusObject } from 'imapflow';
import { TripwatchError } from '../../../domain/errors.ts';
import type { FetchedMail, ListedMail, MailboxSession, MailPage, MailQuery } from '../../../ports/mailbox.ts';
import { Backfill } from './backfill.ts';
import { encodeCursor, type LiveCursor, type Place, readLiveCursor, readRef } from './cursor.ts';
import { answerOdd } from './failures.ts';
import { fetchMail } from './fetch.ts';
import { type Folder, foldersOf, watchedOf } from './folders.ts';
import { headsOf, type OpenFolder } from './heads.ts';
import { type ImapLimits, UIDS_KEPT_MAX } from './limits.ts';
import { Line } from './line.ts';
import { Listener } from './listen.ts';

const STATUS = { uidNext: true, uidValidity: true, highestModseq: true } as const;
const CLOSE_MS = 2000;
/** The date of SEARCH is a day in the server's zone (RFC 9051, 6.4.4); the exact time is compared here. */
const DAY_MS = 86_400_000;

/** What became known about a folder without opening it. */
interface Standing {
  readonly validity: string;
  readonly highest: number | undefined;
  readonly modseq: string | undefined;
}

export interface ImapSessionOptions {
  readonly client: ImapFlow;
  readonly host: string;
  readonly chosen: readonly string[] | undefined;
  readonly limits: ImapLimits;
}

/** One signed-in connection. Everything in it stands in line; listening fills the pauses. */
export class ImapSession implements MailboxSession {
  readonly #client: ImapFlow;
  readonly #host: string;
  readonly #chosen: readonly string[] | undefined;
  readonly #limits: ImapLimits;
  readonly #line: Line;
  readonly #listener: Listener;
  readonly #backfill: Backfill;
  readonly #closed = new AbortController();
  /** Stands for UIDVALIDITY where a server gives none: its numbers hold for this session only (RFC 9051, 2.3.1.1). */
  readonly #epoch = `session-${crypto.randomUUID()}`;
  #all: readonly Folder[] = [];
  #watched: readonly string[] = [];
  #standings = new Map<string, Standing>();
  #open: OpenFolder | undefined;
  /** Up to which UID the main folder was looked through, so that a reopening shows what came meanwhile. */
  #mainSeen: number | undefined;
  #othersAt = Number.NEGATIVE_INFINITY;
  #dirty: string[] = [];
  /** UIDs found beyond a place and not yet given. */
  #found:
    | { readonly folder: string; readonly validity: string; readonly after: number; readonly uids: number[] }
    | undefined; // prettier-ignore

  constructor({ client, host, chosen, limits }: ImapSessionOptions) {
    this.#client = client;
    this.#host = host;
    this.#chosen = chosen;
    this.#limits = limits;
    this.#line = new Line(client, host, limits);
    client.on('close', () => this.#closed.abort());
    if (client.isClosed) this.#closed.abort();
    // Whoever waits for an answer is told there; `close` follows.
    client.on('error', () => client.close());
    this.#backfill = new Backfill({
      client,
      host,
      watched: async () => {
        if (this.#watched.length === 0) await this.#list();
        return this.#watched;
      },
      open: (name) => this.#opened(name),
    });
    this.#listener = new Listener({
      client,
      host,
      limits,
      line: this.#line,
      openMain: async () => {
        if (this.#watched.length === 0) await this.#list();
        const { highest } = await this.#opened(this.#watched[0]!, this.#limits.reopenMs);
        const news = this.#mainSeen === undefined || highest > this.#mainSeen;
        this.#mainSeen = Math.max(highest, this.#mainSeen ?? 0);
        return news;
      },
      onNews: () => {
        this.#othersAt = Number.NEGATIVE_INFINITY;
      },
    });
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  folders(signal: AbortSignal): Promise<readonly Folder[]> {
    return this.#line.run(signal, async () => {
      await this.#list();
      return this.#all;
    });
  }

  begin(signal: AbortSignal): Promise<string> {
    return this.#line.run(signal, async () => {
      await this.#list();
      const f: LiveCursor['f'] = {};
      for (const [index, name] of this.#watched.entries()) {
        const known = index === 0 ? undefined : await this.#standingOf(name);
        // Without UIDNEXT the folder has to be opened to see how far its numbers go.
        const { validity, highest, modseq } =
          known?.highest === undefined ? await this.#opened(name, 0) : { ...known, highest: known.highest };
        if (index === 0) this.#mainSeen = highest;
        f[name] = { v: validity, u: highest, ...(modseq === undefined ? {} : { m: modseq }) };
      }
      return encodeCursor({ k: 'live', f });
    });
  }

  live(query: MailQuery, signal: AbortSignal): Promise<MailPage> {
    const cursor = readLiveCursor(query.cursor);
    return this.#line.run(signal, () => this.#live(cursor, query));
  }

  backfill(query: Omit<MailQuery, 'cursor'> & { readonly cursor?: string }, signal: AbortSignal): Promise<MailPage> {
    return this.#line.run(signal, () => this.#backfill.page(query));
  }

  fetch(ref: string, bytesMax: number, signal: AbortSignal): Promise<FetchedMail> {
    const parsed = readRef(ref);
    if (parsed === undefined) {
      throw new TripwatchError('defect', 'mailbox-ref-invalid', `"${ref.slice(0, 100)}" refers to no mail by IMAP.`);
    }
    return this.#line.run(signal, async () => {
      const folder = await this.#opened(parsed.folder).catch((error: unknown) => {
        if ((error as { mailboxMissing?: boolean }).mailboxMissing === true) return undefined;
        throw error;
      });
      if (folder === undefined || folder.validity !== parsed.validity) return { kind: 'vanished' };
      return await fetchMail(this.#client, parsed, bytesMax, this.#host);
    });
  }

  listen(wake: () => void, signal: AbortSignal): Promise<void> {
    return this.#listener.listen(wake, signal);
  }

  async close(): Promise<void> {
    if (this.#client.isClosed) return;
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.#client.logout().catch(() => {}), late]);
    clearTimeout(patience);
    this.#client.close();
  }

  // --- Folders ----------------------------------------------------------------------------------------------------------

  /** Which folders there are; where the server tells it in one go, how they stand too. */
  async #list(): Promise<void> {
    const tells = this.#client.capabilities.has('LIST-STATUS');
    const list = await this.#client.list(tells ? { statusQuery: STATUS } : {});
    this.#all = foldersOf(list);
    this.#watched = watchedOf(this.#all, this.#chosen, this.#client.capabilities.has('X-GM-EXT-1'));
    this.#standings.clear();
    for (const { path, status } of list) {
      const standing = status === undefined ? undefined : this.#standing(status);
      if (standing !== undefined) this.#standings.set(path, standing);
    }
  }

  /** Undefined: the folder cannot be looked at, or is gone. */
  async #standingOf(name: string): Promise<Standing | undefined> {
    const known = this.#standings.get(name);
    if (known !== undefined) return known;
    const status = await this.#client.status(name, STATUS).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'NotFound') return undefined;
      throw error;
    });
    return status === undefined || status === false ? undefined : this.#standing(status);
  }

  #standing(status: Partial<StatusObject>): Standing | undefined {
    const { uidValidity, uidNext, highestModseq } = status;
    if (uidValidity === undefined) return undefined;
    return {
      validity: uidValidity.toString(),
      highest: uidNext === undefined ? undefined : uidNext - 1,
      modseq: highestModseq?.toString(),
    };
  }

  /** Opens a folder for reading only, unless it is open and was opened no longer ago than `ageMs`. */
  async #opened(name: string, ageMs = Number.POSITIVE_INFINITY): Promise<OpenFolder> {
    const selected = this.#client.mailbox;
    const now = performance.now();
    if (
      this.#open?.name === name &&
      selected !== false &&
      selected.path === name &&
      now - this.#open.openedAt <= ageMs
    ) {
      return this.#open;
    }
    this.#open = undefined;
    const opened = await this.#client.mailboxOpen(name, { readOnly: true });
    const { uidValidity, uidNext, highestModseq, noModseq, exists } = opened;
    let highest = uidNext === undefined ? 0 : uidNext - 1;
    if (uidNext === undefined && exists > 0) {
      const last = await this.#client.fetchOne('*', { uid: true });
      if (last !== false) highest = last.uid;
    }
    this.#open = {
      name,
      validity: uidValidity?.toString() ?? this.#epoch,
      highest,
      modseq: noModseq === true ? undefined : highestModseq?.toString(),
      openedAt: now,
    };
    return this.#open;
  }

  // --- What came --------------------------------------------------------------------------------------------------------

  async #live(cursor: LiveCursor, query: MailQuery): Promise<MailPage> {
    if (this.#watched.length === 0) await this.#list();
    const f = { ...cursor.f };
    const main = this.#watched[0]!;
    const others = this.#watched.length > 1 && this.#dirty.length === 0 && this.#othersDue();
    const first = await this.#livePage(main, f, query);
    if (this.#open?.name === main) this.#mainSeen = Math.max(f[main]?.u ?? 0, this.#mainSeen ?? 0);
    if (first.mails.length > 0 || first.more || first.reset !== undefined) {
      return { ...first, cursor: encodeCursor({ k: 'live', f }), more: first.more || others || this.#dirty.length > 0 };
    }
    if (others) await this.#lookAtOthers(f);
    while (this.#dirty.length > 0) {
      const name = this.#dirty[0]!;
      const page = await this.#livePage(name, f, query).catch((error: unknown) => {
        // Gone since it was listed: it has no mails any more.
        if ((error as { mailboxMissing?: boolean }).mailboxMissing === true) return undefined;
        throw error;
      });
      if (page?.more !== true) this.#dirty.shift();
      if (page !== undefined && (page.mails.length > 0 || page.more || page.reset !== undefined)) {
        return { ...page, cursor: encodeCursor({ k: 'live', f }), more: page.more || this.#dirty.length > 0 };
      }
    }
    return { mails: [], cursor: encodeCursor({ k: 'live', f }), more: false };
  }

  #othersDue(): boolean {
    return performance.now() - this.#othersAt >= this.#limits.othersMs;
  }

  /** Which of the other folders have to be opened. Folders that are gone leave the cursor. */
  async #lookAtOthers(f: LiveCursor['f']): Promise<void> {
    await this.#list();
    for (const name of Object.keys(f)) if (!this.#watched.includes(name)) delete f[name];
    const dirty: string[] = [];
    for (const name of this.#watched.slice(1)) {
      const place = f[name];
      const now = await this.#standingOf(name);
      if (now === undefined || !isUnchanged(place, now)) dirty.push(name);
    }
    this.#dirty = dirty;
    this.#othersAt = performance.now();
  }

  /** The next mails of one folder. Moves its place in `f`. */
  async #livePage(
    name: string,
    f: Record<string, Place>,
    { since, max }: MailQuery,
  ): Promise<Pick<MailPage, 'mails' | 'more' | 'reset' | 'left'>> {
    const before = performance.now();
    const isIdling = this.#client.idling;
    const folder = await this.#opened(name, this.#limits.reopenMs);
    const fresh = folder.openedAt >= before;
    // A server searches what it has told us of, and tells of new mails at the end of a command: within IDLE it has.
    if (!fresh && !isIdling) await this.#client.noop();
    let reset: string | undefined;
    let place: Place | undefined = f[name];
    if (place === undefined) place = { v: folder.validity, u: 0, r: folder.highest };
    else if (place.v !== folder.validity) reset = 'uidvalidity-changed';
    // Numbers are given out once only; where they went back, they name other mails now.
    else if (fresh && folder.highest < place.u) reset = 'uids-reused';
    if (reset !== undefined) place = { v: folder.validity, u: 0, r: folder.highest };
    let mails: readonly ListedMail[] = [];
    let left = 0;
    let isAnew = false;
    while (mails.length === 0) {
      let uids = await this.#after(folder, place, since);
      if (uids.length === 0 && !fresh && isIdling && (await this.#moreExist())) {
        uids = await this.#after(folder, place, since);
      }
      if (uids.length === 0) {
        const { r, ...rest }: Place = place;
        if (r === undefined) break;
        // Read anew up to where the numbers went; what came after that is new like any other.
        place = { ...rest, u: Math.max(place.u, r) };
        continue;
      }
      const asked = uids.slice(0, max);
      const answer = await headsOf(this.#client, folder, asked, this.#host);
      const last = asked[answer.done - 1]!;
      const { r }: Place = place;
      // What came after the numbers that are read anew was not searched for yet.
      isAnew = r !== undefined;
      mails = r === undefined ? answer.mails : answer.mails.filter(({ receivedAt }) => receivedAt >= since);
      place = { v: place.v, u: last, ...(r === undefined || last >= r ? {} : { r }) };
      uids.splice(0, answer.done);
      left = uids.length;
      this.#found = { folder: name, validity: folder.validity, after: last, uids };
    }
    // Only when there is nothing beyond: what changed since then shows in the number.
    if (mails.length === 0 && fresh && folder.modseq !== undefined) place = { ...place, m: folder.modseq };
    f[name] = place;
    const more = left > 0 || (isAnew && mails.length > 0);
    return { mails, more, ...(reset === undefined ? {} : { reset }), ...(left > 0 ? { left } : {}) };
  }

  /** Not every server tells all within IDLE. */
  async #moreExist(): Promise<boolean> {
    const exist = () => (this.#client.mailbox === false ? 0 : this.#client.mailbox.exists);
    const before = exist();
    await this.#client.noop();
    return exist() > before;
  }

  /** UIDs beyond a place, ascending: remembered ones of a search before, or of a new one. */
  async #after(folder: OpenFolder, place: Place, since: number): Promise<number[]> {
    const found = this.#found;
    this.#found = undefined;
    if (
      found !== undefined &&
      found.uids.length > 0 &&
      found.folder === folder.name &&
      found.validity === place.v &&
      found.after === place.u
    ) {
      return found.uids;
    }
    const { u, r } = place;
    if (r !== undefined && u >= r) return [];
    const range = `${u + 1}:${r ?? '*'}`;
    const day = r !== undefined && since > 2 * DAY_MS ? { since: new Date(since - DAY_MS) } : {};
    const uids = await this.#client.search({ uid: range, ...day }, { uid: true });
    if (!Array.isArray(uids)) throw answerOdd(this.#host, 'a search was refused');
    // `n:*` names the last mail even where its number is below n.
    return uids
      .filter((uid) => uid > u)
      .sort((a, b) => a - b)
      .slice(0, UIDS_KEPT_MAX);
  }
}

/** Nothing can have come to the folder since the place was stored. */
function isUnchanged(place: Place | undefined, now: Standing): boolean {
  if (place === undefined || place.v !== now.validity || place.r !== undefined) return false;
  if (place.m !== undefined && now.modseq !== undefined) return place.m === now.modseq;
  return now.highest === place.u;
}
