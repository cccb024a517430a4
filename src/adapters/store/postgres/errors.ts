import { TripwatchError } from '../../../domain/errors.ts';

/** What the server says about an error, as far as we need it. SQLSTATE codes: PostgreSQL manual, appendix A. */
interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
}

function isServerError(error: unknown): error is ServerError {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && typeof severity === 'string';
}

/** Serialisation failure, deadlock: the work was fine and can be run again at once. */
const CONFLICTS = new Set(['40001', '40P01']);
/** The session is over: shutdown, crash, database dropped, idle in a transaction, connection refused for now. */
const SESSION_OVER = /^(08...|57P0[1-5]|25P0[34]|53300)$/;
/** Damage, or a disk that fails. */
const BROKEN = /^(58...|XX001|XX002)$/;
const DISK_FULL = '53100';
const READ_ONLY = '25006';
const PLAN_CHANGED = '0A000';
/** Lock or statement took too long; out of memory, too many locks: another time it may go. */
const TOO_MUCH = /^(55P03|57014|53200|53400|54...)$/;
/** Codes of Node's TLS. */
const CERTIFICATE = /CERT|^ERR_TLS|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;
/** Password, role, database: what only its owner can mend. */
const REFUSED = /^(28...|3D000|42501)$/;

/** True where the transaction was ended for the sake of another and the same work may be run again at once. */
export function isConflict(error: unknown): boolean {
  const cause = error instanceof TripwatchError ? error.cause : error;
  return isServerError(cause) && CONFLICTS.has(cause.code);
}

/** A unique key was there already. */
export function isTaken(error: unknown): boolean {
  const cause = error instanceof TripwatchError ? error.cause : error;
  return isServerError(cause) && cause.code === '23505';
}

/**
 * True when the connection must not be used any more: it is broken, its session is over, it leads to a server that does
 * not take writes (any more), or its prepared statements do not fit the tables any more.
 */
export function endsConnection(error: unknown, where: 'reading' | 'writing' = 'writing'): boolean {
  if (!isServerError(error)) return true;
  return (
    (error.code === READ_ONLY && where === 'writing') ||
    error.severity === 'FATAL' ||
    error.severity === 'PANIC' ||
    SESSION_OVER.test(error.code) ||
    (error.code === PLAN_CHANGED && error.message.includes('cached plan'))
  );
}

/**
 * Translates an error of the connection or the server at the edge. `where`: a write that is refused as read-only is a
 * fault of ours in a reading transaction, and elsewhere a server that has become a standby.
 */
export function translate(error: unknown, where: 'reading' | 'writing' = 'writing'): TripwatchError {
  if (error instanceof TripwatchError) return error;
  const of = (kind: TripwatchError['kind'], code: string, message: string) =>
    new TripwatchError(kind, code, message, { cause: error });
  if (!isServerError(error)) return lost(error);
  const { code } = error;
  if (CONFLICTS.has(code)) {
    return of('transient', 'store-busy', 'Two writers were in each other’s way; try again.');
  }
  if (code === DISK_FULL) {
    return of(
      'transient',
      'store-disk-full',
      'The disk of the PostgreSQL server is full. Nothing was lost; free some space and the work goes on by itself.',
    );
  }
  if (endsConnection(error, where)) return lost(error);
  if (code === READ_ONLY) return of('defect', 'read-only', 'A write was tried in a reading transaction.');
  if (BROKEN.test(code)) {
    return of(
      'defect',
      'store-io',
      `The PostgreSQL server reports damage or a failing disk (${code}: ${error.message}). Check the server.`,
    );
  }
  if (TOO_MUCH.test(code)) {
    return of('transient', 'store-busy', `The PostgreSQL server could not do it in time (${code}: ${error.message}).`);
  }
  if (REFUSED.test(code)) return refused(error);
  if (code.startsWith('23')) {
    return of('defect', 'store-constraint', `The store refused a row (${code}: ${error.message})`);
  }
  return of('defect', 'store-sql', `SQL failed (${code}: ${error.message})`);
}

/**
 * As `translate`, at the first connection of a process: password, role, database or certificate are wrong, which
 * nothing mends by itself. Later on, where it has worked, it is waited for.
 */
export function translateFirst(error: unknown): TripwatchError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && CERTIFICATE.test(code)) {
    return new TripwatchError(
      'permanent',
      'store-cannot-open',
      `The certificate of the PostgreSQL server is not trusted (${message}). ` +
        'Name its authority by sslrootcert in the address.',
      { cause: error },
    );
  }
  return isServerError(error) && REFUSED.test(error.code) ? refused(error) : translate(error);
}

function refused(error: ServerError): TripwatchError {
  const message = `The PostgreSQL server refuses us (${error.code}: ${error.message}).`;
  return new TripwatchError('permanent', 'store-cannot-open', message, { cause: error });
}

/** The connection broke: what was under way may or may not have happened. */
export function lost(cause: unknown): TripwatchError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TripwatchError(
    'transient',
    'store-lost',
    `The connection to the PostgreSQL server was lost (${why}). It is made again by itself.`,
    { cause },
  );
}

export function isLost(error: unknown): boolean {
  return error instanceof TripwatchError && error.code === 'store-lost';
}
