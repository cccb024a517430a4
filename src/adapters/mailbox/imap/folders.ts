import type { ListResponse } from 'imapflow';
import { TripwatchError } from '../../../domain/errors.ts';
import { FOLDERS_MAX } from './limits.ts';

/** Folders of a mailbox: which there are, what they are for, and which of them are watched. */
export interface Folder {
  readonly name: string;
  readonly role?: string;
}

const ROLES: Readonly<Record<string, string>> = {
  '\\Inbox': 'inbox',
  '\\All': 'all',
  '\\Archive': 'archive',
  '\\Drafts': 'drafts',
  '\\Flagged': 'flagged',
  '\\Important': 'important',
  '\\Junk': 'junk',
  '\\Sent': 'sent',
  '\\Trash': 'trash',
};
/** Not watched unless chosen. The last two show mails of other folders once more. */
const LEFT_OUT = new Set(['junk', 'trash', 'drafts', 'flagged', 'important']);

export function foldersOf(list: readonly ListResponse[]): readonly Folder[] {
  const folders = list
    .filter(({ flags }) => ![...flags].some((flag) => /^\\(NoSelect|NonExistent)$/i.test(flag)))
    .map(({ path, specialUse }): Folder => {
      const role = path.toUpperCase() === 'INBOX' ? 'inbox' : ROLES[specialUse ?? ''];
      return role === undefined ? { name: path } : { name: path, role };
    });
  return folders.length > 0 ? folders : [{ name: 'INBOX', role: 'inbox' }];
}

/**
 * The folders to watch, the one to listen at first: the inbox, or the one that holds all mails (Gmail, where filters
 * would hide mails from the inbox). A chosen folder that is not there has no mails and is passed over.
 * Errors: permanent `mailbox-folder-missing` when none is there, `mailbox-folders-many`.
 */
export function watchedOf(
  folders: readonly Folder[],
  chosen: readonly string[] | undefined,
  isGmail: boolean,
): readonly string[] {
  const all = folders.find(({ role }) => role === 'all');
  let watched: readonly Folder[];
  if (chosen !== undefined) watched = folders.filter(({ name }) => chosen.includes(name));
  else if (isGmail && all !== undefined) watched = [all];
  else watched = folders.filter(({ role }) => role !== 'all' && !LEFT_OUT.has(role ?? ''));
  if (watched.length === 0) {
    throw new TripwatchError(
      'permanent',
      'mailbox-folder-missing',
      'None of the folders that are to be watched is in the mailbox. Choose others.',
    );
  }
  if (watched.length > FOLDERS_MAX) {
    throw new TripwatchError(
      'permanent',
      'mailbox-folders-many',
      `The mailbox has ${watched.length} folders, of which at most ${FOLDERS_MAX} can be watched. Choose those to watch.`,
    );
  }
  const first = watched.find(({ role }) => role === 'all') ?? watched.find(({ role }) => role === 'inbox');
  const names = watched.map(({ name }) => name);
  return first === undefined ? names : [first.name, ...names.filter((name) => name !== first.name)];
}
