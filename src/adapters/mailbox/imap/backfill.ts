import type { ImapFlow } from 'imapflow';
import type { MailPage, MailQuery } from '../../../ports/mailbox.ts';
import { encodeCursor, readBackfillCursor } from './cursor.ts';
import { answerOdd } from './failures.ts';
import { headsOf, type OpenFolder } from './heads.ts';
import { COUNTED_FOLDERS_MAX } from './limits.ts';

/** What was there before, folder by folder, the main one first, in each the newest first. */

interface Found {
  readonly validity: string;
  readonly uids: number[];
}

interface Plan {
  /** The cursor that goes on with it. */
  cursor: string | undefined;
  readonly since: number;
  readonly done: string[];
  /** Searched ones have their UIDs, ascending: given from the end. */
  readonly folders: { readonly name: string; found?: Found | undefined }[];
}

export interface BackfillParts {
  readonly client: ImapFlow;
  readonly host: string;
  readonly watched: () => Promise<readonly string[]>;
  readonly open: (name: string) => Promise<OpenFolder>;
}

const DAY_MS = 86_400_000;

export class Backfill {
  readonly #parts: BackfillParts;
  #plan: Plan | undefined;

  constructor(parts: BackfillParts) {
    this.#parts = parts;
  }

  async page({ cursor, since, max }: Omit<MailQuery, 'cursor'> & { readonly cursor?: string }): Promise<MailPage> {
    let plan = this.#plan;
    let reset: string | undefined;
    if (plan === undefined || plan.cursor !== cursor || plan.since !== since) {
      ({ plan, reset } = await this.#planned(cursor, since));
      this.#plan = plan;
    }
    for (let folder = plan.folders[0]; folder !== undefined; folder = plan.folders[0]) {
      folder.found ??= await this.#search(folder.name, since);
      const opened = folder.found === undefined ? undefined : await this.#open(folder.name);
      if (folder.found === undefined || opened === undefined || folder.found.uids.length === 0) {
        plan.folders.shift();
        plan.done.push(folder.name);
        continue;
      }
      if (opened.validity !== folder.found.validity) {
        // Its numbers name others now: from its newest on again.
        delete folder.found;
        reset = 'uidvalidity-changed';
        continue;
      }
      const { uids, validity } = folder.found;
      const asked = uids.slice(-max).reverse();
      const { mails, done } = await headsOf(this.#parts.client, opened, asked, this.#parts.host);
      uids.length -= done;
      const u = asked[done - 1]!;
      const text = encodeCursor({ k: 'back', f: folder.name, v: validity, u, d: [...plan.done] });
      plan.cursor = text;
      const left = leftOf(plan);
      const more = uids.length > 0 || plan.folders.length > 1;
      return {
        mails: mails.filter(({ receivedAt }) => receivedAt >= since),
        cursor: text,
        more,
        ...(reset === undefined ? {} : { reset }),
        ...(left === undefined ? {} : { left }),
      };
    }
    const text = encodeCursor({ k: 'back', f: '', v: '', u: 0, d: [...plan.done] });
    plan.cursor = text;
    return { mails: [], cursor: text, more: false, left: 0, ...(reset === undefined ? {} : { reset }) };
  }

  /** From a cursor, in a session that has not gone this way before. */
  async #planned(cursor: string | undefined, since: number): Promise<{ plan: Plan; reset?: string }> {
    const watched = await this.#parts.watched();
    const at = cursor === undefined ? undefined : readBackfillCursor(cursor);
    const ended = at !== undefined && at.f === '';
    const names = ended ? [] : watched.filter((name) => at === undefined || (!at.d.includes(name) && name !== at.f));
    const plan: Plan = { cursor, since, done: [...(at?.d ?? [])], folders: names.map((name) => ({ name })) };
    let reset: string | undefined;
    if (at !== undefined && !ended && watched.includes(at.f)) {
      const opened = await this.#open(at.f);
      if (opened !== undefined && opened.validity !== at.v) reset = 'uidvalidity-changed';
      const found = await this.#search(at.f, since, reset === undefined ? at.u : undefined);
      if (found !== undefined) plan.folders.unshift({ name: at.f, found });
    }
    // So that progress can be told from the beginning.
    if (plan.folders.length <= COUNTED_FOLDERS_MAX) {
      for (const folder of [...plan.folders].reverse()) {
        const found = folder.found ?? (await this.#search(folder.name, since));
        if (found !== undefined) folder.found = found;
      }
    }
    return { plan, ...(reset === undefined ? {} : { reset }) };
  }

  /** UIDs below a number and of mails received since a day; undefined: the folder is gone. */
  async #search(name: string, since: number, below?: number): Promise<Found | undefined> {
    const opened = await this.#open(name);
    if (opened === undefined) return undefined;
    const highest = below === undefined ? opened.highest : below - 1;
    if (highest < 1) return { validity: opened.validity, uids: [] };
    const day = since > 2 * DAY_MS ? { since: new Date(since - DAY_MS) } : {};
    const uids = await this.#parts.client.search({ uid: `1:${highest}`, ...day }, { uid: true });
    if (!Array.isArray(uids)) throw answerOdd(this.#parts.host, 'a search was refused');
    return { validity: opened.validity, uids: uids.filter((uid) => uid <= highest).sort((a, b) => a - b) };
  }

  async #open(name: string): Promise<OpenFolder | undefined> {
    return await this.#parts.open(name).catch((error: unknown) => {
      if ((error as { mailboxMissing?: boolean }).mailboxMissing === true) return undefined;
      throw error;
    });
  }
}

function leftOf({ folders }: Plan): number | undefined {
  let left = 0;
  for (const { found } of folders) {
    if (found === undefined) return undefined;
    left += found.uids.length;
  }
  return left;
}
