import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { TripwatchError } from '../domain/errors.ts';

/** Where everything of one installation lives. */
export interface DataPaths {
  readonly folder: string;
  readonly database: string;
  readonly mails: string;
  readonly key: string;
}

/** `--data`, else TRIPWATCH_DATA, else `.tripwatch` in the home folder. */
export function dataFolder(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  return resolve(option ?? (env.TRIPWATCH_DATA || join(homedir(), '.tripwatch')));
}

export function dataPaths(folder: string): DataPaths {
  return {
    folder,
    database: join(folder, 'tripwatch.db'),
    mails: join(folder, 'mails'),
    key: join(folder, 'key'),
  };
}

/** Makes the folder, for its owner only. Errors: permanent `data-folder`. */
export function prepareFolder(folder: string): DataPaths {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (cause) {
    throw new TripwatchError(
      'permanent',
      'data-folder',
      `The data folder ${folder} cannot be made or is not yours: ${(cause as Error).message}. Choose another with --data.`,
      { cause },
    );
  }
  return dataPaths(folder);
}

/** For commands that only look: the folder must hold an installation. */
export function existingFolder(folder: string): DataPaths {
  const paths = dataPaths(folder);
  if (!existsSync(paths.database)) {
    throw new TripwatchError(
      'permanent',
      'data-folder',
      `There is no Tripwatch data in ${folder}. Name the folder with --data (or TRIPWATCH_DATA), or start with \`tripwatch up\`, \`tripwatch mailbox add\` or \`tripwatch import\`.`,
    );
  }
  return paths;
}
