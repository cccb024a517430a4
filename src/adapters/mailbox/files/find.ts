import type { Dirent } from 'node:fs';
import { lstat, opendir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileProblem } from './file-mail.ts';
import { FOLDER_DEPTH_MAX } from './file-mail.ts';

export interface FoundFile {
  readonly kind: 'file';
  readonly path: string;
  readonly size: number;
  /** Named by the person, or lying in a Maildir: then it is a mail, whatever it looks like. */
  readonly certain: boolean;
}

/**
 * Files below the paths, one by one and in the order of their names, so that two runs see the same. A path that is a
 * symbolic link is followed, because the person named it; links inside of a folder are not, because they could lead
 * anywhere. Of a Maildir only `cur` and `new` are read: `tmp` holds mails that are still being delivered.
 */
export async function* findFiles(paths: readonly string[]): AsyncGenerator<FoundFile | FileProblem> {
  for (const path of paths) {
    try {
      const info = await stat(path);
      if (info.isDirectory()) yield* walk(path, 0);
      else if (info.isFile()) yield { kind: 'file', path, size: info.size, certain: true };
      else
        yield problem(
          path,
          'file-not-mail',
          'It is neither a file nor a folder. Name a .eml or mbox file, or a folder.',
        );
    } catch (error) {
      yield problemOf(path, error);
    }
  }
}

async function* walk(folder: string, depth: number): AsyncGenerator<FoundFile | FileProblem> {
  if (depth > FOLDER_DEPTH_MAX) {
    yield problem(
      folder,
      'file-unreadable',
      `It lies more than ${FOLDER_DEPTH_MAX} folders deep. Import it by itself.`,
    );
    return;
  }
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield problemOf(folder, error);
    return;
  }
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  const maildir = folders.has('cur') && folders.has('new');
  if (maildir) {
    yield* maildirFiles(join(folder, 'cur'));
    yield* maildirFiles(join(folder, 'new'));
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    // Maildir++ keeps its sub-folders as `.Name`; elsewhere names with a dot are not meant for people.
    if (entry.isDirectory()) {
      if (maildir ? ['cur', 'new', 'tmp'].includes(entry.name) : entry.name.startsWith('.')) continue;
      yield* walk(path, depth + 1);
    } else if (!maildir && entry.isFile() && !entry.name.startsWith('.')) {
      yield* sized(path, false);
    }
  }
}

/** Such a folder may hold millions of files, so it is not listed at once; its order is the file system's. */
async function* maildirFiles(folder: string): AsyncGenerator<FoundFile | FileProblem> {
  try {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      if (entry.isFile() && !entry.name.startsWith('.')) yield* sized(join(folder, entry.name), true);
    }
  } catch (error) {
    yield problemOf(folder, error);
  }
}

async function* sized(path: string, certain: boolean): AsyncGenerator<FoundFile | FileProblem> {
  try {
    yield { kind: 'file', path, size: (await lstat(path)).size, certain };
  } catch (error) {
    // A Maildir renames its files when flags change; what is gone now is found under its new name next time.
    yield problemOf(path, error);
  }
}

export function problemOf(source: string, error: unknown): FileProblem {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return problem(source, 'file-missing', 'There is no such file or folder. Check the path.');
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return problem(source, 'file-unreadable', 'You may not read it. Change its permissions, or copy it first.');
  }
  return problem(source, 'file-unreadable', `It cannot be read (${code ?? (error as Error).message}).`);
}

export function problem(source: string, code: FileProblem['code'], message: string): FileProblem {
  return { kind: 'problem', source, code, message: `${source}: ${message}`, done: 0 };
}
