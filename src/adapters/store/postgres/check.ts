import { TripwatchError } from '../../../domain/errors.ts';
import type { Connection } from './connection.ts';

const VERSION_MIN = 150_000;

/**
 * Refuses a server on which an acknowledged write could be lost, or that does not understand us. Errors, all
 * `permanent`, each with its remedy: `store-not-durable`, `store-server-unfit`.
 */
export async function checkServer(connection: Connection): Promise<void> {
  const { rows } = await connection.query<
    Record<'version' | 'encoding' | 'standby' | 'fsync' | 'pages' | 'commit', string>
  >(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding,
      pg_is_in_recovery()::text AS standby, current_setting('fsync') AS fsync,
      current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit`,
  );
  const server = rows[0]!;
  if (Number(server.version) < VERSION_MIN) {
    throw unfit(`it is version ${Math.floor(Number(server.version) / 10_000)}, and 15 or newer is needed. Upgrade it.`);
  }
  if (server.encoding !== 'UTF8') {
    throw unfit(`the database has the encoding ${server.encoding}. Make one with UTF8.`);
  }
  if (server.standby === 'true') {
    throw unfit('it is a standby, which takes no writes. Give the address of the primary.');
  }
  if (server.fsync !== 'on') throw notDurable('fsync', server.fsync);
  if (server.pages !== 'on') throw notDurable('full_page_writes', server.pages);
  // Asked for by every session of ours, so only a server that overrules its sessions gets here.
  if (server.commit !== 'on' && server.commit !== 'remote_apply') throw notDurable('synchronous_commit', server.commit);
}

function unfit(why: string): TripwatchError {
  return new TripwatchError('permanent', 'store-server-unfit', `The PostgreSQL server cannot be used: ${why}`);
}

function notDurable(setting: string, value: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'store-not-durable',
    `The PostgreSQL server has ${setting}=${value}: what it acknowledges, a power cut could take back. ` +
      `Set ${setting} = on in postgresql.conf and reload the server.`,
  );
}
