import { TripwatchError } from '../../../domain/errors.ts';

/** Primary result codes, see sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;

/** The primary result code of an error of node:sqlite; undefined for anything else. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Translates an error of node:sqlite at the edge; others pass unchanged. */
export function translate(error: unknown): unknown {
  switch (resultCode(error)) {
    case undefined:
      return error;
    case BUSY:
    case LOCKED:
      return new TripwatchError('transient', 'store-busy', 'The store is locked by another process; try again.', {
        cause: error,
      });
    case FULL:
      return new TripwatchError(
        'transient',
        'store-disk-full',
        'The disk of the data folder is full. Nothing was lost; free some space and the work goes on by itself.',
        { cause: error },
      );
    case READONLY:
      return new TripwatchError('defect', 'read-only', 'A write was tried in a reading transaction.', { cause: error });
    case IOERR:
    case CORRUPT:
      return new TripwatchError(
        'defect',
        'store-io',
        'The disk failed under the store, so it is not known what is durable. Tripwatch stops; check the disk and start again.',
        { cause: error },
      );
    case CANTOPEN:
      return new TripwatchError('permanent', 'store-cannot-open', 'The store file cannot be opened.', { cause: error });
    case NOTADB:
      return new TripwatchError('permanent', 'store-not-a-database', 'The store file is not a Tripwatch database.', {
        cause: error,
      });
    case CONSTRAINT:
      return new TripwatchError('defect', 'store-constraint', `The store refused a row: ${(error as Error).message}`, {
        cause: error,
      });
    default:
      return new TripwatchError('defect', 'store-sql', `SQL failed: ${(error as Error).message}`, { cause: error });
  }
}

/** Errors after which nothing may be written any more. */
export function isFatal(error: unknown): boolean {
  return error instanceof TripwatchError && error.code === 'store-io';
}
