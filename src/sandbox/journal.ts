import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Lines of JSON, appended. A line that a kill cut short is left out when reading, and the next one starts anew. */
export interface Journal<T> {
  add(entry: T): void;
  close(): void;
}

export function openJournal<T>(file: string): Journal<T> & { readonly entries: readonly T[] } {
  mkdirSync(dirname(file), { recursive: true });
  const { entries, torn } = readJournal<T>(file);
  const handle = openSync(file, 'a');
  if (torn) writeSync(handle, '\n');
  let open = true;
  return {
    entries,
    add: (entry) => {
      if (open) writeSync(handle, `${JSON.stringify(entry)}\n`);
    },
    close: () => {
      if (open) closeSync(handle);
      open = false;
    },
  };
}

export function readJournal<T>(file: string): { readonly entries: readonly T[]; readonly torn: boolean } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], torn: false };
    throw error;
  }
  const entries: T[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      entries.push(JSON.parse(line) as T);
    } catch {
      // Cut short by a kill: what it told is told again.
    }
  }
  return { entries, torn: text !== '' && !text.endsWith('\n') };
}

/** Replaces a file so that a kill leaves the old or the new one, never half. */
export function writeWhole(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.new`;
  writeFileSync(beside, `${JSON.stringify(value, undefined, 2)}\n`);
  const handle = openSync(beside, 'r');
  fsyncSync(handle);
  closeSync(handle);
  renameSync(beside, file);
}
