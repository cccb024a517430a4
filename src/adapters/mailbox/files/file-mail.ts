/** One thing found in files. */
export type FileItem = FileMail | LargeFileMail | FileProblem;

export interface FileMail {
  readonly kind: 'mail';
  /** Path as the person would name it. */
  readonly source: string;
  /** Where in the file the mail begins, bytes; 0 unless the file is an mbox. */
  readonly offset: number;
  /** As received: without the mbox postmark, `>From ` unquoted. */
  readonly bytes: Uint8Array;
  /** Bytes of the files read so far, this one included: for progress. */
  readonly done: number;
}

export interface LargeFileMail {
  readonly kind: 'too-large';
  readonly source: string;
  readonly offset: number;
  /** The beginning only. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly done: number;
}

/** A file that could not be read, or is not what it should be. `message` says what to do. */
export interface FileProblem {
  readonly kind: 'problem';
  readonly source: string;
  readonly code: 'file-missing' | 'file-unreadable' | 'file-not-mail';
  readonly message: string;
  readonly done: number;
}

export interface ReadFilesOptions {
  /** Largest mail that is read as a whole, bytes. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** What is kept of a mail over the limit: enough for its headers. */
export const LARGE_MAIL_KEPT_BYTES = 256 * 1024;
/** Folders in folders beyond this are taken for a loop. */
export const FOLDER_DEPTH_MAX = 64;
/** Read at once. */
export const CHUNK_BYTES = 256 * 1024;
