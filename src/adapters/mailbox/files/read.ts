import { type FileHandle, open } from 'node:fs/promises';
import { DETECT_BYTES, detectKind, isMailName } from './detect.ts';
import { CHUNK_BYTES, type FileItem, LARGE_MAIL_KEPT_BYTES, type ReadFilesOptions } from './file-mail.ts';
import { type FoundFile, findFiles, problem, problemOf } from './find.ts';
import { splitMbox } from './mbox.ts';

/** Bytes and number of the files that `readMailFiles` would read: the length of a progress bar. */
export async function measureFiles(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number }> {
  let files = 0;
  let bytes = 0;
  for await (const found of findFiles(paths)) {
    signal?.throwIfAborted();
    if (found.kind !== 'file') continue;
    files++;
    bytes += found.size;
  }
  return { files, bytes };
}

/**
 * The mails in files and folders: single mails (`.eml`, or any file that begins with headers), mboxes (told by their
 * content) and Maildirs. One mail is in memory at a time. Nothing is changed on disk. A file that cannot be read gives a
 * problem and the rest goes on; only an aborted signal ends it by throwing. In a folder, files that are no mails are
 * passed over in silence; a file that was named is told of.
 */
export async function* readMailFiles(paths: readonly string[], options: ReadFilesOptions): AsyncGenerator<FileItem> {
  let done = 0;
  for await (const found of findFiles(paths)) {
    options.signal?.throwIfAborted();
    if (found.kind === 'problem') {
      yield { ...found, done };
      continue;
    }
    const before = done;
    try {
      for await (const item of readFile(found, options)) yield { ...item, done: before + item.done };
    } catch (error) {
      options.signal?.throwIfAborted();
      yield { ...problemOf(found.path, error), done: before };
    }
    done = before + found.size;
  }
}

async function* readFile(found: FoundFile, options: ReadFilesOptions): AsyncGenerator<FileItem> {
  const source = found.path;
  const file = await open(source, 'r');
  try {
    const head = await readUpTo(file, DETECT_BYTES, 0);
    switch (detectKind(head)) {
      case 'mbox': {
        for await (const mail of splitMbox(chunksOf(file, options.signal), options.maxBytes)) {
          const { offset, bytes } = mail;
          const size = mail.fullSize ?? bytes.byteLength;
          const common = { source, offset, bytes, done: Math.min(found.size, offset + size) };
          yield mail.fullSize === undefined ? { kind: 'mail', ...common } : { kind: 'too-large', ...common, size };
        }
        return;
      }
      case 'mail':
        yield await readSingle(found, file, options);
        return;
      default:
        if (isMailName(source) || (found.certain && head.byteLength === 0))
          yield await readSingle(found, file, options);
        else if (found.certain) {
          const hint = /\.(msg|pst|ost)$/i.test(source)
            ? 'Outlook’s own format is not read; save it as .eml.'
            : NOT_MAIL;
          yield problem(source, 'file-not-mail', hint);
        }
    }
  } finally {
    await file.close();
  }
}

const NOT_MAIL = 'It is no mail: neither headers nor an mbox postmark at its beginning. Name .eml, mbox or Maildir.';

/** One byte more than expected is asked for, so that a size that lies or a file that grows is noticed. */
async function readSingle(found: FoundFile, file: FileHandle, options: ReadFilesOptions): Promise<FileItem> {
  const common = { source: found.path, offset: 0, done: found.size };
  const tooLarge = async (size: number): Promise<FileItem> => ({
    kind: 'too-large',
    ...common,
    bytes: await readUpTo(file, LARGE_MAIL_KEPT_BYTES, 0),
    size,
  });
  if (found.size > options.maxBytes) return tooLarge(found.size);
  const first = await readUpTo(file, found.size + 1, 0);
  const bytes = first.byteLength > found.size ? await readUpTo(file, options.maxBytes + 1, 0) : first;
  return bytes.byteLength > options.maxBytes ? tooLarge(bytes.byteLength) : { kind: 'mail', ...common, bytes };
}

/** May return the same memory again and again: the splitter copies. */
async function* chunksOf(file: FileHandle, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

async function readUpTo(file: FileHandle, max: number, from: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(max);
  let length = 0;
  while (length < max) {
    const { bytesRead } = await file.read(buffer, length, max - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length === max ? buffer : buffer.slice(0, length);
}
